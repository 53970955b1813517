// Package wire reads and writes the messages of MongoDB's protocol: OP_MSG, and OP_QUERY with OP_REPLY for the first handshake.
//
// It owns the frame: lengths, flags, document sequences. Memory grows with the bytes that arrive, not with what a header promises.
// Checksums are passed over, not compared. Compression is not offered.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"kreislauf/internal/backend/mongod/raw"
)

const (
	opReply = 1
	opQuery = 2004
	opMsg   = 2013

	headerSize     = 16
	MaxMessageSize = 48_000_000

	flagChecksum   = 1 << 0
	flagMoreToCome = 1 << 1
)

// Message is one request. RequestID is echoed in the answer.
type Message struct {
	RequestID int32
	Legacy    bool // OP_QUERY: answered with OP_REPLY
	NoReply   bool // moreToCome
	Body      raw.Document
	Sequences map[string][]raw.Document
	Namespace string // OP_QUERY only
}

// Read reads one message. io.EOF means that the client closed between two messages. A message comes with an error
// when it is to be answered with that.
func Read(r io.Reader) (*Message, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	size := int32(binary.LittleEndian.Uint32(header[:]))
	if size < headerSize || size > MaxMessageSize {
		return nil, fmt.Errorf("message length %d is outside %d..%d", size, headerSize, MaxMessageSize)
	}
	opcode := int32(binary.LittleEndian.Uint32(header[12:]))
	if opcode != opMsg && opcode != opQuery {
		return nil, fmt.Errorf("opcode %d is not supported", opcode)
	}
	payload, err := readPayload(r, int(size-headerSize))
	if err != nil {
		return nil, err
	}
	m, err := parseMessage(opcode, payload)
	if errors.Is(err, raw.ErrTooDeep) || errors.Is(err, raw.ErrDecimal) { // the frame is whole, so the client can be told
		noReply := opcode == opMsg && payload[0]&flagMoreToCome != 0
		m = &Message{Legacy: opcode == opQuery, NoReply: noReply}
	} else if err != nil {
		return nil, err
	}
	m.RequestID = int32(binary.LittleEndian.Uint32(header[4:]))
	return m, err
}

// readPayload reads size bytes; memory grows with the bytes that arrive, not with what the header promises.
func readPayload(r io.Reader, size int) ([]byte, error) {
	const step = 1 << 20
	buf := make([]byte, 0, min(size, step))
	for len(buf) < size {
		n := min(size-len(buf), step)
		buf = append(buf, make([]byte, n)...)
		if _, err := io.ReadFull(r, buf[len(buf)-n:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("read message body: %w", err)
		}
	}
	return buf, nil
}

func parseMessage(opcode int32, payload []byte) (*Message, error) {
	if opcode == opQuery {
		return parseQuery(payload)
	}
	return parseMsg(payload)
}

func parseMsg(p []byte) (*Message, error) {
	if len(p) < 4 {
		return nil, errors.New("OP_MSG without flags")
	}
	flags := binary.LittleEndian.Uint32(p)
	p = p[4:]
	if unknown := flags & 0xffff &^ (flagChecksum | flagMoreToCome); unknown != 0 {
		return nil, fmt.Errorf("OP_MSG with unknown flags 0x%x", unknown)
	}
	if flags&flagChecksum != 0 {
		if len(p) < 4 {
			return nil, errors.New("OP_MSG without its checksum")
		}
		p = p[:len(p)-4]
	}
	m := &Message{NoReply: flags&flagMoreToCome != 0, Sequences: map[string][]raw.Document{}}
	for len(p) > 0 {
		kind := p[0]
		p = p[1:]
		var err error
		switch kind {
		case 0:
			if m.Body != nil {
				return nil, errors.New("OP_MSG with two bodies")
			}
			m.Body, p, err = takeDocument(p)
		case 1:
			p, err = m.takeSequence(p)
		default:
			err = fmt.Errorf("OP_MSG with section kind %d", kind)
		}
		if err != nil {
			return nil, err
		}
	}
	if m.Body == nil {
		return nil, errors.New("OP_MSG without a body")
	}
	return m, nil
}

// takeSequence reads a document sequence: size, identifier, documents.
func (m *Message) takeSequence(p []byte) ([]byte, error) {
	if len(p) < 4 {
		return nil, errors.New("document sequence without its size")
	}
	size := int64(int32(binary.LittleEndian.Uint32(p)))
	if size < 5 || size > int64(len(p)) {
		return nil, fmt.Errorf("document sequence of %d bytes in %d", size, len(p))
	}
	section, rest := p[4:size], p[size:]
	name, section, ok := takeCString(section)
	if !ok {
		return nil, errors.New("document sequence without an identifier")
	}
	if _, twice := m.Sequences[name]; twice {
		return nil, fmt.Errorf("document sequence %q twice", name)
	}
	docs := []raw.Document{}
	for len(section) > 0 {
		var d raw.Document
		var err error
		if d, section, err = takeDocument(section); err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	m.Sequences[name] = docs
	return rest, nil
}

// parseQuery reads OP_QUERY, which drivers still use for the first hello.
func parseQuery(p []byte) (*Message, error) {
	if len(p) < 4 {
		return nil, errors.New("OP_QUERY without flags")
	}
	name, p, ok := takeCString(p[4:])
	if !ok || len(p) < 8 {
		return nil, errors.New("truncated OP_QUERY")
	}
	body, rest, err := takeDocument(p[8:])
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 { // a field selector may follow
		if _, rest, err = takeDocument(rest); err != nil || len(rest) > 0 {
			return nil, errors.New("OP_QUERY with trailing bytes")
		}
	}
	return &Message{Legacy: true, Body: body, Namespace: name}, nil
}

func takeCString(p []byte) (string, []byte, bool) {
	for i, c := range p {
		if c == 0 {
			return string(p[:i]), p[i+1:], true
		}
	}
	return "", nil, false
}

func takeDocument(p []byte) (raw.Document, []byte, error) {
	if len(p) < 5 {
		return nil, nil, raw.ErrMalformed
	}
	size := int64(int32(binary.LittleEndian.Uint32(p)))
	if size < 5 || size > int64(len(p)) {
		return nil, nil, raw.ErrMalformed
	}
	d := p[:size:size]
	if err := raw.Validate(d, 1); err != nil {
		return nil, nil, err
	}
	return d, p[size:], nil
}

// AppendReply encodes the answer to m.
func AppendReply(dst []byte, m *Message, id int32, body raw.Document) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(id))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.RequestID))
	if m.Legacy {
		dst = binary.LittleEndian.AppendUint32(dst, opReply)
		dst = append(dst, 8, 0, 0, 0) // AwaitCapable
		dst = append(dst, make([]byte, 12)...)
		dst = append(dst, 1, 0, 0, 0) // one document
	} else {
		dst = binary.LittleEndian.AppendUint32(dst, opMsg)
		dst = append(dst, 0, 0, 0, 0, 0)
	}
	dst = append(dst, body...)
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}
