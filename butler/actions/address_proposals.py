"""Staff tasks about changes of addresses: a proposal, or a change that a holder stopped."""

from datetime import datetime
from uuid import UUID

from butler.actions import staff_tasks
from butler.models import StaffTask
from customers.actions import staff_address_changes
from customers.actions.staff_address_changes import Colleague, Proposal
from customers.db.retry import repeated_on_conflict
from customers.models import AddressChange, Identifier

# The keys of the tasks, before the id of the change.
_PROPOSAL_KEY = "address-proposal-"
_FREEZE_KEY = "address-change-"
_CLOSED = "The change needs no decision any more."


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
            key=f"{_PROPOSAL_KEY}{change.pk}",
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
        key=f"{_FREEZE_KEY}{change.pk}",
        kind=StaffTask.Kind.ADDRESS,
        customer_id=holder.customer_id,
        title="Somebody stopped a change of an address",
        body="Find out who is right, then let the change take effect or cancel it.",
        due_at=now,
    )


def decide(
    change_id: int,
    *,
    takes_effect: bool,
    evidence: str,
    colleague: Colleague,
    shown_state: str | None = None,
    now: datetime,
) -> AddressChange:
    """Let a change pass or cancel it, and close the task that asked for this.

    Raises the errors of staff_address_changes.decide.
    """
    change = staff_address_changes.decide(
        change_id,
        takes_effect=takes_effect,
        evidence=evidence,
        colleague=colleague,
        shown_state=shown_state,
        now=now,
    )
    close_answered_tasks(now=now)
    return change


def close_answered_tasks(*, now: datetime) -> int:
    """Close the tasks whose change needs no colleague any more; return their number.

    A customer may have cancelled the change, or ended the freeze with a passkey.
    """
    keys = {
        AddressChange.State.PROPOSED: _PROPOSAL_KEY,
        AddressChange.State.FROZEN: _FREEZE_KEY,
    }
    waiting = AddressChange.objects.filter(state__in=keys).values_list("id", "state")
    needed = [f"{keys[AddressChange.State(state)]}{change_id}" for change_id, state in waiting]
    answered = StaffTask.objects.filter(kind=StaffTask.Kind.ADDRESS, done_at=None)
    return answered.exclude(key__in=needed).update(
        done_at=now, outcome=StaffTask.Outcome.DROPPED, note=_CLOSED
    )
