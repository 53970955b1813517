"""Counts orders by postcode: a service in another language, by the contracts alone.

Consumes: kreislauf.order.v1, as the consumer group "tally". Emits nothing. Settings: KREISLAUF_* as docs/architecture.md has them.
It must not mind to see an event twice: it remembers which orders it has counted.
"""

import json
import os
import secrets
import signal
import sys
import time
from datetime import datetime, timezone

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

SERVICE, TOPIC, DEAD_LETTERS = "tally", "kreislauf.order.v1", "kreislauf.dead-letter.v1"
BASE = {
    "ecs.version": "8.11.0",
    "service_name": SERVICE,
    "env": os.environ.get("KREISLAUF_ENV", "local"),
    "customer": os.environ.get("KREISLAUF_CUSTOMER", "kreislauf"),
    "instance": os.environ.get("KREISLAUF_INSTANCE", SERVICE + "-1"),
    "platform_version": os.environ.get("KREISLAUF_PLATFORM_VERSION", "dev"),
}


def open_log():
    """The file <log folder>/<env>/<customer>/<service>/<instance>.log, or standard output."""
    root = os.environ.get("KREISLAUF_LOG_DIR")
    if not root:
        return sys.stdout
    folder = os.path.join(root, BASE["env"], BASE["customer"], SERVICE)
    os.makedirs(folder, exist_ok=True)
    return open(os.path.join(folder, BASE["instance"] + ".log"), "a", encoding="utf-8")


LOG = open_log()


def stamp(seconds, digits=3):
    text = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text[: 20 + digits] + "Z"


def write(line):
    """One JSON object a line, whole lines only."""
    LOG.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    LOG.flush()


def log(level, message, **fields):
    fields = {k.replace("__", "."): v for k, v in fields.items()}
    write({"@timestamp": stamp(time.time()), "log.level": level, "message": message, **BASE, **fields})


def parent_of(record):
    """Trace id and span id of the header traceparent; a trace of its own without one."""
    for key, value in record.headers:
        parts = value.decode("ascii", "replace").split("-")
        if key == "traceparent" and len(parts) == 4 and len(parts[1]) == 32 and len(parts[2]) == 16:
            return parts[1], parts[2]
    return secrets.token_hex(16), None


def parse(record):
    event = json.loads(record.value)
    if event.get("specversion") != "1.0":
        raise ValueError("specversion %r, want 1.0" % event.get("specversion"))
    for member in ("id", "type", "subject", "time", "source", "customer", "data"):
        if not event.get(member):
            raise ValueError("the member %s is missing" % member)
    if record.key != event["subject"].encode():
        raise ValueError("the key is not the subject")
    return event


class Tally:
    def __init__(self):
        self.orders, self.by_postcode = set(), {}

    def handle(self, event):
        data = event["data"]
        if event["type"] != "order.placed" or data["order_id"] in self.orders:
            return None
        self.orders.add(data["order_id"])
        self.by_postcode[data["postcode"]] = self.by_postcode.get(data["postcode"], 0) + 1
        return self.by_postcode[data["postcode"]]


def dead_letter(producer, record, reason):
    headers = [
        ("reason", str(reason)[:1000].encode()),
        ("consumer", SERVICE.encode()),
        ("topic", record.topic.encode()),
        ("position", b"%d:%d" % (record.partition, record.offset)),
    ]
    producer.send(DEAD_LETTERS, key=record.key, value=record.value, headers=headers + list(record.headers)).get(timeout=10)


def consume(tally, producer, record):
    if any(key == "replay-for" and value != SERVICE.encode() for key, value in record.headers):
        return  # a dead letter of another consumer
    start, (trace, parent), span = time.time(), parent_of(record), secrets.token_hex(8)
    ids = {"trace.id": trace, "span.id": span}
    place = {"kafka.topic": record.topic, "kafka.partition": record.partition, "kafka.offset": record.offset}
    outcome, name = "success", record.topic
    try:
        event = parse(record)
        name = event["type"]
        count = tally.handle(event)
        fields = {"event.action": "event.consumed", "event.id": event["id"], "ce.type": name, "subject": event["subject"]}
        if count is not None:
            fields["order.id"] = event["data"]["order_id"]
            fields["message.count"] = count
        duration = int((time.time() - start) * 1e9)
        log("info", "consumed " + name, **ids, **fields, **place, **{"event.duration": duration, "event.outcome": outcome})
    except (ValueError, KeyError, TypeError, AttributeError) as err:  # it cannot be read, now or ever
        outcome = "failure"
        dead_letter(producer, record, err)
        log("error", "dead letter", **ids, **place, **{"event.action": "event.dead-lettered", "error.message": str(err)})
    line = {
        "@timestamp": stamp(start, 6), "data_stream.type": "traces", "data_stream.dataset": "kreislauf", **BASE, **ids,
        "span.name": "consume " + name, "span.kind": "consumer", "event.duration": int((time.time() - start) * 1e9), "event.outcome": outcome,
    }
    if parent:
        line["parent.id"] = parent
    write(line)


def main():
    brokers = os.environ["KREISLAUF_KAFKA_BROKERS"].split(",")
    stopping = []
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: stopping.append(True))
    consumer = KafkaConsumer(
        TOPIC, bootstrap_servers=brokers, group_id=SERVICE, client_id=BASE["instance"], auto_offset_reset="earliest",
        enable_auto_commit=False, session_timeout_ms=6000, heartbeat_interval_ms=1000,
    )
    producer = KafkaProducer(bootstrap_servers=brokers, client_id=BASE["instance"], acks="all")
    tally = Tally()
    log("info", "serving", **{"event.action": "process.serving"})
    while not stopping:
        for partition, records in consumer.poll(timeout_ms=500).items():
            for record in records:
                consume(tally, producer, record)
            # What is handled is committed, never what is not: an event may come twice, and none is left out.
            done = OffsetAndMetadata(records[-1].offset + 1, "", -1)
            consumer.commit({TopicPartition(partition.topic, partition.partition): done})
    consumer.close(autocommit=False)
    producer.close()
    log("info", "stop", **{"event.action": "process.stop"})


if __name__ == "__main__":
    main()
