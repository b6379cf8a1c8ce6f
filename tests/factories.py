"""Factories of events, customers and sources for tests. Every argument has a default."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from msgspec import structs

from butler.models import Decision, Message
from customers import ingest
from customers.events.internal_sources import sender_of_source
from customers.models import Customer, Identifier, Passkey, Source, Space, User
from customers.types import IncomingEvent, IngestedBatch, Sender

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def source(name: str = "", channel: str = "app", **fields) -> Source:
    return Source.objects.create(name=name or f"source {uuid.uuid4()}", channel=channel, **fields)


def sender(of: Source | None = None, *, trusted: bool = True, **facts) -> Sender:
    sender_ = sender_of_source(of or source(), is_trusted=trusted)
    return structs.replace(sender_, **facts)


def space_sender(space: Space, *, channel: str = "app", addresses: str = "") -> Sender:
    """The server of a source with a space of its own."""
    of = source(channel=channel, space=space, addresses=addresses)
    return sender(
        of,
        space_id=space.id,
        space=space.name,
        has_several_ids=space.has_several_ids,
        addresses=addresses,
    )


def company_sender() -> Sender:
    """The server of the company's app, as which `record` speaks by default."""
    app, _ = Source.objects.get_or_create(name="the app", defaults={"channel": "app"})
    return sender(app)


def incoming_event(
    *identifiers: tuple[str, str],
    name: str = "Ride Entered",
    kind: str = "track",
    message_id: str = "",
    at: datetime = NOON,
    properties: dict | None = None,
    traits: dict | None = None,
    about: str = "",
    actor: str = "",
) -> IncomingEvent:
    """Return one event, by default of a new customer."""
    message_id = message_id or str(uuid.uuid4())
    body = {"type": kind, "event": name, "messageId": message_id}
    body |= {"properties": properties or {}} if kind == "track" else {"traits": traits or {}}
    encoded = json.dumps(body, sort_keys=True).encode()
    return IncomingEvent(
        message_id=message_id,
        kind=kind,
        name=name if kind == "track" else "",
        identifiers=identifiers or (("user_id", f"guest-{uuid.uuid4()}"),),
        occurred_at=at,
        body=encoded,
        body_hash=blake2b(encoded, digest_size=16).digest(),
        traits=traits if kind == "identify" else None,
        about=about,
        actor=actor,
    )


def identify(*identifiers: tuple[str, str], at: datetime = NOON, **traits) -> IncomingEvent:
    return incoming_event(*identifiers, kind="identify", traits=traits, at=at)


def order(
    number: str, *identifiers: tuple[str, str], name: str = "Order Completed", at=NOON, **facts
) -> IncomingEvent:
    """Return an event about an order, by default that it was placed."""
    return incoming_event(*identifiers, name=name, about=f"order:{number}", properties=facts, at=at)


def record(
    *events: IncomingEvent, by: Sender | None = None, at: datetime | None = None
) -> IngestedBatch:
    """Put events on the record, as their source would."""
    at = at or max(event.occurred_at for event in events) + timedelta(seconds=1)
    return ingest.store_events(sender=by or company_sender(), events=list(events), received_at=at)


def customer(*identifiers: tuple[str, str], by: Sender | None = None, **traits) -> Customer:
    """A customer known by these identifiers, with these traits."""
    ingested = record(identify(*identifiers, **traits), by=by)
    return Customer.objects.get(id=ingested.outcomes[0].customer_id)


def owners(ingested: IngestedBatch) -> Sequence[uuid.UUID | None]:
    return [outcome.customer_id for outcome in ingested.outcomes]


def passkey(of: User, **fields) -> Passkey:
    """Create a passkey of a login for the mailbox of its record. No device has its key."""
    addresses = Identifier.objects.filter(kind="email", evidence=2, record=of.record_id)
    passkey_fields = {
        "address": addresses.latest("period"),
        "credential_id": uuid.uuid4().bytes,
        "credential": b"",
        "sign_count": 0,
        "is_synced": True,
        "name": "My phone",
        "created_at": NOON,
    }
    return Passkey.objects.create(user=of, **(passkey_fields | fields))


def message(to: Customer, *, at: datetime = NOON, **fields) -> Message:
    """Create a message, by default in the inbox, arrived and not read yet."""
    message_fields = {
        "channel": "inbox",
        "message_class": "service",
        "topic": "visits",
        "subject": "Your visit is near",
        "text": "See you at the gate.",
        "state": "accepted",
    } | fields
    was_handed_over = message_fields["state"] not in ("queued", "suppressed", "expired")
    return Message.objects.create(
        **{
            "key": str(uuid.uuid4()),
            "customer_id": to.pk,
            "occurred_at": at,
            "not_before": at,
            "created_at": at,
            "expires_at": at + timedelta(days=1),
            "state_at": at,
            "handed_over_at": at if was_handed_over else None,
        }
        | message_fields
    )


def decision(of: Customer, *, at: datetime = NOON, act: dict | None = None, **fields) -> Decision:
    """Something that was decided, by default that a message may leave."""
    usual = {"class": "service", "topic": "visits", "channel": "email"}
    return Decision.objects.create(
        **{
            "customer_id": of.pk,
            "stage": "claim",
            "outcome": "send",
            "code": "allowed",
            "gates": [],
            "act": {**usual, "purpose": "", "relation": "", **(act or {})},
            "customer_version": 1,
            "rules_version": "1",
            "decided_at": at,
        }
        | fields
    )
