"""Identifiers, the links between them, and the decisions of people about them. Pure values."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from customers.identity.families import Family, family_of, filing_rank, is_number
from customers.types import OPENED

# The ids of two identifiers, the smaller one first.
type Pair = tuple[int, int]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class IdentifierKey(NamedTuple):
    """An identifier with its normalized value. The database may or may not contain it."""

    kind: str
    # A number is `<source id>/<number>`, because two sources may use the same number.
    value: str
    # CLAIMED or VERIFIED: a claim is another identifier than the value it names.
    evidence: int
    # 0 for the first period of an address; the later ones count from 1.
    period: int = 0


class IdentifierNode(NamedTuple):
    """One stored identifier, and the space of the source that gave it."""

    id: int
    kind: str
    value: str
    space_id: int = 0
    # False for the space `main`, which nobody named.
    has_named_space: bool = False
    has_several_ids: bool = False
    # A number from a source that owns no space, such as a till: it joins nothing.
    is_noted: bool = False
    # A placeholder such as "guest": owners state it with more mailboxes than one person has.
    is_placeholder: bool = False
    # The erasure that ended this identifier; 0 if none did.
    erasure_id: int = 0

    @property
    def family(self) -> Family:
        """The family of the kind, which decides what a link may join."""
        return family_of(self.kind, has_several_ids=self.has_several_ids)

    @property
    def number(self) -> str:
        """The number without its source; for other kinds, the value."""
        return self.value.partition("/")[2] if is_number(self.kind) else self.value

    @property
    def source(self) -> str:
        """The id of the source of a number, as text."""
        return self.value.partition("/")[0] if is_number(self.kind) else ""

    @property
    def rank(self) -> int:
        """The place of the identifier in the order of filing, the strongest first."""
        return filing_rank(self.kind, has_several_ids=self.has_several_ids)

    @property
    def order(self) -> tuple[int, str, str, int]:
        """The key for sorting. The id decides only between periods: it depends on the arrival."""
        return self.rank, self.kind, self.value, self.id


class LinkKind(StrEnum):
    """Why two identifiers are linked, as customers.models.LinkKind stores it."""

    # They came in one event.
    TOGETHER = "seen"
    # An owner said in `alias` that two of its numbers are one account.
    ALIAS = "alias"
    # Two sources of one space gave the same number.
    EQUAL = "equal"
    # An order, and the identifier that placed it.
    PLACED = "placed"
    # An order, and the identifier that a later event of its source says it is for.
    MOVED = "moved"
    # Two periods of one address, from the start of the later one.
    PERIOD = "period"


class LinkTime(NamedTuple):
    """When events stated a link: the earliest event, and the time of the last one."""

    occurred_at: datetime
    # customers.events.arrival: decides between statements of the same moment.
    arrival: int
    last_at: datetime

    def including(self, other: "LinkTime") -> "LinkTime":
        """Return the time of a link that both statements make."""
        earliest = min(self, other, key=lambda time: time[:2])
        return earliest._replace(last_at=max(self.last_at, other.last_at))


class IdentifierLink(NamedTuple):
    """A statement that two identifiers belong together, at its earliest time."""

    first: int
    second: int
    evidence: int
    kind: str = LinkKind.TOGETHER
    occurred_at: datetime = _EPOCH
    # customers.events.arrival: decides between statements of the same moment.
    arrival: int = 0
    source_id: int = 0
    # False if the source has replaced this address of the account by another one.
    is_current: bool = True
    # The last time at which the customer proved both ends in one session of Butler.
    own_proof_at: datetime | None = None

    @property
    def pair(self) -> Pair:
        return pair_of(self.first, self.second)

    @property
    def is_proved(self) -> bool:
        """True if the evidence is opened or confirmed."""
        return self.evidence >= OPENED

    @property
    def order(self) -> tuple[datetime, int]:
        """The key for sorting: the earliest first."""
        return self.occurred_at, self.arrival


class DecisionKind(StrEnum):
    MERGE = "merge"
    SEPARATE = "separate"


class ManualDecision(NamedTuple):
    """A decision of a person about two identifiers. `number` counts the decisions."""

    kind: str
    first: int
    second: int
    decided_at: datetime
    number: int

    @property
    def pair(self) -> Pair:
        return pair_of(self.first, self.second)


def equal_number_time(first_source: int, second_source: int) -> LinkTime:
    """Return the time of the link between equal numbers of two sources.

    It does not depend on which source named the number first.
    """
    first, second = sorted((first_source, second_source))
    return LinkTime(_EPOCH, first * 1_000_000 + second, _EPOCH)


def pair_of(first: int, second: int) -> Pair:
    """Return both ids as a pair, the smaller one first."""
    return (first, second) if first < second else (second, first)


def last_decisions(decisions: Iterable[ManualDecision]) -> dict[Pair, ManualDecision]:
    """Return the last decision about each pair, in the order of the decisions."""
    ordered = sorted(decisions, key=lambda decision: (decision.decided_at, decision.number))
    latest: dict[Pair, ManualDecision] = {}
    for decision in ordered:
        latest.pop(decision.pair, None)
        latest[decision.pair] = decision
    return latest
