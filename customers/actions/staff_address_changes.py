"""Staff propose changes of addresses with evidence, and decide about those that wait or are frozen.

Where a proved address is concerned, two colleagues are needed and the change waits for three days
(docs/adr/0020-staff-change-addresses.md).
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from customers.actions import address_changes, address_notices
from customers.actions.address_changes import ChangesFrozen, TooManyChanges
from customers.db import retry
from customers.identity import code_numbers
from customers.identity.families import ADDRESSES, is_number
from customers.identity.normalize import is_of_the_company, normalize
from customers.models import AddressChange, Customer, Evidence, Identifier, User
from customers.queries import identity
from customers.types import OPENED

_State = AddressChange.State
_OPEN = (_State.PROPOSED, _State.PENDING, _State.FROZEN)
_CHANNEL = "console"


class SameColleague(Exception):
    """The colleague who proposed a change, or let it pass first, cannot be the second one."""


class OwnRecord(Exception):
    """The colleague is the customer."""


class InvalidAddress(ValueError):
    """The new address is no address of a customer, gets no SMS, or the record has it already."""


class NoSuchAddress(LookupError):
    """The record does not have the address to remove, or has no account and no other mailbox."""


class ChangeMoved(Exception):
    """The change is in another state than the page showed."""


class StillWaits(Exception):
    """A change that only staff asked for waits for three days, whoever approves it."""


class Colleague(NamedTuple):
    """A colleague who acts, and the name for the log."""

    user: User
    actor: str


class Proposal(NamedTuple):
    """The address that a record gets, and the one that it loses; at least one of them."""

    adds: str = ""
    removes_id: int | None = None


def propose(
    customer_id: UUID,
    proposal: Proposal,
    *,
    evidence: str,
    colleague: Colleague,
    language: str,
    now: datetime,
) -> AddressChange:
    """Store a change that a colleague proposes; it takes effect at once if nothing was proved.

    customer_id: a live record
    Raises OwnRecord, InvalidAddress, NoSuchAddress, ChangesFrozen or TooManyChanges.
    """
    refuse_own_record(colleague, customer_id, proposal.adds)
    removed = _removed(customer_id, proposal.removes_id) if proposal.removes_id else None
    is_phone = bool(proposal.adds) and "@" not in proposal.adds
    holder_ids = _holders(customer_id, removed, is_phone=is_phone)
    with transaction.atomic():
        address_changes.lock_addresses(holder_ids)
        added = _added(customer_id, proposal.adds, now) if proposal.adds else None
        earlier = AddressChange.objects.filter(state__in=_OPEN, holder_ids__overlap=holder_ids)
        if any(change.state == _State.FROZEN for change in earlier):
            raise ChangesFrozen
        if len(earlier) >= address_changes.MAX_OPEN:
            raise TooManyChanges
        change = AddressChange.objects.create(
            holder_ids=holder_ids,
            added=added,
            removed=removed,
            state=_State.PROPOSED,
            actor=colleague.actor[:100],
            proposer=colleague.user,
            language=language,
            requested_at=now,
            reason=_line(colleague, evidence),
        )
        if not _needs_two(change, customer_id):
            address_changes.apply_change(change, actor=colleague.actor, now=now)
    change.refresh_from_db()
    return change


def decide(
    change_id: int,
    *,
    takes_effect: bool,
    evidence: str,
    colleague: Colleague,
    shown_state: str | None = None,
    now: datetime,
) -> AddressChange:
    """Approve a proposal, let a change take effect, or cancel it; return it.

    One colleague is enough to keep the addresses as they are. Two let a frozen change, or one that a
    customer or a source asked for, take effect. A proposal needs a second colleague, then it waits.

    shown_state: the state that the page showed; None if the caller did not look
    Raises AddressChange.DoesNotExist, ChangeMoved, OwnRecord, SameColleague, StillWaits or ChangesFrozen.
    """

    def attempt() -> AddressChange:
        """Make one attempt."""
        change = AddressChange.objects.select_for_update().get(pk=change_id, state__in=_OPEN)
        if shown_state and shown_state != change.state:
            raise ChangeMoved
        for customer_id in _records(change):
            refuse_own_record(colleague, customer_id, change.added.value if change.added else "")
        change.reason = "\n".join(filter(None, [change.reason, _line(colleague, evidence)]))
        if not takes_effect:
            address_changes.end(change, _State.CANCELLED, actor=colleague.actor, now=now)
        else:
            _pass(change, colleague, now)
        return change

    change = retry.on_conflict(attempt)
    change.refresh_from_db()
    if change.state == _State.PENDING:
        address_changes.advance(change.pk, now)
        change.refresh_from_db()
    return change


def _pass(change: AddressChange, colleague: Colleague, now: datetime) -> None:
    """Let a locked change pass: a proposal begins to wait, another one needs two colleagues."""
    if change.proposer_id == colleague.user.pk:
        raise SameColleague
    if change.state == _State.PROPOSED:
        _begin_to_wait(change, colleague)
        return
    if change.state == _State.PENDING and change.proposer_id:
        raise StillWaits
    if not change.approved_by:
        _approve(change, colleague)
    elif _is_approver(change, colleague):
        raise SameColleague
    else:
        address_changes.apply_change(change, actor=colleague.actor, now=now)


def _begin_to_wait(change: AddressChange, colleague: Colleague) -> None:
    address_changes.lock_addresses(change.holder_ids)
    address_changes.refuse_frozen(change.holder_ids)
    change.state = _State.PENDING
    _approve(change, colleague)


def _approve(change: AddressChange, colleague: Colleague) -> None:
    change.approved_by, change.approver = colleague.actor[:100], colleague.user
    change.save()


def _is_approver(change: AddressChange, colleague: Colleague) -> bool:
    if change.approver_id is None:
        # Approved before the log stored the login.
        return change.approved_by == colleague.actor[:100]
    return change.approver_id == colleague.user.pk


def _line(colleague: Colleague, evidence: str) -> str:
    return f"{colleague.actor}: {evidence}"


def refuse_own_record(colleague: Colleague, customer_id: UUID, added: str) -> None:
    """Raise OwnRecord if colleagues act on their own record, or give a record their own mailbox."""
    own = normalize("email", colleague.user.email or "")
    of_record = Identifier.objects.filter(customer=customer_id, kind="email", value=own)
    has_record = Customer.objects.filter(
        Q(pk=colleague.user.record_id) & (Q(pk=customer_id) | Q(canonical=customer_id))
    )
    if own and (own == normalize("email", added) or of_record.exists()):
        raise OwnRecord
    if colleague.user.record_id and has_record.exists():
        raise OwnRecord


def _records(change: AddressChange) -> set[UUID]:
    """Return the live records that a change concerns."""
    ids = [*change.holder_ids, *filter(None, (change.added_id, change.removed_id))]
    rows = Identifier.objects.filter(pk__in=ids, customer__isnull=False)
    return set(rows.values_list("customer_id", flat=True))


def _holders(customer_id: UUID, removed: Identifier | None, *, is_phone: bool) -> list[int]:
    """Return the accounts of a record; without an account, its mailboxes except the removed one.

    is_phone: a phone is added. A phone is attached to accounts and to mailboxes.
    """
    removed_id = removed.pk if removed else None
    rows = [row for row in identity.identifiers(customer_id) if row.held_by == "joined"]
    verified = [row for row in rows if row.is_verified or row.evidence == "noted"]
    accounts = [row.id for row in verified if is_number(row.kind)]
    mailboxes = [row.id for row in verified if row.kind == "email" and row.id != removed_id]
    if not accounts and not mailboxes:
        raise NoSuchAddress
    if is_phone or (removed and removed.kind == "phone"):
        return sorted([*accounts, *mailboxes])
    return sorted(accounts or mailboxes)


def _removed(customer_id: UUID, removed_id: int) -> Identifier:
    addresses = Identifier.objects.filter(
        customer=customer_id, kind__in=ADDRESSES, evidence=Evidence.VERIFIED, erasure=None
    )
    removed = addresses.filter(pk=removed_id).first()
    if removed is None:
        raise NoSuchAddress
    return removed


def _added(customer_id: UUID, text: str, now: datetime) -> Identifier:
    """Return the address that a record gets, in its current period; store it if it is new."""
    kind, value = _address(text)
    addresses = Identifier.objects.filter(kind=kind, value=value, evidence=Evidence.VERIFIED)
    address = addresses.order_by("-period").first()
    if address is None:
        new = Identifier(kind=kind, value=value, evidence=Evidence.VERIFIED, first_seen_at=now)
        Identifier.objects.bulk_create([new], ignore_conflicts=True)
        address = addresses.earliest("-period")
    if address.erasure_id or (address.customer_id == customer_id and _is_proved(address)):
        raise InvalidAddress
    return address


def _address(text: str) -> tuple[str, str]:
    """Return the kind and the value of a mailbox, or of a phone that gets SMS, as its notice."""
    if "@" in text:
        value = normalize("email", text)
        if value is None or is_of_the_company(value, _CHANNEL):
            raise InvalidAddress
        return "email", value
    try:
        number = code_numbers.code_number(
            text, region=settings.BUTLER_COUNTRY, prefixes=settings.BUTLER_SMS_PREFIXES
        )
    except (code_numbers.NotANumber, code_numbers.NoCodeNumber):
        raise InvalidAddress from None
    return "phone", number.value


def _needs_two(change: AddressChange, customer_id: UUID) -> bool:
    """Tell whether a change concerns a proved address, or an address that others have."""
    if change.added and address_notices.proved_mailboxes(change.holder_ids).exists():
        return True
    if change.removed and _is_proved(change.removed):
        return True
    added = change.added
    return added is not None and (
        _is_proved(added) or added.customer_id not in (None, customer_id) or added.is_shared
    )


def _is_proved(address: Identifier) -> bool:
    return address.proved_at is not None or (address.best_evidence or 0) >= OPENED
