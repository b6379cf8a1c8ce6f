"""The changes of addresses, for staff."""

from uuid import UUID

from django.db.models import Case, Q, QuerySet, When

from customers.models import AddressChange, Identifier

_State = AddressChange.State
OPEN = (_State.PROPOSED, _State.PENDING, _State.FROZEN)


def changes_of(customer_id: UUID) -> QuerySet[AddressChange]:
    """Return the changes that concern an identifier of a live record."""
    ids = list(Identifier.objects.filter(customer=customer_id).values_list("pk", flat=True))
    of_address = Q(added__in=ids) | Q(removed__in=ids)
    return _with_addresses(AddressChange.objects.filter(of_address | Q(holder_ids__overlap=ids)))


def open_changes() -> QuerySet[AddressChange]:
    """Return the open changes: those that need a colleague first, then by age."""
    waits = Case(When(state=_State.PENDING, then=1), default=0)
    return _with_addresses(AddressChange.objects.filter(state__in=OPEN)).order_by(waits, "id")


def _with_addresses(changes: QuerySet[AddressChange]) -> QuerySet[AddressChange]:
    return changes.select_related("added", "removed", "frozen_by")
