"""Why Butler merged two records, by the strongest link between their identifiers."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from customers.identity.families import is_number
from customers.identity.links import LinkKind
from customers.models import Identifier, Merge
from customers.types import CONFIRMED, OPENED

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
    """Return the reason of each of these merges. It takes two statements, however many there are."""
    merges = list(Merge.objects.filter(pk__in=list(merge_ids)))
    ids = {link[end] for merge in merges for link in merge.links for end in ("first", "second")}
    rows = Identifier.objects.filter(pk__in=ids).values_list("id", "kind", "value") if ids else ()
    ends = {id_: _End(kind, value) for id_, kind, value in rows}
    return {merge.pk: _reason(merge, ends) for merge in merges}


def _reason(merge: Merge, ends: Mapping[int, _End]) -> MergeReason:
    if merge.reason in (Merge.Reason.STAFF, Merge.Reason.UNDO, Merge.Reason.CLAIM):
        # The database column has these three values among others.
        return MergeReason(merge.reason)  # type: ignore[arg-type]
    links = [link for link in merge.links if {link["first"], link["second"]} <= ends.keys()]
    if not links:
        return MergeReason("proof" if merge.reason == Merge.Reason.PROOF else "statement")
    link = max(links, key=lambda link: link["evidence"])
    return _link_reason(link, ends)


def _link_reason(link: Mapping[str, Any], ends: Mapping[int, _End]) -> MergeReason:
    pair = [ends[link["first"]], ends[link["second"]]]
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
