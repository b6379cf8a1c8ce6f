"""What tests are made of. Plain functions; every value can be said, none has to be."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from customers import ingest
from customers.models import Customer, Source
from customers.profile import Item, Receipt, Sender

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def source(name: str = "", channel: str = "app", **fields) -> Source:
    return Source.objects.create(name=name or f"source {uuid.uuid4()}", channel=channel, **fields)


def sender(of: Source | None = None, *, trusted: bool = True, **facts) -> Sender:
    of = of or source()
    return Sender(
        source_id=of.id,
        name=of.name,
        channel=of.channel,
        is_trusted=trusted,
        is_shared=of.is_shared,
        default_region=of.default_region or None,
        **facts,
    )


def item(
    *identifiers: tuple[str, str],
    name: str = "Ride Entered",
    kind: str = "track",
    message_id: str = "",
    at: datetime = NOON,
    properties: dict | None = None,
    traits: dict | None = None,
    about: str = "",
    actor: str = "",
) -> Item:
    """One event, by default of somebody new."""
    message_id = message_id or str(uuid.uuid4())
    body = {"type": kind, "event": name, "messageId": message_id}
    body |= {"properties": properties or {}} if kind == "track" else {"traits": traits or {}}
    encoded = json.dumps(body, sort_keys=True).encode()
    return Item(
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


def identify(*identifiers: tuple[str, str], at: datetime = NOON, **traits) -> Item:
    return item(*identifiers, kind="identify", traits=traits, at=at)


def order(
    number: str, *identifiers: tuple[str, str], name: str = "Order Completed", at=NOON, **facts
) -> Item:
    """Something said about an order, by default that it was placed."""
    return item(*identifiers, name=name, about=f"order:{number}", properties=facts, at=at)


def record(*items: Item, by: Sender | None = None, at: datetime | None = None) -> Receipt:
    """Put events on the record, as their source would."""
    at = at or max(one.occurred_at for one in items) + timedelta(seconds=1)
    return ingest.record(sender=by or sender(), items=list(items), received_at=at)


def customer(*identifiers: tuple[str, str], by: Sender | None = None, **traits) -> Customer:
    """A customer known by these identifiers, with these traits."""
    receipt = record(identify(*identifiers, **traits), by=by)
    return Customer.objects.get(id=receipt.outcomes[0].customer_id)


def owners(receipt: Receipt) -> Sequence[uuid.UUID | None]:
    return [outcome.customer_id for outcome in receipt.outcomes]
