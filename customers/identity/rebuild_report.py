"""Describes, for the operator of a rebuild, why a record was split from another or joined one."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.identity.families import is_number
from customers.identity.links import LinkKind
from customers.identity.merging import Move
from customers.models import Source
from customers.types import CLAIMED, MAIN_SPACE_ID, NOTED, OPENED

_LINK_LIMIT = 20


class _End(NamedTuple):
    kind: str
    value: str
    is_placeholder: bool


class _LinkBetween(NamedTuple):
    """A link between two records, with both of its ends."""

    kind: str
    evidence: int
    state: str
    source: str
    first: _End
    second: _End


def describe_split(move: Move) -> str:
    """Return a line about a record that was split from another one."""
    links = _links_between(move.record_id, move.before) or _links_between(move.record_id)
    reason = _split_reason(links, _sources(links))
    return f"split {move.record_id} from {move.before}: {reason}"


def describe_joining(move: Move) -> str:
    """Return a line about a record that joined another one."""
    links = _links_between(move.record_id, move.after)
    reason = _joining_reason(links, _sources(links))
    return f"join {move.record_id} with {move.after}: {reason}"


def _links_between(first: UUID, second: UUID | None = None) -> list[_LinkBetween]:
    params = {"first": first, "second": second, "limit": _LINK_LIMIT}
    return [
        _LinkBetween(kind, evidence, state, source, _End(*ends[:3]), _End(*ends[3:]))
        for kind, evidence, state, source, *ends in sql.rows("read_links_between", params)
    ]


def _sources(links: Iterable[_LinkBetween]) -> Mapping[str, Source]:
    ids = {
        end.value.partition("/")[0]
        for link in links
        for end in (link.first, link.second)
        if is_number(end.kind)
    }
    return {str(source.pk): source for source in Source.objects.filter(pk__in=ids)}


def _split_reason(links: Iterable[_LinkBetween], sources: Mapping[str, Source]) -> str:
    """Return the reason of the strongest link that no longer joins."""
    for link in links:
        ends = f"{_name(link.first, sources)} and {_name(link.second, sources)}"
        if link.first.is_placeholder or link.second.is_placeholder:
            end = link.first if link.first.is_placeholder else link.second
            return f"{_name(end, sources)} came with more than 5 mailboxes, so it is a placeholder"
        if link.kind == LinkKind.EQUAL:
            return f"{ends} are {_equal_numbers(link, sources)}"
        if link.evidence == CLAIMED:
            return f"{link.source} only claimed {ends}: anybody can use its key"
        if link.evidence == NOTED:
            return f"{link.source} only noted {ends}, so they join no records"
        if link.state == "replaced":
            return f"{link.source} replaced the address in {ends}"
        if link.state == "contested":
            return f"{link.source} stated {ends}, but another record has one of them already"
    return "no statement of a source joins them"


def _equal_numbers(link: _LinkBetween, sources: Mapping[str, Source]) -> str:
    spaces = {
        source.space_id
        for end in (link.first, link.second)
        if (source := sources.get(end.value.partition("/")[0]))
    }
    if len(spaces) > 1:
        return "equal numbers of two spaces"
    if spaces == {MAIN_SPACE_ID}:
        return "equal numbers in main without a common e-mail"
    return "equal numbers of one space, but each has its own e-mail"


def _joining_reason(links: Iterable[_LinkBetween], sources: Mapping[str, Source]) -> str:
    for link in links:
        ends = f"{_name(link.first, sources)} and {_name(link.second, sources)}"
        if link.kind == LinkKind.EQUAL and link.state != "contested":
            return f"{ends} are equal numbers, and the sources mean the same customer"
        if link.state in ("joined", "attached"):
            verb = "proved" if link.evidence >= OPENED else "stated"
            return f"{link.source} {verb} {ends}"
    return "a decision of staff, or a chain of statements, joins them"


def _name(end: _End, sources: Mapping[str, Source]) -> str:
    if not is_number(end.kind):
        return f"{end.kind} {end.value}"
    source_id, _, number = end.value.partition("/")
    source = sources.get(source_id)
    return f"{end.kind} {number} of {source.name if source else source_id}"
