"""Finds the cards and numbers that stand for nobody, because owners state them with many mailboxes.

`customers.identity.account_placement` finds the accounts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import datetime

from customers import sql
from customers.identity import addresses
from customers.identity.attaching_links import AttachingLink
from customers.identity.families import PHONE, Family
from customers.identity.graph import GraphRow
from customers.types import STATED


def find_placeholders(
    rows: Iterable[GraphRow], attaching_links: Iterable[AttachingLink]
) -> frozenset[int]:
    """Return the cards and numbers that owners stated with too many mailboxes in a year.

    An account counts as the mailbox that was stated first with it.
    """
    candidates = {row.id for row in rows if _could_be_placeholder(row)}
    stated: defaultdict[int, dict[int, AttachingLink]] = defaultdict(dict)
    for attaching in attaching_links:
        if attaching.identifier in candidates and attaching.link.evidence == STATED:
            stated[attaching.identifier].setdefault(attaching.other.id, attaching)
    many = {id_: by_end for id_, by_end in stated.items() if len(by_end) > addresses.MAX_MAILBOXES}
    accounts = {
        end
        for by_end in many.values()
        for end, attaching in by_end.items()
        if attaching.other.family is Family.ACCOUNT
    }
    mailboxes = _first_mailboxes(accounts)
    return frozenset(
        id_ for id_, by_end in many.items() if _has_many_mailboxes(by_end.values(), mailboxes)
    )


def _could_be_placeholder(row: GraphRow) -> bool:
    is_card_or_number = row.node.family is Family.ATTACHED and row.kind != PHONE
    return is_card_or_number and not row.is_placeholder


def _first_mailboxes(accounts: Set[int]) -> dict[int, int]:
    if not accounts:
        return {}
    return dict(sql.rows("read_first_mailboxes", {"ids": sorted(accounts)}))


def _has_many_mailboxes(
    attaching_links: Iterable[AttachingLink], mailboxes: Mapping[int, int]
) -> bool:
    times: dict[int, datetime] = {}
    for attaching in attaching_links:
        is_mailbox = attaching.other.family is Family.MAILBOX
        mailbox = attaching.other.id if is_mailbox else mailboxes.get(attaching.other.id)
        if mailbox is not None:
            stated_at = attaching.link.occurred_at
            times[mailbox] = min(stated_at, times.get(mailbox, stated_at))
    return addresses.is_placeholder(times)
