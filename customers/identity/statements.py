"""Reads the links that events state between their identifiers. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from customers.identity.evidence import (
    address_evidence,
    card_evidence,
    own_device_evidence,
    statement_evidence,
)
from customers.identity.families import ORDER, PHONE, Family, family_of
from customers.identity.links import IdentifierKey, LinkKind, LinkTime
from customers.projections import orders
from customers.types import (
    ACCOUNT_OPENED,
    BUTLER_SOURCE_ID,
    CLAIMED,
    NOTED,
    OPENED,
    VERIFIED,
    WEAK_KINDS,
    IncomingEvent,
    Sender,
)

# The kinds of events that say which identifiers belong together.
STATEMENTS = frozenset({"identify", "alias"})


class LinkStatement(NamedTuple):
    """A link between two identifiers, as an event states it."""

    first: IdentifierKey
    second: IdentifierKey
    kind: str
    evidence: int


class StatedEvent(NamedTuple):
    """An event with its usable identifiers, the primary one first, and its arrival number.

    It may stand for several events of a log that state the same. It is then the earliest of them.
    """

    event: IncomingEvent
    keys: tuple[IdentifierKey, ...]
    arrival: int
    # The time of the last of these events, if there are several.
    repeated_at: datetime | None = None

    @property
    def last_at(self) -> datetime:
        return self.repeated_at or self.event.occurred_at


type Statements = dict[LinkStatement, LinkTime]


def links_of(events: Iterable[StatedEvent], sender: Sender) -> Statements:
    """Return the links of these events, each with its earliest and its last time."""
    statements: Statements = {}
    for stated in events:
        time = LinkTime(stated.event.occurred_at, stated.arrival, stated.last_at)
        for link in _links(stated, sender):
            earlier_time = statements.get(link)
            statements[link] = time.including(earlier_time) if earlier_time else time
    return statements


def _links(stated: StatedEvent, sender: Sender) -> Iterator[LinkStatement]:
    people = [key for key in stated.keys if key.kind != ORDER]
    if sender.evidence == CLAIMED:
        yield from _claimed_links(people, sender)
    elif people:
        yield from _owner_links(stated.event, people, sender)
    yield from _order_links(stated.event, stated.keys, people, sender)


def proved_key(keys: Iterable[IdentifierKey]) -> IdentifierKey | None:
    """Return the identifier that a customer token proved, of an event with a publishable key.

    Such an event names no other identifier that is not a claim, so the log needs no other mark.
    """
    return next((key for key in keys if key.evidence == VERIFIED), None)


def _claimed_links(people: Sequence[IdentifierKey], sender: Sender) -> Iterator[LinkStatement]:
    """Yield the links of an event with a publishable key: claims, except for a customer's device."""
    proved = proved_key(people)
    for key in people:
        if proved and key.kind in WEAK_KINDS:
            yield LinkStatement(proved, key, LinkKind.TOGETHER, own_device_evidence(sender))
        elif key != (proved or people[0]):
            yield LinkStatement(proved or people[0], key, LinkKind.TOGETHER, CLAIMED)


def _owner_links(
    event: IncomingEvent, people: Sequence[IdentifierKey], sender: Sender
) -> Iterator[LinkStatement]:
    """Yield the links between accounts, mailboxes, attached ids and devices of one event.

    Contacts in other events than `identify` are only noted: an order may name a friend's address.
    """
    is_statement = event.kind in STATEMENTS
    base = statement_evidence(sender)
    families = [
        (family_of(key.kind, has_several_ids=sender.has_several_ids), key) for key in people
    ]
    accounts = [key for family, key in families if family is Family.ACCOUNT]
    mailboxes = [key for family, key in families if family is Family.MAILBOX]
    verified = (event.traits or {}).get("email_verified")
    address = address_evidence(sender, verified) if is_statement else NOTED
    if event.name == ACCOUNT_OPENED and sender.source_id == BUTLER_SOURCE_ID:
        address = OPENED
    for account in accounts:
        yield from (LinkStatement(account, box, LinkKind.TOGETHER, address) for box in mailboxes)
    for other in accounts[1:]:
        kind = LinkKind.ALIAS if _is_alias(event, accounts[0], other) else LinkKind.TOGETHER
        yield LinkStatement(accounts[0], other, kind, base)
    primary = (accounts or mailboxes or people)[0]
    for family, key in families:
        if key != primary and family in (Family.ATTACHED, Family.DEVICE):
            evidence = _attached_evidence(key, sender, is_statement=is_statement)
            yield LinkStatement(primary, key, LinkKind.TOGETHER, evidence)


def _attached_evidence(key: IdentifierKey, sender: Sender, *, is_statement: bool) -> int:
    if key.kind == "card":
        return card_evidence(sender)
    if key.kind == PHONE and not is_statement:
        return NOTED
    return statement_evidence(sender)


def _is_alias(event: IncomingEvent, first: IdentifierKey, second: IdentifierKey) -> bool:
    return event.kind == "alias" and first.kind == second.kind == "user_id"


def _order_links(
    event: IncomingEvent,
    keys: Sequence[IdentifierKey],
    people: Sequence[IdentifierKey],
    sender: Sender,
) -> Iterator[LinkStatement]:
    """Yield the links of the sender's own orders with the strongest person of the event."""
    own_prefix = f"{sender.source_id}/"
    kind = LinkKind.PLACED if event.name == orders.PLACED else LinkKind.TOGETHER
    for order in keys if people else ():
        if order.kind == ORDER and order.value.startswith(own_prefix):
            yield LinkStatement(people[0], order, kind, max(NOTED, sender.evidence))
