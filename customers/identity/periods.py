"""The periods of an address. Pure.

A period ends by an erasure, or when people took the address off the last account that had it. The
next period starts empty, and the past stays closed.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from customers.identity.families import JOINING_FAMILIES, PHONE, Family
from customers.identity.link_rules import (
    families,
    has_sufficient_evidence,
    is_across_erasures,
)
from customers.identity.links import IdentifierLink, IdentifierNode, LinkKind, ManualDecision, Pair
from customers.identity.separations import first_pair, first_periods, separated_since
from customers.types import CONFIRMED


class Period(NamedTuple):
    """A period after the first one, which has the number 0 and no start."""

    starts_at: datetime
    number: int


def period_at(periods: Iterable[Period], moment: datetime) -> int:
    """Return the number of the period in which a moment lies."""
    begun = [period for period in periods if period.starts_at <= moment]
    return max(begun).number if begun else 0


def continued_periods(
    by_id: Mapping[int, IdentifierNode],
    links: Iterable[IdentifierLink],
    decisions: Iterable[ManualDecision],
    records: Mapping[int, Hashable] | None = None,
) -> list[IdentifierLink]:
    """Return the links between two periods of an address that are one, because none of them ended.

    A separation begins a period. The one before ended only if the address was proved for an account
    that it was taken off, and no other account had it then. A stranger who states an address and
    takes it off therefore closes no past of its holder. A phone that is taken off one identifier of
    a record is taken off the record.

    links: those between periods, and all links of these periods
    records: the record of each account and mailbox, by any value; needed for phones only
    """
    links, decisions = list(links), list(decisions)
    borders = sorted(link for link in links if link.kind == LinkKind.PERIOD)
    if not borders:
        return []
    since = separated_since(links, decisions)
    firsts = first_periods(borders)
    records = records or {}
    phones_since = _phones_since(by_id, since, records)
    addresses = [
        link
        for link in links
        if {link.first, link.second} <= by_id.keys() and _is_address(by_id, link)
    ]
    continued: list[IdentifierLink] = []
    for border in borders:
        periods = _periods_before(border, continued)
        removed_at = [
            (link, _removal(link, first_pair(link.pair, firsts), since, phones_since, records))
            for link in addresses
            if link.first in periods or link.second in periods
        ]
        if not _has_ended(by_id, border, removed_at):
            continued.append(border)
    return continued


# A phone by its first period, and a record.
type _PhoneOfRecord = tuple[int, Hashable]


def _phones_since(
    by_id: Mapping[int, IdentifierNode],
    since: Mapping[Pair, datetime],
    records: Mapping[int, Hashable],
) -> dict[_PhoneOfRecord, datetime]:
    """Return since when people keep phones apart from records, by one identifier of each record."""
    phones_since: dict[_PhoneOfRecord, datetime] = {}
    for pair, time in since.items():
        for phone, holder in (pair, pair[::-1]):
            record = records.get(holder)
            if record is not None and phone in by_id and by_id[phone].kind == PHONE:
                phone_of_record = phone, record
                phones_since[phone_of_record] = min(time, phones_since.get(phone_of_record, time))
    return phones_since


def _removal(
    link: IdentifierLink,
    pair: Pair,
    since: Mapping[Pair, datetime],
    phones_since: Mapping[_PhoneOfRecord, datetime],
    records: Mapping[int, Hashable],
) -> datetime | None:
    """Return when an address was taken off a holder, or a phone off the record of the holder.

    pair: the two ends of the link, by their first periods
    """
    if pair in since:
        return since[pair]
    times = [
        time
        for phone, holder in (pair, pair[::-1])
        if (record := records.get(holder)) is not None
        and (time := phones_since.get((phone, record)))
        and not (link.own_proof_at and link.own_proof_at > time)
    ]
    return min(times, default=None)


def _is_address(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether a link says that a mailbox or a phone is, or was, the address of a holder."""
    return (
        link.kind == LinkKind.TOGETHER
        and (families(by_id, link) == {Family.ACCOUNT, Family.MAILBOX} or _is_phone(by_id, link))
        and has_sufficient_evidence(by_id, link)
    )


def _is_phone(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether a link connects a phone with an account or a mailbox."""
    ends = by_id[link.first], by_id[link.second]
    return any(end.kind == PHONE for end in ends) and any(
        end.family in JOINING_FAMILIES for end in ends
    )


def _periods_before(border: IdentifierLink, continued: Iterable[IdentifierLink]) -> set[int]:
    """Return the periods before a border that are one, by their ids."""
    periods = {border.first}
    for earlier in sorted(continued, reverse=True):
        if earlier.second in periods:
            periods.add(earlier.first)
    return periods


def _has_ended(
    by_id: Mapping[int, IdentifierNode],
    border: IdentifierLink,
    removed_at: Sequence[tuple[IdentifierLink, datetime | None]],
) -> bool:
    """Tell whether a period ended at a border, by its links and the times of their removal."""
    if is_across_erasures(by_id, *border.pair):
        return True
    was_proved = False
    for link, time in removed_at:
        if time is not None and time <= border.occurred_at:
            # A code that opened the account proved the mailbox only, so its holder stays.
            was_proved |= link.evidence >= CONFIRMED
        elif not is_across_erasures(by_id, *link.pair) and (link.is_proved or link.is_current):
            return False
    return was_proved
