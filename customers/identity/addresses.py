"""Which address of an account is current, and which values are placeholders. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta
from typing import NamedTuple

# An account, a card or a number that owners state with more mailboxes than this in a year is a
# placeholder, such as "guest".
MAX_MAILBOXES = 5
_YEAR = timedelta(days=365)


class AddressStatement(NamedTuple):
    """The latest statement of one source that this mailbox is the address of an account."""

    account: int
    mailbox: int
    source_id: int
    occurred_at: datetime
    arrival: int


def replaced_addresses(
    statements: Iterable[AddressStatement], proved: Set[tuple[int, int]]
) -> set[tuple[int, int, int]]:
    """Return the (account, mailbox, source) whose mailbox is not the current address.

    A source replaces only the addresses that it stated itself, by naming another one later. It
    does not replace a proved address: the new one is then pending until it is proved, too.

    proved: the (account, mailbox) that were proved
    """
    by_source: defaultdict[tuple[int, int], list[AddressStatement]] = defaultdict(list)
    for statement in statements:
        by_source[statement.account, statement.source_id].append(statement)
    replaced = set()
    for (account, source_id), stated in by_source.items():
        latest = max(stated, key=_by_time)
        has_proved = any((account, statement.mailbox) in proved for statement in stated)
        current = None if has_proved else latest.mailbox
        replaced |= {
            (account, statement.mailbox, source_id)
            for statement in stated
            if statement.mailbox != current and (account, statement.mailbox) not in proved
        }
    return replaced


def _by_time(statement: AddressStatement) -> tuple[datetime, int, int]:
    return statement.occurred_at, statement.arrival, statement.mailbox


def is_placeholder(mailbox_times: Mapping[int, datetime]) -> bool:
    """Tell whether owners stated a value with too many mailboxes within one year.

    mailbox_times: the earliest statement of each mailbox with this value, without proved ones
    """
    times = sorted(mailbox_times.values())
    return any(
        later - earlier <= _YEAR
        for earlier, later in zip(times, times[MAX_MAILBOXES:], strict=False)
    )
