"""The messages of the park's sources, and their conversion to events."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from customers.types import IncomingEvent

Identifiers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a source, before it becomes an event."""

    source: str
    message_id: str
    kind: str
    name: str = ""
    identifiers: Identifiers
    occurred_at: datetime
    content: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    actor: str = ""


def to_incoming_event(message: Message) -> IncomingEvent:
    """Return the event of a message, with the JSON body that a client would send."""
    content_key = "traits" if message.kind == "identify" else "properties"
    identifiers = dict(message.identifiers)
    body: dict[str, Any] = {"type": message.kind, "timestamp": message.occurred_at.isoformat()}
    if message.kind == "track":
        body["event"] = message.name
    elif message.name:
        body["name"] = message.name
    for kind, key in (("user_id", "userId"), ("anonymous_id", "anonymousId")):
        if kind in identifiers:
            body[key] = identifiers[kind]
    body[content_key] = message.content
    hashed = msgspec.json.encode(body, order="deterministic")
    return IncomingEvent(
        message_id=message.message_id,
        kind=message.kind,
        name=message.name,
        identifiers=message.identifiers,
        occurred_at=message.occurred_at,
        body=msgspec.json.encode({**body, "messageId": message.message_id}),
        body_hash=blake2b(hashed, digest_size=16).digest(),
        traits=message.content if message.kind == "identify" else None,
        about=message.about,
        actor=message.actor,
    )
