"""The customer adds, removes and prefers addresses of the record that the session shows."""

from datetime import datetime
from typing import NamedTuple

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase

from customers.access.address_states import (
    AddressState,
    OwnAddress,
    OwnAddresses,
    read_own_addresses,
)
from customers.access.proof_times import forget_proof, fresh_passkey, note_proof
from customers.actions import (
    address_changes,
    address_notices,
    passkeys,
    sign_in,
    sign_in_codes,
)
from customers.actions.address_changes import CUSTOMER, ChangesFrozen
from customers.actions.earlier_history import HistoryClosed
from customers.db import retry
from customers.identity.openable_graph import CHOSEN
from customers.models import AddressChange, Event, Identifier, Suppression, User
from customers.types import ACCOUNT_OPENED, ADDRESS_CONFIRMED, ADDRESS_PROVED

# The key of the session data: the digests of the handles of its codes, with the id of the address
# that the new one replaces, or 0.
ADDING = "adding"
# The key of the session data: the ids of proved mailboxes with a record of their own, as text, with
# the id of the address that each replaces as soon as the customer joins it.
_JOINING = "joining"
_MAX_CODES = 5
ADDED = "The customer confirmed the address"
REMOVED = "The customer removed the address"
# Butler's own events on the log of a mailbox, which say nothing about the customer. Those of the
# kind "identity" are about merges.
_PROOFS = [ADDRESS_PROVED, ACCOUNT_OPENED, ADDRESS_CONFIRMED]


class NoRecord(LookupError):
    """The session shows no record: it opens none, or the customer has to choose first."""


class NoSuchAddress(LookupError):
    """The address is not among those of the session, or it cannot be changed in this way."""


class LastAddress(Exception):
    """The record would keep no proved address."""


class MailboxRequired(Exception):
    """A record of phones alone needs a mailbox before it has another phone."""


class Confirmed(NamedTuple):
    """The state of an address after its proof: current, pending, or with a record of its own."""

    address_id: int
    is_join_possible: bool = False
    # The change that waits; None if the address is current.
    change: AddressChange | None = None


def note_code(session: SessionBase, handle: str, replaced_id: int) -> None:
    """Store that the session asked for this code. The caller saves the session."""
    _note(session, ADDING, sign_in_codes.handle_digest(handle), replaced_id)


def _note(session: SessionBase, name: str, key: str, replaced_id: int) -> None:
    """Store the address to replace as the latest entry under this name of the session data."""
    entries = dict(session.get(name, {}))
    entries.pop(key, None)
    entries[key] = replaced_id
    session[name] = dict(list(entries.items())[-_MAX_CODES:])


def confirm(
    user: User, session: SessionBase, *, handle: str, code: str, language: str, now: datetime
) -> Confirmed:
    """Prove an address by a code that this session asked for, and add it to its record.

    A mailbox with a record of its own stays apart until the customer joins it. The caller saves the
    session. Raises sign_in.WrongCode, NoRecord, HistoryClosed, MailboxRequired,
    ChangesFrozen or TooManyChanges.
    """
    codes = dict(session.get(ADDING, {}))
    replaced_id = codes.pop(sign_in_codes.handle_digest(handle), None)
    if replaced_id is None:
        raise sign_in.WrongCode
    own = _read(user, session, now)

    def spend() -> Identifier | None:
        """Make one attempt. The count of a wrong code stays."""
        address = sign_in_codes.spend_code(handle, code, now)
        return sign_in.prove_address(*address, now) if address else None

    # Durable: inside an outer transaction, the error of a wrong code would undo the count.
    proved = retry.on_conflict(spend, is_durable=True)
    if proved is None:
        raise sign_in.WrongCode
    session[ADDING] = codes
    # The session opens the address now, and goes on to show the same record.
    session[CHOSEN] = session.get(CHOSEN) or min(own.holder_ids or own.record.identifier_ids)
    note_proof(session, proved.pk, own.graph, now)
    own = _read(user, session, now)
    # A phone joins nothing, so its past needs no question.
    if proved.kind == "email" and proved.customer_id != own.record.live_id and _has_record(proved):
        _note(session, _JOINING, str(proved.pk), replaced_id)
        return Confirmed(proved.pk, is_join_possible=True)
    return _add(own, session, proved, replaced_id, language, now)


def join(
    user: User, session: SessionBase, address_id: int, *, language: str, now: datetime
) -> Confirmed:
    """Join the record of a mailbox that the session proved, too.

    The mailbox replaces the address that the customer named when she asked for its code. The caller
    saves the session. Raises NoRecord, HistoryClosed, NoSuchAddress, ChangesFrozen or
    TooManyChanges.
    """
    own = _read(user, session, now)
    mailbox = Identifier.objects.filter(pk=address_id, kind="email", erasure=None).first()
    if mailbox is None or address_id not in own.fresh:
        raise NoSuchAddress
    joining = dict(session.get(_JOINING, {}))
    confirmed = _add(own, session, mailbox, joining.pop(str(address_id), 0), language, now)
    session[_JOINING] = joining
    return confirmed


def remove(
    user: User, session: SessionBase, address_id: int, *, language: str, now: datetime
) -> AddressChange | None:
    """Take an address off the record; return the change if it waits.

    A proved address waits if this session did not prove it within the last minutes. Raises NoRecord, HistoryClosed,
    NoSuchAddress, LastAddress, ChangesFrozen or TooManyChanges.
    """
    own = _removable(_read(user, session, now), address_id)
    removed = Identifier.objects.get(pk=address_id)
    holding_ids = own.joining_ids if removed.kind == "phone" else own.holder_ids
    holders = [id_ for id_ in holding_ids if id_ != address_id]
    if address_id in own.proved - own.fresh:
        return address_changes.request_change(
            holder_ids=holders,
            added=None,
            removed=removed,
            actor=CUSTOMER,
            origin=_origin(session),
            language=language,
            now=now,
        )

    def remove_address() -> OwnAddresses:
        """Make one attempt; return the addresses before it."""
        # Another session may remove the other address at the same time. Then this is the last one.
        address_changes.lock_addresses(own.holder_ids)
        before = _removable(_read(user, session, now), address_id)
        address_changes.remove_now(holders, removed, actor=CUSTOMER, reason=REMOVED, now=now)
        return before

    own = retry.on_conflict(remove_address)
    forget_proof(session, address_id)
    mailboxes = _values(own, own.proved_mailboxes)
    address_notices.send_change_done(mailboxes, added="", removed=removed.value)
    return None


def _removable(own: OwnAddresses, address_id: int) -> OwnAddresses:
    """Return the addresses, if this one can be removed from them."""
    address = own.find(address_id)
    if address is None or address.state == AddressState.REMOVED:
        raise NoSuchAddress
    if own.proved_mailboxes == {address_id} or own.holder_ids == (address_id,):
        raise LastAddress
    _refuse_frozen(own)
    return own


def prefer(user: User, session: SessionBase, address_id: int, *, now: datetime) -> None:
    """Let a current address get the messages of its kind. Raises NoRecord, HistoryClosed or NoSuchAddress.

    A proved mailbox is not replaced by one that nobody proved.
    """
    own = _read(user, session, now)
    address = own.find(address_id)
    is_mailbox = address is not None and address.kind == "email"
    if address is None or not address.is_current:
        raise NoSuchAddress
    if is_mailbox and own.proved_mailboxes and address_id not in own.proved_mailboxes:
        raise NoSuchAddress
    _refuse_frozen(own)
    address_changes.prefer(Identifier.objects.get(pk=address_id), now=now)


def lift(user: User, session: SessionBase, address_id: int, *, now: datetime) -> None:
    """Take back a complaint about messages to a proved address. A code lifts a bounce.

    Raises NoRecord, HistoryClosed or NoSuchAddress.
    """
    own = _read(user, session, now)
    address = own.find(address_id)
    if address is None or address_id not in own.proved_mailboxes:
        raise NoSuchAddress
    sign_in.lift_suppressions("email", address.value, [Suppression.Reason.COMPLAINED], now=now)


def cancel(user: User, session: SessionBase, change_id: int, *, now: datetime) -> None:
    """Cancel a change that waits, or with an earlier passkey a frozen one.

    Raises NoRecord, HistoryClosed, NoSuchAddress or ChangesFrozen.
    """
    own = _read(user, session, now)
    change = _find_change(own, change_id)
    is_frozen = change.state == AddressChange.State.FROZEN
    if is_frozen and not can_end_freeze(user, session, own, change, now=now):
        raise ChangesFrozen
    if not address_changes.cancel(
        change, actor=CUSTOMER, reason="cancelled", now=now, is_frozen=is_frozen
    ):
        raise ChangesFrozen


def release(user: User, session: SessionBase, change_id: int, *, now: datetime) -> None:
    """Let a frozen change go on, with a passkey that is older than the change.

    Raises NoRecord, NoSuchAddress or ChangesFrozen.
    """
    own = _read(user, session, now)
    change = _find_change(own, change_id)
    if not can_end_freeze(user, session, own, change, now=now):
        raise ChangesFrozen
    if not address_changes.release(change, now=now):
        raise NoSuchAddress


def can_end_freeze(
    user: User, session: SessionBase, own: OwnAddresses, change: AddressChange, *, now: datetime
) -> bool:
    """Tell whether a passkey that is older than the change opened the session within 15 minutes.

    A newer passkey does not count: each reader of one of the mailboxes can add one.
    """
    passkey_id = fresh_passkey(session, now)
    if passkey_id is None:
        return False
    earlier = passkeys.current_passkeys(user).filter(
        pk=passkey_id, address__in=own.proved, created_at__lt=change.requested_at
    )
    return earlier.exists()


def _find_change(own: OwnAddresses, change_id: int) -> AddressChange:
    change = next((change for change in own.changes if change.pk == change_id), None)
    if change is None:
        raise NoSuchAddress
    return change


def _read(user: User, session: SessionBase, now: datetime) -> OwnAddresses:
    own = read_own_addresses(user, session, now=now)
    if own is None:
        raise NoRecord
    if own.record.has_closed_past:
        raise HistoryClosed
    return own


def _refuse_frozen(own: OwnAddresses) -> None:
    if own.is_frozen:
        raise ChangesFrozen


def _add(
    own: OwnAddresses,
    session: SessionBase,
    proved: Identifier,
    replaced_id: int,
    language: str,
    now: datetime,
) -> Confirmed:
    """Add a proved mailbox or phone, at once or as a change that waits."""
    replaced = _replaced(own, proved, replaced_id)
    if proved.pk in own.proved and replaced is None:
        return Confirmed(proved.pk)
    _refuse_frozen(own)
    removed = Identifier.objects.get(pk=replaced.id) if replaced else None
    is_phone = proved.kind == "phone"
    holders = [
        id_ for id_ in (own.phone_holder_ids if is_phone else own.holder_ids) if id_ != proved.pk
    ]
    if is_phone and not holders:
        raise MailboxRequired
    if _has_to_wait(own, proved.pk, replaced):
        change = address_changes.request_change(
            holder_ids=own.joining_ids if is_phone and removed else holders,
            added=proved,
            removed=removed,
            actor=CUSTOMER,
            origin=_origin(session),
            language=language,
            now=now,
        )
        return Confirmed(proved.pk, change=change)
    earlier = _values(own, own.proved_mailboxes - {proved.pk})

    def add_address() -> None:
        """Make one attempt."""
        address_changes.lock_addresses(holders)
        address_changes.add_now(holders, proved, actor=CUSTOMER, reason=ADDED, now=now)
        if removed:
            if replaced and replaced.is_preferred:
                address_changes.prefer(proved, now=now)
            others = [*own.joining_ids] if is_phone else [*holders]
            if not (is_phone or own.record.account_ids):
                others.append(proved.pk)
            address_changes.remove_now(others, removed, actor=CUSTOMER, reason=REMOVED, now=now)

    retry.on_conflict(add_address)
    forget_proof(session, removed.pk if removed else None)
    address_notices.send_change_done(
        earlier, added=proved.value, removed=removed.value if removed else ""
    )
    return Confirmed(proved.pk)


def _replaced(own: OwnAddresses, proved: Identifier, replaced_id: int) -> OwnAddress | None:
    """Return the address that a proved one of the same kind replaces, or None."""
    replaced = own.find(replaced_id)
    if replaced is None or replaced.id == proved.pk or not replaced.is_current:
        return None
    return replaced if replaced.kind == proved.kind else None


def _origin(session: SessionBase) -> str:
    """Return the network and the program of a session, by which staff can tell two apart."""
    sessions = UserSession.objects.filter(session_key=session.session_key)
    return next((f"{row.ip}, {row.user_agent}" for row in sessions), "")


def _has_to_wait(own: OwnAddresses, added_id: int, replaced: OwnAddress | None) -> bool:
    """Tell whether a change waits: the session did not just prove what had been proved before."""
    mailboxes = own.proved_mailboxes - {added_id}
    if mailboxes and not mailboxes & own.fresh:
        return True
    return replaced is not None and replaced.id in own.proved - own.fresh


def _has_record(mailbox: Identifier) -> bool:
    """Tell whether a mailbox has a record with something on it, in any of its joined periods."""
    of_record = Identifier.objects.filter(customer=mailbox.customer_id, erasure=None)
    periods = of_record.filter(kind=mailbox.kind, value=mailbox.value)
    if of_record.exclude(pk__in=periods).exists():
        return True
    events = Event.objects.filter(customer_id__in=periods.exclude(record=None).values("record"))
    return events.exclude(name__in=_PROOFS).exclude(kind="identity").exists()


def _values(own: OwnAddresses, ids: frozenset[int]) -> list[str]:
    return sorted(address.value for address in own.addresses if address.id in ids)
