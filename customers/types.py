"""The types that other apps exchange with this one: frozen values without Django.

`customers.ingest` takes a `Sender` and `IncomingEvent`s, and returns an `IngestedBatch`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

# The evidence for an identifier, a link or a trait. A claim is not a proof: docs/adr/0007.
# VERIFIED is the class of events, traits, orders and identifiers that are no claims.
CLAIMED = 1
VERIFIED = 2
# The evidence of a link between two identifiers, the strongest last: docs/reference/identity.md.
NOTED = 20
STATED = 30
OPENED = 40
CONFIRMED = 50

# The space of sources that name none (migration 0020).
MAIN_SPACE_ID = 1
MAIN_SPACE = "main"

# The source of Butler's own events (migration 0002).
BUTLER_SOURCE_ID = 1

# The names of the sources through which Butler and its staff write, and signed-in customers.
BUTLER_SOURCE, STAFF_CONSOLE, STAFF_APP = "butler", "staff console", "staff app"
CUSTOMER_PORTAL, CUSTOMER_APP = "customer portal", "customer app"
STAFF_SOURCES = frozenset({BUTLER_SOURCE, STAFF_CONSOLE, STAFF_APP})
CUSTOMER_SOURCES = frozenset({CUSTOMER_PORTAL, CUSTOMER_APP})

# The reason of re-filing the events of an order with it to another customer.
ORDER_MOVED = "order moved"

# Channels of systems that know their own customers. A channel that is in neither list counts as one.
OWNER_CHANNELS = frozenset({"app", "site", "web", "server"})

# Channels whose staff or files write about customers of other systems.
DESK_CHANNELS = frozenset(
    {"till", "store", "phone", "desk", "kiosk", "import", "partner", "console"}
)

# The channels that a new source may have. Only Butler itself is the source of the console.
SOURCE_CHANNELS = (OWNER_CHANNELS | DESK_CHANNELS) - {"console"}

# Channels of devices in the company's buildings, whose times are local.
TILL_CHANNELS = frozenset({"till", "store", "kiosk"})

# The states of an order that the customer comes with.
OPEN_ORDER_STATUSES = ("placed", "amended", "partly_refunded")

# The status and the reason of an event about an erased customer. Butler does not store it.
ERASED: Literal["erased"] = "erased"

# Butler's event that a customer proved a mailbox, and that an account which states it opened thereby.
ADDRESS_PROVED = "Address Proved"
ACCOUNT_OPENED = "Account Opened"
# Butler's event that a customer proved a mailbox in a session that opened the account.
ADDRESS_CONFIRMED = "Address Confirmed"
# Butler's event that the holder of an address, or staff, showed that its earlier history is hers.
HISTORY_OPENED = "Earlier History Opened"

# Kinds that identify a browser or a device, not a person. They never count as proof.
WEAK_KINDS = frozenset({"anonymous_id", "device"})

Kind = Literal["track", "identify", "page", "screen", "group", "alias", "identity"]

# The kind of the events of consents, objections and preferences. The log cannot be changed, and holds
# an older word for it. Answers, streams and filters show the term.
CONSENT_KIND = "control"
_TERM_BY_STORED_KIND = {CONSENT_KIND: "consent"}
_STORED_KIND_BY_TERM = {term: stored for stored, term in _TERM_BY_STORED_KIND.items()}


def kind_term(stored_kind: str) -> str:
    """Return the term that answers show for the kind of an event in the log."""
    return _TERM_BY_STORED_KIND.get(stored_kind, stored_kind)


def stored_kind(term: str) -> str:
    """Return the kind in the log for a term in a request."""
    return _STORED_KIND_BY_TERM.get(term, term)


class Sender(msgspec.Struct, frozen=True):
    """A source that sends events, and what its key allows."""

    source_id: int
    name: str
    channel: str
    is_trusted: bool = False
    is_shared: bool = False
    default_region: str | None = None
    scopes: frozenset[str] = frozenset({"ingest"})
    # A secret key may lack the scope `identify`; then its sender is not trusted.
    is_secret: bool = False
    # The space of the numbers of customers that the source sends.
    space_id: int = MAIN_SPACE_ID
    space: str = MAIN_SPACE
    has_several_ids: bool = False
    # How the source knows its addresses: "checked", "stated", "unchecked", or "" by its channel.
    addresses: str = ""
    # Whether the numbers of its orders start again each year.
    has_yearly_orders: bool = False
    # Whether the source gives out the numbers of its space: see `owns_its_space`.
    is_owner: bool = False

    @property
    def is_public(self) -> bool:
        """Tell whether the key is publishable: everybody can read it in an app or a page."""
        return not (self.is_secret or self.is_trusted)

    @property
    def evidence(self) -> int:
        """The evidence of all events from this sender: VERIFIED or CLAIMED."""
        return VERIFIED if self.is_trusted else CLAIMED


def owns_its_space(*, channel: str, is_shared: bool, is_trusted: bool) -> bool:
    """Tell whether a source gives out the numbers of customers in its space.

    Tills, desks, kiosks, imports and partners only pass on numbers that another source gave out.
    """
    return is_trusted and not is_shared and channel not in DESK_CHANNELS


class IncomingEvent(msgspec.Struct, frozen=True, gc=False):
    """One event that is ready to be stored.

    `body` is the unchanged JSON object, within the limits of `channels.ingest.limits`.
    `body_hash` (16 bytes) covers the fields that stay the same if a client sends the event again.
    `occurred_at` has a time zone, is corrected for the sender's clock, and is never in the future.
    """

    message_id: str
    kind: str
    name: str
    identifiers: tuple[tuple[str, str], ...]
    occurred_at: datetime
    body: bytes
    body_hash: bytes
    traits: dict[str, object] | None = None
    about: str = ""
    actor: str = ""
    # The kind and the stored value of the identifier for which a customer token speaks.
    proved_identifier: tuple[str, str] | None = None
    # The code of the warning about a customer token that proved nothing.
    token_fault: str = ""
    # The codes of what Butler cannot read in its properties (customers.projections.doubts).
    doubts: tuple[str, ...] = ()
    # The codes of tickets that the event states, by guest. The body does not contain them.
    ticket_codes: tuple[tuple[str, str], ...] = ()


class RejectedItem(msgspec.Struct, frozen=True):
    """An item that cannot become an event, unchanged and with the reason."""

    raw: bytes
    reason: str
    detail: str = ""
    message_id: str = ""


class IngestOutcome(NamedTuple):
    """The outcome of one item: its place on a log, or the reason why it has none."""

    status: Literal["accepted", "duplicate", "other_content", "quarantined", "erased"]
    customer_id: UUID | None = None
    version: int | None = None
    reason: str = ""


# The code of the warning about an event name that looks like a known one, before the known name.
SIMILAR_NAME = "similar_name"


class IngestWarning(msgspec.Struct, frozen=True):
    """A kind of fault in stored events, which their sender can correct.

    The code SIMILAR_NAME has the known name behind a colon, and the sent name as its example.
    """

    code: str
    count: int
    # The message id of an event with this fault.
    example: str


class IngestedBatch(NamedTuple):
    """The outcomes of a batch, in the order of its items, and what its sender can correct."""

    outcomes: Sequence[IngestOutcome]
    # The number of the rejected items that are in quarantine.
    rejected: int = 0
    warnings: Sequence[IngestWarning] = ()
    # The places of the rejected items that Butler did not store, because they are about an erased
    # customer.
    erased_items: frozenset[int] = frozenset()

    @property
    def accepted(self) -> int:
        """The number of new events of the batch."""
        return sum(outcome.status == "accepted" for outcome in self.outcomes)

    @property
    def duplicates(self) -> int:
        """The number of events that were stored before."""
        return sum(outcome.status == "duplicate" for outcome in self.outcomes)

    @property
    def quarantined(self) -> int:
        """The number of items in quarantine, including reused message ids with other content."""
        statuses = ("quarantined", "other_content")
        return self.rejected + sum(outcome.status in statuses for outcome in self.outcomes)


def merge_warnings(warnings: Iterable[IngestWarning]) -> list[IngestWarning]:
    """Return one warning for each code, in the order of the codes, with the first example."""
    merged: dict[str, IngestWarning] = {}
    for warning in warnings:
        if before := merged.get(warning.code):
            count = before.count + warning.count
            merged[warning.code] = msgspec.structs.replace(before, count=count)
        else:
            merged[warning.code] = warning
    return [merged[code] for code in sorted(merged)]


class LogEntry(msgspec.Struct, gc=False):
    """One event with its version on a customer's log: the columns of append_events.sql.

    `message_key` and `body_hash` are 32 hex digits.
    """

    customer_id: UUID
    version: int
    origin_id: UUID | None
    message_id: str
    message_key: str
    body_hash: str
    kind: str
    name: str
    about: str
    actor: str
    identifier_ids: list[int]
    occurred_at: datetime
    # The order of events with the same time: customers.events.arrival.
    arrival: int
    body: msgspec.Raw


class OpenedRecord(NamedTuple):
    """The part of one live record that a session opens (customers.identity.opening_rules)."""

    live_id: UUID
    identifier_ids: frozenset[int]
    # The accounts among them, sorted. Empty if only a mailbox or a phone opens.
    account_ids: tuple[int, ...]
    # The records whose events the session reads.
    record_ids: frozenset[UUID]
    # The opened addresses: the session reads the messages that were sent to them.
    addresses: frozenset[str]
    # The identifiers that it may see: the opened ones, and those that they were stated with.
    listed_ids: frozenset[int]
    # The mailboxes among them that stay closed: a code for one of them opens it.
    closed_mailboxes: tuple[str, ...]
    # True if nothing of the record stays closed.
    is_whole: bool
    # True if the session opens what is about the record as a whole: consents and inbox messages.
    has_contact: bool
    # Of these records and addresses it opens only what is later than `opened_since`: nothing came from
    # the mailbox for a year before that time, so another person may have it now.
    later_record_ids: frozenset[UUID] = frozenset()
    later_addresses: frozenset[str] = frozenset()
    opened_since: datetime | None = None

    @property
    def has_closed_past(self) -> bool:
        """True if the session has to show one more fact for the earlier history."""
        return self.opened_since is not None
