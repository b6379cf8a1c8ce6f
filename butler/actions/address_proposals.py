"""Staff tasks about changes of addresses: a proposal, or a change that a holder stopped."""

from datetime import datetime
from uuid import UUID

from butler.actions import staff_tasks
from butler.models import StaffTask
from customers.actions import staff_address_changes
from customers.actions.staff_address_changes import Colleague, Proposal
from customers.db.retry import repeated_on_conflict
from customers.models import AddressChange, Identifier


@repeated_on_conflict
def propose(
    customer_id: UUID,
    proposal: Proposal,
    *,
    evidence: str,
    colleague: Colleague,
    language: str,
    now: datetime,
) -> AddressChange:
    """Store a change that a colleague proposes, and the task that asks a second one for it.

    customer_id: a live record
    Raises the errors of staff_address_changes.propose.
    """
    change = staff_address_changes.propose(
        customer_id,
        proposal,
        evidence=evidence,
        colleague=colleague,
        language=language,
        now=now,
    )
    if change.state == AddressChange.State.PROPOSED:
        staff_tasks.create(
            key=f"address-proposal-{change.pk}",
            kind=StaffTask.Kind.ADDRESS,
            customer_id=customer_id,
            title="A colleague proposes a change of an address",
            body="Look at the evidence, then approve or cancel the change.",
            due_at=now,
        )
    return change


def ask_about_freeze(change: AddressChange, *, now: datetime) -> None:
    """Create one task for staff to look at a frozen change."""
    holder = Identifier.objects.filter(pk__in=change.holder_ids).exclude(customer=None).first()
    if holder is None or holder.customer_id is None:
        return
    staff_tasks.create(
        key=f"address-change-{change.pk}",
        kind=StaffTask.Kind.ADDRESS,
        customer_id=holder.customer_id,
        title="Somebody stopped a change of an address",
        body="Find out who is right, then let the change take effect or cancel it.",
        due_at=now,
    )
