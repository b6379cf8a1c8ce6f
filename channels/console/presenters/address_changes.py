"""The changes of addresses for staff, in sentences. No database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.console.presenters import labels
from customers.actions.address_changes import CUSTOMER
from customers.models import AddressChange

_State = AddressChange.State
_TITLES = {
    _State.PROPOSED: "Proposed by a colleague",
    _State.PENDING: "Waits for three days",
    _State.FROZEN: "Stopped by a holder of an address",
    _State.APPLIED: "Took effect",
    _State.CANCELLED: "Cancelled",
}
_OPEN = (_State.PROPOSED, _State.PENDING, _State.FROZEN)


@dataclass(frozen=True, slots=True)
class AddressChangeRow:
    """One change of addresses, with the decision that this colleague can make."""

    id: int
    state: str
    title: str
    adds: str
    removes: str
    # The customer, a source or a colleague, and the session or the source.
    asked_by: str
    requested_at: datetime
    notified_at: datetime | None
    # The addresses that got a notice.
    notified: tuple[str, ...]
    effective_at: datetime | None
    frozen_by: str
    frozen_at: datetime | None
    evidence: tuple[str, ...]
    ended_by: str
    ended_at: datetime | None
    is_open: bool
    # The button that lets the change pass: "approve", "pass", or empty; and a note about it.
    passing: str
    note: str


def address_change_row(
    change: AddressChange, *, user_id: int, addresses: Mapping[int, str]
) -> AddressChangeRow:
    """Return a change for a colleague.

    addresses: the values of the addresses that got a notice, by id
    """
    state = _State(change.state)
    passing, note = _decision(change, state, user_id)
    return AddressChangeRow(
        id=change.pk,
        state=state.value,
        title=_TITLES[state],
        adds=change.added.value if change.added else "",
        removes=change.removed.value if change.removed else "",
        asked_by=_asked_by(change),
        requested_at=change.requested_at,
        notified_at=change.notified_at,
        notified=tuple(addresses[id_] for id_ in change.notified_ids if id_ in addresses),
        effective_at=change.effective_at if state == _State.PENDING else None,
        frozen_by=change.frozen_by.value if change.frozen_by else "",
        frozen_at=change.frozen_at,
        evidence=tuple(_evidence_line(line) for line in change.reason.splitlines()),
        ended_by=labels.actor_name(change.ended_by) or _plain_actor(change.ended_by),
        ended_at=change.ended_at,
        is_open=state in _OPEN,
        passing=passing,
        note=note,
    )


def notified_ids(changes: Collection[AddressChange]) -> set[int]:
    """Return the ids of the addresses that got a notice about these changes."""
    return {id_ for change in changes for id_ in change.notified_ids}


def _decision(change: AddressChange, state: AddressChange.State, user_id: int) -> tuple[str, str]:
    """Return the button that lets a change pass, and a note, such as why there is no button."""
    if state not in _OPEN:
        return "", ""
    if change.proposer_id == user_id:
        return "", "You proposed this change. A colleague has to approve it."
    if state == _State.PROPOSED:
        return "approve", ""
    if state == _State.PENDING and change.proposer_id:
        return "", "Two colleagues agreed. The holders of the addresses can still stop it."
    if not change.approved_by:
        return "pass", "A second colleague has to agree."
    if change.approver_id == user_id:
        return "", "You agreed. A second colleague has to agree, too."
    return "pass", f"{labels.actor_name(change.approved_by)} agreed."


def _asked_by(change: AddressChange) -> str:
    name = labels.actor_name(change.actor) or _plain_actor(change.actor)
    return f"{name} ({change.origin})" if change.origin else name


def _plain_actor(actor: str) -> str:
    return {CUSTOMER: "The customer", "source": "A source"}.get(actor, actor)


def _evidence_line(line: str) -> str:
    """Return a line of evidence with the name of the colleague, as "Sam: saw her passport"."""
    actor, separator, text = line.partition(": ")
    name = labels.actor_name(actor)
    return f"{name}: {text}" if separator and name else line
