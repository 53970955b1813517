"""Snappy in pure Python, as far as a reader of Kafka needs it: kafka-python takes any module of this name.

The topics are compressed with Snappy (docs/architecture.md), and the usual module of this name is no pure Python.
"""


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def decompress(data):
    """One raw block, see https://github.com/google/snappy/blob/main/format_description.txt."""
    data = bytes(data)
    size, at = _varint(data, 0)
    out = bytearray()
    while at < len(data):
        tag, at = data[at], at + 1
        kind = tag & 3
        if kind == 0:  # literal
            length = tag >> 2
            if length >= 60:
                extra = length - 59
                length = int.from_bytes(data[at : at + extra], "little")
                at += extra
            length += 1
            out += data[at : at + length]
            at += length
            continue
        if kind == 1:  # copy with an offset of 11 bits
            length, offset = 4 + ((tag >> 2) & 7), ((tag >> 5) << 8) | data[at]
            at += 1
        else:  # copy with an offset of 2 or 4 bytes
            extra = 2 if kind == 2 else 4
            length, offset = 1 + (tag >> 2), int.from_bytes(data[at : at + extra], "little")
            at += extra
        if not 0 < offset <= len(out):
            raise ValueError("a copy from before the beginning")
        for _ in range(length):  # what is copied may be part of the copy
            out.append(out[-offset])
    if len(out) != size:
        raise ValueError("%d bytes, want %d" % (len(out), size))
    return bytes(out)


def compress(data):
    raise NotImplementedError("nobody here compresses")
