"""Changes of addresses: at once, or three days after notices to the earlier and the new address.

docs/reference/identity.md ("Changing an address") has the rules.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from customers.actions import address_notices, calls, sign_in
from customers.db import retry
from customers.db.advisory_locks import take_advisory_locks
from customers.identity import decisions
from customers.identity.families import is_number
from customers.identity.links import DecisionKind
from customers.identity.resolution import stored_identifier
from customers.models import AddressChange, Evidence, Identifier, ManualDecision, Trait, User
from customers.types import ADDRESS_CONFIRMED, CONFIRMED, VERIFIED

_log = logging.getLogger(__name__)

CUSTOMER = "customer"
DELAY = timedelta(hours=72)
# After an error, such as a mail server that does not answer.
RETRY_DELAY = timedelta(minutes=1)
# The open changes of one account, and the changes of one address within a day. Each sends notices.
MAX_OPEN = 5
_MAX_PER_DAY = 10
_State = AddressChange.State
_OPEN = (_State.PENDING, _State.FROZEN)


class ChangesFrozen(Exception):
    """A holder of an address stopped a change. Until staff or a passkey end this, no address changes."""


class TooManyChanges(Exception):
    """The account has too many open changes."""


def add_now(
    holder_ids: Sequence[int], added: Identifier, *, actor: str, reason: str, now: datetime
) -> None:
    """Join a proved mailbox to accounts, or to a mailbox without an account; or attach a phone."""
    _keep_preferred(added.kind, holder_ids, now)
    if added.kind == "phone":
        _undo_removals(added, holder_ids, now)
    holders = Identifier.objects.filter(pk__in=holder_ids).exclude(pk=added.pk).order_by("id")
    for holder in holders:
        if is_number(holder.kind) or "phone" in (holder.kind, added.kind):
            sign_in.store_event(
                ADDRESS_CONFIRMED,
                now,
                (added.kind, added.value),
                stored_identifier(holder.kind, holder.value),
                traits={f"{added.kind}_verified": True},
            )
        elif holder.customer_id != added.customer_id:
            decisions.decide(
                DecisionKind.MERGE, holder.pk, added.pk, actor=actor, reason=reason, now=now
            )
    for phone in [added, *holders]:
        if phone.kind == "phone":
            others = [added.pk, *(holder.pk for holder in holders)]
            calls.refile_past(phone, others, actor=actor, now=now)


def remove_now(
    holder_ids: Sequence[int], removed: Identifier, *, actor: str, reason: str, now: datetime
) -> None:
    """Take an address off accounts, or off the other mailboxes, and end the sessions it opened."""
    others = sorted(set(holder_ids) - {removed.pk})
    is_account = {
        holder.pk: is_number(holder.kind) for holder in Identifier.objects.filter(pk__in=others)
    }
    mailboxes = [id_ for id_ in others if not is_account[id_]]
    # The other mailboxes stay one customer, also if only this one joined them.
    for other in mailboxes[1:]:
        decisions.decide(
            DecisionKind.MERGE, mailboxes[0], other, actor=actor, reason=reason, now=now
        )
    for other in others:
        decisions.decide(
            DecisionKind.SEPARATE, other, removed.pk, actor=actor, reason=reason, now=now
        )
    end_access_of(removed)


def end_access_of(address: Identifier) -> None:
    """End all sessions and passkeys of the login of a mailbox or a phone."""
    is_login = Q(phone=address.value) if address.kind == "phone" else Q(email__iexact=address.value)
    for user in User.objects.filter(is_login, is_staff=False):
        sign_in.end_sessions(user)
        sign_in.delete_passkeys(user)
        user.save(update_fields=["passkey_handle"])


def prefer(address: Identifier, *, now: datetime) -> None:
    """Let an address get the messages of its kind."""
    Identifier.objects.filter(pk=address.pk).update(preferred_at=now)


def request_change(
    *,
    holder_ids: Iterable[int],
    added: Identifier | None,
    removed: Identifier | None,
    actor: str,
    language: str,
    origin: str = "",
    now: datetime,
) -> AddressChange:
    """Store a change that waits; return it, or the equal one that already waits.

    Raises ChangesFrozen or TooManyChanges.
    """
    holders = sorted(holder_ids)
    with transaction.atomic():
        lock_addresses(holders)
        changes = list(AddressChange.objects.filter(state__in=_OPEN, holder_ids__overlap=holders))
        ends = (added.pk if added else None, removed.pk if removed else None)
        for change in changes:
            if change.state == _State.FROZEN:
                raise ChangesFrozen
            if (change.added_id, change.removed_id) == ends:
                return change
        if len(changes) >= MAX_OPEN or _count_of_day(ends, now) >= _MAX_PER_DAY:
            raise TooManyChanges
        change = AddressChange.objects.create(
            holder_ids=holders,
            added=added,
            removed=removed,
            actor=actor[:100],
            origin=origin[:300],
            language=language,
            requested_at=now,
        )
    advance(change.pk, now)
    change.refresh_from_db()
    return change


def refuse_frozen(holder_ids: Iterable[int]) -> None:
    """Raise ChangesFrozen if a change of addresses of one of these holders is frozen."""
    frozen = AddressChange.objects.filter(
        state=_State.FROZEN, holder_ids__overlap=sorted(holder_ids)
    )
    if frozen.exists():
        raise ChangesFrozen


def lock_addresses(holder_ids: Iterable[int]) -> None:
    """Let the changes of the addresses of these holders wait for each other, in a transaction."""
    take_advisory_locks(*(f"addresses of {id_}".encode() for id_ in holder_ids))


def _count_of_day(ends: tuple[int | None, int | None], now: datetime) -> int:
    """Count the changes of the last day that add the first or remove the second address."""
    added_id, removed_id = ends
    of_address = Q(added=added_id, added__isnull=False) | Q(
        removed=removed_id, removed__isnull=False
    )
    return AddressChange.objects.filter(
        of_address, requested_at__gt=now - timedelta(days=1)
    ).count()


def cancel(
    change: AddressChange, *, actor: str, reason: str, now: datetime, is_frozen: bool = False
) -> bool:
    """Cancel a change that waits, or a frozen one; return False if it is in another state."""
    state = _State.FROZEN if is_frozen else _State.PENDING
    return bool(
        AddressChange.objects.filter(pk=change.pk, state=state).update(
            state=_State.CANCELLED, ended_at=now, ended_by=actor[:100], reason=reason
        )
    )


def freeze(change_id: int, address_id: int, *, now: datetime) -> AddressChange | None:
    """Stop a change by the link that went to an address; return it, or None if there is none.

    A change that took effect, was cancelled, or whose freeze a passkey ended, stays as it is.
    """
    AddressChange.objects.filter(pk=change_id, state=_State.PENDING, released_at=None).update(
        state=_State.FROZEN,
        frozen_at=now,
        frozen_by_id=address_id,
        # Colleagues who did not know of the freeze decided on something else.
        approved_by="",
        approver=None,
    )
    return AddressChange.objects.filter(pk=change_id).first()


def release(change: AddressChange, *, now: datetime) -> bool:
    """End a freeze, so that the change takes effect at its time; return False if it is not frozen.

    The proved addresses get a notice. The links to stop the change do nothing more.
    """
    is_released = AddressChange.objects.filter(pk=change.pk, state=_State.FROZEN).update(
        state=_State.PENDING, released_at=now
    )
    if is_released:
        address_notices.send_released(change)
    return bool(is_released)


def advance_next(*, now: datetime) -> bool:
    """Send the notices of a change, or let one take effect; return whether there was one."""
    ready = Q(notified_at=None) | Q(effective_at__lte=now)
    may_try = Q(retry_at=None) | Q(retry_at__lte=now)
    ids = AddressChange.objects.filter(ready, may_try, state=_State.PENDING)
    change_id = (
        ids.order_by(F("retry_at").asc(nulls_first=True), "id").values_list("pk", flat=True).first()
    )
    if change_id is None:
        return False
    advance(change_id, now)
    return True


def advance(change_id: int, now: datetime) -> None:
    """Send the notices of a change, or let it take effect, in a transaction.

    An error lets it wait, and no other change.
    """

    def attempt() -> None:
        """Make one attempt."""
        change = (
            AddressChange.objects.select_for_update(skip_locked=True)
            .filter(pk=change_id, state=_State.PENDING)
            .first()
        )
        if change is not None:
            _advance(change, now)

    try:
        retry.on_conflict(attempt)
    except Exception as error:  # noqa: BLE001  one change must not hold up the others
        # Without the text of the error, which may contain an address.
        _log.error("an address change failed: %s", type(error).__name__)
        AddressChange.objects.filter(pk=change_id).update(retry_at=now + RETRY_DELAY)


def _advance(change: AddressChange, now: datetime) -> None:
    if change.notified_at is None:
        change.notified_ids = address_notices.send_change_notices(change)
        change.notified_at, change.effective_at = now, now + DELAY
        change.retry_at = None
        change.save()
    elif change.effective_at and change.effective_at <= now:
        apply_change(change, actor=change.actor, now=now)


def apply_change(change: AddressChange, *, actor: str, now: datetime) -> None:
    """Let a locked change take effect, or cancel it if it is not possible any more."""
    lock_addresses(change.holder_ids)
    problem = _obstacle(change)
    if problem:
        change.reason = "\n".join(filter(None, [change.reason, problem]))
        end(change, _State.CANCELLED, actor=actor, now=now)
        return
    reason = f"address change {change.pk}"
    # Read before the removal: a preferred address hands this over to the new one.
    is_preferred = change.removed is not None and change.removed.preferred_at is not None
    if change.added:
        holders = _ends_of_added(change.holder_ids, change.added)
        add_now(holders, change.added, actor=actor, reason=reason, now=now)
        if is_preferred:
            prefer(change.added, now=now)
    if change.removed:
        others = [*change.holder_ids, *_joined_mailboxes(change)]
        remove_now(others, change.removed, actor=actor, reason=reason, now=now)
    end(change, _State.APPLIED, actor=actor, now=now)


def end(change: AddressChange, state: str, *, actor: str, now: datetime) -> None:
    """End a locked change."""
    change.state, change.ended_at, change.ended_by = state, now, actor[:100]
    change.save()


def _ends_of_added(holder_ids: Sequence[int], added: Identifier) -> Sequence[int]:
    """Return the identifiers to join with an added address: of a phone, the mailboxes if any.

    A mailbox that nobody proved gets the phone only if no other holder is a proved mailbox.
    """
    if added.kind != "phone":
        return holder_ids
    proved = address_notices.proved_mailboxes(holder_ids).filter(pk__in=holder_ids)
    if proved_ids := sorted(proved.values_list("pk", flat=True)):
        return proved_ids
    mailboxes = Identifier.objects.filter(pk__in=holder_ids, kind="email")
    return sorted(mailboxes.values_list("pk", flat=True)) or holder_ids


def _joined_mailboxes(change: AddressChange) -> list[int]:
    """Return the added address if it joins a mailbox, because there is no account."""
    if change.added is None or change.added.kind == "phone":
        return []
    kinds = Identifier.objects.filter(pk__in=change.holder_ids).values_list("kind", flat=True)
    return [] if any(is_number(kind) for kind in kinds) else [change.added.pk]


def _obstacle(change: AddressChange) -> str:
    """Return why a change is not possible any more, or nothing."""
    holders = Identifier.objects.filter(pk__in=change.holder_ids, erasure=None)
    if not holders.exists():
        return "the account was erased"
    added = change.added
    # The evidence of staff replaces the proof of the new address, and permits to remove the last one.
    is_by_staff = change.proposer_id is not None
    is_missing = added is not None and not _is_confirmed(added) and not is_by_staff
    if added and (added.erasure_id or is_missing or _has_later_period(added)):
        return "the new address has another holder"
    removed = change.removed
    is_alone = removed is not None and removed.kind == "email" and added is None
    keeps_none = removed and is_alone and not _has_other_proof(change, removed)
    if keeps_none and not is_by_staff:
        return "it is the last proved address"
    return ""


def _is_confirmed(address: Identifier) -> bool:
    """Tell whether the customer proved an address, or a source confirmed it."""
    return address.proved_at is not None or (address.best_evidence or 0) >= CONFIRMED


def _has_later_period(address: Identifier) -> bool:
    later = Identifier.objects.filter(
        kind=address.kind,
        value=address.value,
        evidence=Evidence.VERIFIED,
        period__gt=address.period,
    )
    return later.exclude(customer=address.customer_id).exclude(record=None).exists()


def _has_other_proof(change: AddressChange, removed: Identifier) -> bool:
    """Tell whether the record keeps a proved mailbox after the removal."""
    others = address_notices.proved_mailboxes(change.holder_ids)
    return others.exclude(pk=removed.pk).exists()


def _undo_removals(phone: Identifier, holder_ids: Iterable[int], now: datetime) -> None:
    """Undo what the customer decided when she removed a phone that she has again.

    The removal separated it from each account and mailbox of the record, and she proves one of them.
    """
    periods = Identifier.objects.filter(kind=phone.kind, value=phone.value)
    records = Identifier.objects.filter(pk__in=holder_ids).values("customer")
    others = Identifier.objects.filter(customer__in=records).exclude(pk__in=periods)
    removals = ManualDecision.objects.filter(
        Q(first__in=periods, second__in=others) | Q(second__in=periods, first__in=others),
        kind=DecisionKind.SEPARATE,
        actor=CUSTOMER,
        undone_at=None,
    )
    for decision_id in removals.values_list("pk", flat=True):
        decisions.undo_decision(decision_id=decision_id, actor=CUSTOMER, now=now, reason="added")


def _keep_preferred(kind: str, holder_ids: Iterable[int], now: datetime) -> None:
    """Keep the address that gets the messages now, when another one is added."""
    records = Identifier.objects.filter(pk__in=holder_ids).values("customer")
    addresses = Identifier.objects.filter(
        kind=kind, evidence=VERIFIED, customer__in=records, erasure=None, is_shared=False
    )
    if addresses.exclude(preferred_at=None).exists():
        return
    stated = set(
        Trait.objects.filter(customer__in=records, name=kind).values_list("value", flat=True)
    )
    by_id = sorted(addresses, key=lambda address: (address.value not in stated, address.pk))
    if by_id:
        prefer(by_id[0], now=now)
