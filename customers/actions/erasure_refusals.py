"""Keeps the refusals of erased customers, until the next holder of the address lifts them."""

from collections.abc import Sequence
from uuid import UUID

from customers.consent.state import MARKETING, State
from customers.consent.statements import ConsentStatement
from customers.identity.families import ADDRESSES
from customers.models import Identifier, Purpose


def refused_purposes(state: State) -> list[str]:
    """Return the purposes for which the addresses of an erased customer get no more messages.

    An erasure ends all consents, so these are all purposes of messages, and all objections.
    """
    contact = Purpose.objects.filter(kind=Purpose.Kind.CONTACT).values_list("key", flat=True)
    return sorted({*contact, *state.consents, *state.objections})


def lift_refusals(customer_id: UUID, statements: Sequence[ConsentStatement]) -> None:
    """Lift the refusals of an earlier holder, by the customer's own consents.

    They count only for addresses that the customer proved.
    """
    allowed = {statement.subject for statement in statements if statement.kind == "consent.given"}
    if not allowed:
        return
    proved = Identifier.objects.filter(
        customer_id=customer_id, kind__in=ADDRESSES, proved_at__isnull=False, erasure=None
    ).exclude(refused=[])
    for address in proved.select_for_update(no_key=True).order_by("id"):
        address.refused = [
            purpose for purpose in address.refused if purpose not in allowed | {MARKETING}
        ]
        address.save(update_fields=["refused"])
