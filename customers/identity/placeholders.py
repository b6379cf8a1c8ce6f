"""Finds the cards and numbers that stand for nobody, because owners state them with many mailboxes.

`customers.identity.regrouping` finds the accounts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import datetime

from customers import sql
from customers.identity import addresses
from customers.identity.families import PHONE, Family
from customers.identity.graph import GraphRow
from customers.identity.holders import Holder
from customers.types import STATED


def find_placeholders(rows: Iterable[GraphRow], holders: Iterable[Holder]) -> frozenset[int]:
    """Return the cards and numbers that owners stated with too many mailboxes in a year.

    An account counts as the mailbox that was stated first with it.
    """
    candidates = {row.id for row in rows if _could_be_placeholder(row)}
    stated: defaultdict[int, dict[int, Holder]] = defaultdict(dict)
    for holder in holders:
        if holder.identifier in candidates and holder.link.evidence == STATED:
            stated[holder.identifier].setdefault(holder.other.id, holder)
    many = {id_: by_end for id_, by_end in stated.items() if len(by_end) > addresses.MAX_MAILBOXES}
    accounts = {
        end
        for by_end in many.values()
        for end, holder in by_end.items()
        if holder.other.family is Family.ACCOUNT
    }
    mailboxes = _first_mailboxes(accounts)
    return frozenset(
        id_ for id_, by_end in many.items() if _has_many_mailboxes(by_end.values(), mailboxes)
    )


def _could_be_placeholder(row: GraphRow) -> bool:
    is_card_or_number = row.node.family is Family.ATTACHED and row.kind != PHONE
    return is_card_or_number and not row.is_suspect


def _first_mailboxes(accounts: Set[int]) -> dict[int, int]:
    if not accounts:
        return {}
    return dict(sql.rows("read_first_mailboxes", {"ids": sorted(accounts)}))


def _has_many_mailboxes(holders: Iterable[Holder], mailboxes: Mapping[int, int]) -> bool:
    times: dict[int, datetime] = {}
    for holder in holders:
        is_mailbox = holder.other.family is Family.MAILBOX
        mailbox = holder.other.id if is_mailbox else mailboxes.get(holder.other.id)
        if mailbox is not None:
            stated_at = holder.link.occurred_at
            times[mailbox] = min(stated_at, times.get(mailbox, stated_at))
    return addresses.is_placeholder(times)
