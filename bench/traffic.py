"""Requests as a published client sends them, mostly for existing customers."""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from bench import load
from bench.servers import SOURCE, Database

BATCH = 100
# Of a hundred events: the number of identify events, and the number of new customers.
IDENTIFY, NEW = 5, 2

_RIDES = ("Lantern Mill", "River Comet", "Paper Dragon", "Nine Bells", "Moth House")
_CITIES = ("Odense", "Utrecht", "Malmö", "Aarhus", "Gent", "Lund", "Zwolle", "Bergen")


@dataclass(frozen=True, slots=True)
class Guest:
    """A customer who exists in the database."""

    user_id: str
    customer_id: UUID
    identifier_id: int
    has_device: bool

    @property
    def device(self) -> str:
        return self.user_id.replace("guest-", "device-", 1)


@dataclass(frozen=True, slots=True)
class Target:
    """The data that all requests of a run need: database, key, source and customers."""

    database: Database
    key: str
    source_id: int
    guests: Sequence[Guest]


def read_target(database: Database, key: str) -> Target:
    """Return the customers of a database, with the source of the benchmarks."""
    statement = """
        SELECT split_part(own.value, '/', 2), own.customer_id, own.id, device.id IS NOT NULL
          FROM customers_identifier AS own
          LEFT JOIN customers_identifier AS device
            ON device.customer_id = own.customer_id AND device.kind = 'anonymous_id'
         WHERE own.kind = 'user_id' AND own.value LIKE '%%/guest-%%'
         ORDER BY own.id"""
    with database.connect() as connection:
        guests = [Guest(*row) for row in connection.execute(statement).fetchall()]  # type: ignore[arg-type]  # four columns
        source = connection.execute("SELECT id FROM customers_source WHERE name = %s", [SOURCE])
        (source_id,) = source.fetchone() or ()
    assert isinstance(source_id, int)
    return Target(database, key, source_id, guests)


class EventWriter:
    """Creates events with ids that no other writer and no earlier run uses."""

    def __init__(self, target: Target, name: str) -> None:
        self.target = target
        self.name = f"{name.replace(' ', '-')}-{secrets.token_hex(4)}"
        self.random = Random(self.name)
        self.events_written = 0

    def event(self, guest: Guest | None = None) -> bytes:
        """Return one event, of this guest or of a random one, who is sometimes new."""
        self.events_written += 1
        share = self.random.random() * 100
        if guest is None and share < NEW:
            return self._event("identify", {"userId": f"new-{self.name}-{self.events_written}"})
        guest = guest or self.random.choice(self.target.guests)
        identifiers = {"userId": guest.user_id}
        if guest.has_device:
            identifiers["anonymousId"] = guest.device
        return self._event("identify" if share < NEW + IDENTIFY else "track", identifiers)

    def _event(self, kind: str, identifiers: dict[str, str]) -> bytes:
        random = self.random
        event: dict[str, object] = {
            "type": kind,
            "messageId": str(UUID(int=random.getrandbits(128), version=4)),
            **identifiers,
            "timestamp": datetime.now(UTC).isoformat(),
            "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
            "integrations": {},
        }
        if kind == "identify":
            event["traits"] = {"city": random.choice(_CITIES), "visits": random.randrange(99)}
        else:
            wait = random.randrange(60)
            event |= {
                "event": "Ride Entered",
                "properties": {
                    "ride": random.choice(_RIDES),
                    "minutes_waited": wait,
                    "posted_wait": wait + 5,
                    "group_size": random.randrange(1, 7),
                },
            }
        if "userId" in identifiers and identifiers["userId"].startswith("new-"):
            event["anonymousId"] = f"device-{identifiers['userId']}"
        return json.dumps(event, ensure_ascii=False).encode()

    def batch(self) -> list[bytes]:
        """Return the JSON of BATCH new events."""
        return [self.event() for _ in range(BATCH)]

    def batch_request(self, events: Sequence[bytes]) -> bytes:
        """Return the request for a batch."""
        sent_at = datetime.now(UTC).isoformat().encode()
        body = b'{"batch":[' + b",".join(events) + b'],"sentAt":"' + sent_at + b'"}'
        return _post("/v1/batch", self.target.key, body)

    def event_request(self, event: bytes) -> bytes:
        """Return the request for one event."""
        kind = "identify" if b'"type": "identify"' in event else "track"
        return _post(f"/v1/{kind}", self.target.key, event)


def _post(path: str, key: str, body: bytes) -> bytes:
    # The published clients send the key as the user name of Basic authentication.
    basic = base64.b64encode(f"{key}:".encode()).decode()
    return load.request("POST", path, authorization=f"Basic {basic}", body=body)


def count_accepted(answer: load.Answer) -> int:
    """Return the committed events of an answer; raise BenchmarkFailed if not all are committed."""
    if answer.status != 200 or answer.count(b"butler-quarantined"):
        raise load.BenchmarkFailed(f"not accepted: {answer.head!r} {answer.body!r}")
    return answer.count(b"butler-accepted")
