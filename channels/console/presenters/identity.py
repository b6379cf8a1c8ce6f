"""Why a record is one customer, in sentences for staff. No database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.console.presenters import labels
from customers.actions.identity_previews import RecordPreview
from customers.queries.identity import ContestedLinkShape, HeldIdentifierShape, ManualDecisionShape

# The kinds that join records, in the order in which one of them stands for the record.
_JOINING = ("user_id", "external", "email")
_ACCOUNTS = ("user_id", "external")
_ATTACHED = ("card", "phone")
_EVIDENCE = {
    "confirmed": "confirmed by the customer or by a source that checks addresses",
    "opened": "opened by the customer with a code",
    "stated": "stated by a source about its own customer",
    "noted": "noted by a colleague, a till or a file",
    "claimed": "claimed by a browser or an app, not verified",
}
_DECISIONS = {"merge": "Merged", "separate": "Separated"}


@dataclass(frozen=True, slots=True)
class ContestedRow:
    """A link that the rules refuse, and the identifier to separate from this account, if any."""

    # The other side, with its value.
    other: str
    sentence: str
    removable_id: int | None = None


@dataclass(frozen=True, slots=True)
class IdentifierRow:
    """One identifier of a record, why the record has it, and the identifier to separate it from."""

    id: int
    name: str
    evidence: str
    is_verified: bool
    reason: str
    contested: Sequence[ContestedRow]
    separate_from: int | None
    is_order: bool


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision of a person about two identifiers."""

    id: int
    sentence: str
    reason: str
    decided_at: datetime
    undone: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record before or after a change."""

    name: str
    # The numbers of its events and orders.
    size: str
    identifiers: Sequence[IdentifierRow]


def record_row(record: RecordPreview) -> RecordRow:
    """Return a record before or after a change, as the page shows it."""
    orders = {row.value for row in record.identifiers if row.kind == "order"}
    size = ", ".join([_count(record.events, "event"), _count(len(orders), "order")])
    others = [row for row in record.identifiers if row.kind != "order"]
    return RecordRow(record.name, size, identifier_rows(others))


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def identifier_rows(identifiers: Sequence[HeldIdentifierShape]) -> list[IdentifierRow]:
    """Return the identifiers of a record for staff, the accounts first."""
    main = sorted(
        (row for row in identifiers if row.held_by == "joined" and _family(row.kind) in _JOINING),
        key=lambda row: (_JOINING.index(_family(row.kind)), row.first_seen_at, row.id),
    )
    others = [row for row in identifiers if row not in main]
    return [_row(row, [other.id for other in main if other.id != row.id]) for row in main + others]


def _row(row: HeldIdentifierShape, others: Sequence[int]) -> IdentifierRow:
    held_by = "Joined" if row.held_by == "joined" else "Attached to this record"
    return IdentifierRow(
        id=row.id,
        name=f"{kind_name(row.kind)} {row.value}" + (f" of {row.source}" if row.source else ""),
        evidence=row.evidence,
        is_verified=row.is_verified,
        reason=f"{held_by}: {_EVIDENCE[row.evidence]}",
        contested=[_contested(row.kind, link) for link in row.contested],
        separate_from=others[0] if others else None,
        is_order=row.kind == "order",
    )


def _contested(kind: str, link: ContestedLinkShape) -> ContestedRow:
    """Return a contested link, with the name of its other side if staff may know its value."""
    other = f"{kind_name(link.kind)} {link.value}" if link.value else ""
    if link.kind in _ATTACHED and _family(kind) in _ACCOUNTS:
        sentence = f"{link.source} gave this {_noun(link.kind)} for this account."
        return ContestedRow(other, f"{sentence} Another record has it, too.", link.id)
    return ContestedRow(other, _sentence(kind, link))


def _sentence(kind: str, link: ContestedLinkShape) -> str:
    if link.value:
        return f"It is of another record and has this {_noun(kind)}, confirmed by {link.source}."
    if link.kind == "email":
        return f"{link.source} states an address that another record has."
    if link.occurred_at is None:
        return f"Another customer of {link.source} has the same number."
    return f"Another {_noun(link.kind)} states this {_noun(kind)} ({link.source})."


def decision_rows(decisions: Iterable[ManualDecisionShape]) -> list[DecisionRow]:
    """Return the decisions about a record for staff."""
    return [
        DecisionRow(
            id=decision.id,
            sentence=f"{_DECISIONS[decision.kind]} by {_actor(decision.actor)}: "
            f"{_short(decision.first)} and {_short(decision.second)}",
            reason=decision.reason,
            decided_at=decision.decided_at,
            undone=_undone(decision),
        )
        for decision in decisions
    ]


def _undone(decision: ManualDecisionShape) -> str:
    if decision.undone_at is None:
        return ""
    reason = f": {decision.undone_reason}" if decision.undone_reason else ""
    return f"Undone by {_actor(decision.undone_by)}{reason}"


def _actor(actor: str) -> str:
    return labels.actor_name(actor) or "the customer"


def _short(identifier: str) -> str:
    """Return the kind and the value of an identifier, without the id of its source."""
    kind, _, value = identifier.partition(":")
    if kind == "external":
        kind, _, value = value.partition(":")
    is_number = kind not in ("email", "phone", "card", "device", "anonymous_id")
    return f"{kind_name(kind)} {value.partition('/')[2] if is_number and '/' in value else value}"


def kind_name(kind: str) -> str:
    """Return the name of a kind of identifier."""
    names = {"anonymous_id": "Browser", "device": "Device"}
    system = kind.removeprefix("external:")
    return labels.IDENTIFIER_KINDS.get(kind) or names.get(kind) or system.capitalize()


def _noun(kind: str) -> str:
    nouns = {"email": "address", "phone": "phone", "card": "card"}
    return nouns.get(kind, "account" if _family(kind) in _JOINING else "identifier")


def _family(kind: str) -> str:
    return kind.partition(":")[0]
