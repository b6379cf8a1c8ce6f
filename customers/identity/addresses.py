"""Which address of an account is current, and which values are placeholders. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
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


class AddressProof(NamedTuple):
    """A proof that a mailbox is the address of an account."""

    account: int
    mailbox: int
    occurred_at: datetime
    arrival: int
    # The customer proved the mailbox in Butler. Otherwise a source says that it has confirmed it.
    is_by_customer: bool


def effective_proofs(
    proofs: Iterable[AddressProof], customers: Mapping[int, int] = MappingProxyType({})
) -> dict[tuple[int, int], datetime]:
    """Return the time of the first proof that counts of each (customer, mailbox).

    A source may confirm the first mailbox of a customer. Another mailbox that it confirms later is a
    change of a proved address. It is pending until the customer proves it in Butler, or until the
    change takes effect: Butler then stores an event that proves it.

    customers: by account, the number of its customer, which several accounts of one person have; an
        account that is missing is a customer of its own, with its own id
    """
    effective: defaultdict[int, dict[int, datetime]] = defaultdict(dict)
    for proof in sorted(
        proofs, key=lambda proof: (proof.occurred_at, proof.arrival, proof.mailbox)
    ):
        proved = effective[customers.get(proof.account, proof.account)]
        if proof.is_by_customer or not proved or proof.mailbox in proved:
            proved.setdefault(proof.mailbox, proof.occurred_at)
    return {
        (customer, mailbox): time
        for customer, proved in effective.items()
        for mailbox, time in proved.items()
    }


def replaced_addresses(
    statements: Iterable[AddressStatement],
    proved: Mapping[tuple[int, int], datetime],
    first_stated: Mapping[tuple[int, int, int], datetime],
    customers: Mapping[int, int] = MappingProxyType({}),
) -> set[tuple[int, int, int]]:
    """Return the (account, mailbox, source) whose mailbox is not the current address.

    A source replaces only the addresses that it stated itself, by naming another one later. No
    source replaces a proved address: an address that a source names first after the proof is
    pending until it is proved, too.

    proved: the `effective_proofs` of addresses that nobody separated
    first_stated: the earliest statement of each (account, mailbox, source), as far as it is read
    customers: as in `effective_proofs`
    """
    by_source: defaultdict[tuple[int, int], list[AddressStatement]] = defaultdict(list)
    for statement in statements:
        by_source[statement.account, statement.source_id].append(statement)
    proved_at: dict[int, datetime] = {}
    for (customer, _), time in proved.items():
        proved_at[customer] = min(time, proved_at.get(customer, time))
    replaced = set()
    for (account, _), stated in by_source.items():
        customer = customers.get(account, account)
        latest = max(stated, key=_by_time)
        has_proved = any((customer, statement.mailbox) in proved for statement in stated)
        first_at = first_stated.get(latest[:3], latest.occurred_at)
        is_pending = customer in proved_at and first_at > proved_at[customer]
        current = None if has_proved or is_pending else latest.mailbox
        replaced |= {
            statement[:3]
            for statement in stated
            if statement.mailbox != current and (customer, statement.mailbox) not in proved
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
