"""Keeps proved addresses on their accounts when people separate records.

A separation takes effect at once. A proved address is taken off by a change of addresses, which two
colleagues let pass and which its holders can stop (docs/adr/0020-staff-change-addresses.md).
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from customers.actions.address_changes import CUSTOMER
from customers.identity.families import ADDRESSES
from customers.identity.links import Pair
from customers.models import Identifier, Link, LinkKind, LinkState, ManualDecision
from customers.types import OPENED


class TakesProvedAddress(Exception):
    """The change would take an address off an account that proved it, or off another mailbox."""

    def __init__(self, address: str) -> None:
        super().__init__("the change takes a proved address off")
        self.address = address


@contextmanager
def keep_proved_addresses(
    record_ids: Collection[UUID], *, fresh_ids: Collection[int] = ()
) -> Iterator[None]:
    """Roll a change back if it takes a proved address of these records off.

    fresh_ids: the identifiers that the customer proved within the last minutes. A pair may part if all
    its addresses are among them.
    Raises TakesProvedAddress.
    """
    with transaction.atomic():
        before = _proved_pairs(record_ids)
        yield
        records = _records_of(before)
        for pair in before:
            first, second = (records.get(end) for end in pair)
            if first is None or first != second:
                _refuse_old_proof(pair, fresh_ids)


def _proved_pairs(record_ids: Collection[UUID]) -> list[Pair]:
    """Return the pairs of an address and its holder on one of these records that were proved."""
    of_records = Q(first__customer__in=record_ids) & Q(second__customer__in=record_ids)
    links = Link.objects.filter(
        Q(first__kind__in=ADDRESSES) | Q(second__kind__in=ADDRESSES),
        of_records,
        kind=LinkKind.TOGETHER,
        evidence__gte=OPENED,
        state__in=[LinkState.JOINED, LinkState.ATTACHED],
    )
    by_customers = ManualDecision.objects.filter(
        of_records, kind=ManualDecision.Kind.MERGE, actor=CUSTOMER, undone_at__isnull=True
    )
    columns = "first_id", "second_id", "first__customer_id", "second__customer_id"
    rows = [*links.values_list(*columns), *by_customers.values_list(*columns)]
    return sorted({(first, second) for first, second, *records in rows if records[0] == records[1]})


def _records_of(pairs: Collection[Pair]) -> dict[int, UUID | None]:
    ends = {end for pair in pairs for end in pair}
    return dict(Identifier.objects.filter(pk__in=ends).values_list("id", "customer_id"))


def _refuse_old_proof(pair: Pair, fresh_ids: Collection[int]) -> None:
    """Raise TakesProvedAddress if the customer did not just prove the addresses of a pair."""
    addresses = Identifier.objects.filter(pk__in=pair, kind__in=ADDRESSES).order_by("-id")
    values = dict(addresses.values_list("id", "value"))
    if not values or not values.keys() <= {*fresh_ids}:
        raise TakesProvedAddress(next(iter(values.values()), ""))
