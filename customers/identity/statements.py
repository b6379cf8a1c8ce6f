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
from customers.identity.short_text_cache import ShortTextCache
from customers.projections import orders
from customers.types import (
    ACCOUNT_OPENED,
    ADDRESS_CONFIRMED,
    BUTLER_SOURCE_ID,
    CLAIMED,
    CONFIRMED,
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


class _Facts(NamedTuple):
    """The facts about an event that its links depend on, beside its identifiers.

    Contacts in other events than `identify` are only noted: an order may name a friend's address.
    """

    is_placed: bool = False
    is_moved: bool = False
    is_statement: bool = False
    is_alias: bool = False
    # The customer proved all identifiers of the event in one session of Butler.
    is_own_proof: bool = False
    address_evidence: int = NOTED


_NO_STATEMENT = _Facts()
# The names of other events than statements whose links differ.
_NAMES = frozenset({orders.PLACED, *orders.MOVING, ACCOUNT_OPENED})


type Statements = dict[LinkStatement, LinkTime]


type LinkArguments = tuple[tuple[IdentifierKey, ...], _Facts, Sender]

# Customers send many events that state the same.
_cached_links: ShortTextCache[LinkArguments, tuple[LinkStatement, ...]] = ShortTextCache()


def links_of(events: Iterable[StatedEvent], sender: Sender) -> Statements:
    """Return the links of these events, each with its earliest and its last time."""
    statements: Statements = {}
    for event, keys, arrival, repeated_at in events:
        occurred_at = event.occurred_at
        time = LinkTime(occurred_at, arrival, repeated_at or occurred_at)
        for link in _links(event, keys, sender):
            earlier_time = statements.get(link)
            statements[link] = time.including(earlier_time) if earlier_time else time
    return statements


def _links(
    event: IncomingEvent, keys: tuple[IdentifierKey, ...], sender: Sender
) -> tuple[LinkStatement, ...]:
    # An event with one identifier links nothing.
    if len(keys) < 2:
        return ()
    return links_from(link_arguments(event, keys, sender))


def link_arguments(
    event: IncomingEvent, keys: tuple[IdentifierKey, ...], sender: Sender
) -> LinkArguments:
    """Return all that the links of an event follow from."""
    return keys, _facts(event, sender), sender


def links_from(arguments: LinkArguments) -> tuple[LinkStatement, ...]:
    """Return the links that follow from `link_arguments`."""
    links = _cached_links.get(arguments)
    if links is None:
        links = tuple(_stated_links(*arguments))
        _cached_links.store(arguments, links, length=sum(len(key.value) for key in arguments[0]))
    return links


def _facts(event: IncomingEvent, sender: Sender) -> _Facts:
    is_statement = event.kind in STATEMENTS
    # Most events are neither statements nor named in a rule.
    if not is_statement and event.name not in _NAMES:
        return _NO_STATEMENT
    verified = (event.traits or {}).get("email_verified")
    address = address_evidence(sender, verified) if is_statement else NOTED
    is_own = sender.source_id == BUTLER_SOURCE_ID
    if event.name == ACCOUNT_OPENED and is_own:
        address = OPENED
    return _Facts(
        is_placed=event.name == orders.PLACED,
        is_moved=event.name in orders.MOVING,
        is_statement=is_statement,
        is_alias=event.kind == "alias",
        is_own_proof=event.name == ADDRESS_CONFIRMED and is_own,
        address_evidence=address,
    )


def _stated_links(
    keys: tuple[IdentifierKey, ...], facts: _Facts, sender: Sender
) -> Iterator[LinkStatement]:
    people = [key for key in keys if key.kind != ORDER]
    if sender.evidence == CLAIMED:
        yield from _claimed_links(people, sender)
    elif people:
        yield from _owner_links(people, facts, sender)
    if people:
        yield from _order_links(people[0], keys, facts, sender)


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
    people: Sequence[IdentifierKey], facts: _Facts, sender: Sender
) -> Iterator[LinkStatement]:
    """Yield the links between accounts, mailboxes, attached ids and devices of one event."""
    base = statement_evidence(sender)
    families = [
        (family_of(key.kind, has_several_ids=sender.has_several_ids), key) for key in people
    ]
    accounts = [key for family, key in families if family is Family.ACCOUNT]
    mailboxes = [key for family, key in families if family is Family.MAILBOX]
    for account in accounts:
        for mailbox in mailboxes:
            yield LinkStatement(account, mailbox, LinkKind.TOGETHER, facts.address_evidence)
    for other in accounts[1:]:
        is_alias = facts.is_alias and accounts[0].kind == other.kind == "user_id"
        kind = LinkKind.ALIAS if is_alias else LinkKind.TOGETHER
        yield LinkStatement(accounts[0], other, kind, base)
    primary = (accounts or mailboxes or people)[0]
    for family, key in families:
        if key != primary and family in (Family.ATTACHED, Family.DEVICE):
            evidence = _attached_evidence(key, sender, facts)
            yield LinkStatement(primary, key, LinkKind.TOGETHER, evidence)


def _attached_evidence(key: IdentifierKey, sender: Sender, facts: _Facts) -> int:
    if key.kind == "card":
        return card_evidence(sender)
    if key.kind == PHONE and facts.is_own_proof:
        return CONFIRMED
    if key.kind == PHONE and not facts.is_statement:
        return NOTED
    return statement_evidence(sender)


def _order_links(
    person: IdentifierKey, keys: Iterable[IdentifierKey], facts: _Facts, sender: Sender
) -> Iterator[LinkStatement]:
    """Yield the links of the sender's own orders with the strongest person of the event."""
    own_prefix = f"{sender.source_id}/"
    kind = LinkKind.PLACED if facts.is_placed else LinkKind.TOGETHER
    if facts.is_moved and sender.evidence == VERIFIED and person.kind not in WEAK_KINDS:
        kind = LinkKind.MOVED
    for order in keys:
        if order.kind == ORDER and order.value.startswith(own_prefix):
            yield LinkStatement(person, order, kind, max(NOTED, sender.evidence))
