"""Why Butler merged two records, by the strongest link between their identifiers."""

from collections.abc import Iterable, Mapping, Set
from typing import Any, Literal, NamedTuple
from uuid import UUID

from customers.identity.families import is_number
from customers.identity.links import LinkKind
from customers.models import Identifier, ManualDecision, Merge
from customers.types import CONFIRMED, OPENED, WEAK_KINDS

type ReasonCode = Literal[
    "staff", "undo", "claim", "code", "mailbox", "phone", "card", "number", "proof", "statement"
]


class MergeReason(NamedTuple):
    """The kind of the link that joined two records, and its masked end if that is confirmed."""

    code: ReasonCode
    masked: str = ""


class _End(NamedTuple):
    kind: str
    value: str


def merge_reasons(merge_ids: Iterable[int]) -> dict[int, MergeReason]:
    """Return the reason of each of these merges.

    A record that moved along with another one, which staff merged or separated again, has the
    reason of its own links. It takes three statements, however many merges there are.
    """
    merges = list(Merge.objects.filter(pk__in=list(merge_ids)))
    ids = {link[end] for merge in merges for link in merge.links for end in ("first", "second")}
    rows = Identifier.objects.filter(pk__in=ids).values_list("id", "kind", "value") if ids else ()
    ends = {id_: _End(kind, value) for id_, kind, value in rows}
    decided = _decided_records(merges)
    return {merge.pk: _reason(merge, ends, decided) for merge in merges}


def _decided_records(merges: Iterable[Merge]) -> set[UUID]:
    """Return the records whose identifiers staff named when they made these merges."""
    moments = {merge.merged_at for merge in merges if merge.reason == Merge.Reason.STAFF}
    if not moments:
        return set()
    decisions = ManualDecision.objects.filter(decided_at__in=moments)
    pairs = decisions.values_list("first__record", "second__record")
    return {record for pair in pairs for record in pair}


def _reason(merge: Merge, ends: Mapping[int, _End], decided: Set[UUID]) -> MergeReason:
    links = [link for link in merge.links if {link["first"], link["second"]} <= ends.keys()]
    if merge.reason == Merge.Reason.CLAIM:
        return MergeReason("claim")
    if merge.reason == Merge.Reason.STAFF and (not links or merge.record_id in decided):
        return MergeReason("staff")
    if links:
        return _link_reason(max(links, key=lambda link: link["evidence"]), ends)
    if merge.reason == Merge.Reason.UNDO:
        return MergeReason("undo")
    return MergeReason("proof" if merge.reason == Merge.Reason.PROOF else "statement")


def _link_reason(link: Mapping[str, Any], ends: Mapping[int, _End]) -> MergeReason:
    pair = [ends[link["first"]], ends[link["second"]]]
    if any(end.kind in WEAK_KINDS for end in pair):
        # The anonymous activity of a device.
        return MergeReason("claim")
    end = next((end for kind in _CODES for end in pair if end.kind == kind), None)
    masked = _masked(end) if end and link["evidence"] >= CONFIRMED else ""
    if link["evidence"] == OPENED:
        return MergeReason("code", masked)
    if end:
        return MergeReason(_CODES[end.kind], masked)
    is_numbers = link["kind"] in (LinkKind.EQUAL, LinkKind.ALIAS) or is_number(pair[0].kind)
    return MergeReason("number" if is_numbers else "statement")


# The first kind of an end of a link names the link.
_CODES: Mapping[str, ReasonCode] = {"phone": "phone", "card": "card", "email": "mailbox"}


def _masked(end: _End) -> str:
    """Return the value of an end without the characters that would tell it to a stranger."""
    if end.kind != "email":
        return f"…{end.value[-2:]}"
    mailbox, _, domain = end.value.rpartition("@")
    return f"{mailbox[:1]}…@{domain}"
