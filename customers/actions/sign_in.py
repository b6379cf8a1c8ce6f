"""Signs customers in with a code that Butler sends to their mailbox or phone.

When the customer enters the code, Butler creates the login. The login opens the record of the proved
address. Claims of others about that address belong to other records (docs/adr/0007).
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Greatest, Lower
from uuid_utils.compat import uuid7

from customers import ingest
from customers.actions import sign_in_codes
from customers.db import retry
from customers.db.advisory_locks import take_advisory_locks
from customers.events import internal_sources
from customers.identity.openable_graph import SessionProofs, read_openable
from customers.identity.resolution import stored_identifier
from customers.identity.silences import note_silences
from customers.models import (
    AttemptCount,
    Evidence,
    Identifier,
    PasskeyChallenge,
    Suppression,
    User,
)
from customers.types import ACCOUNT_OPENED, ADDRESS_PROVED, OPENED, IncomingEvent

_HOUR = timedelta(hours=1)
# The channel whose bounces a code lifts, by the kind of the address.
_CHANNELS = {"email": "email", "phone": "sms"}


class WrongCode(Exception):
    """The code is wrong, expired or used, or had too many attempts. Butler does not tell which."""


class StaffSignInRequired(Exception):
    """The code is right, but the login belongs to staff, who sign in with a second factor."""


def verify_code(
    *,
    handle: str,
    code: str,
    language: str,
    now: datetime,
    open_session: Callable[[User], object] | None = None,
) -> User:
    """Return the login for this handle and code, which are then used up.

    `open_session` runs in the transaction that marks the code as used. If it raises an error, the
    code stays valid and the attempt does not count. Raises WrongCode or StaffSignInRequired.
    """

    def attempt() -> User | None:
        """Make one attempt. The count of a wrong code stays."""
        address = sign_in_codes.spend_code(handle, code, now)
        if address is None:
            return None
        user = _get_or_create_user(*address, language, now)
        if open_session:
            open_session(user)
        return user

    # Durable: inside an outer transaction, the error of a wrong code would undo the count.
    user = retry.on_conflict(attempt, is_durable=True)
    if user is None:
        raise WrongCode
    return user


def _get_or_create_user(kind: str, address: str, language: str, now: datetime) -> User:
    take_advisory_locks(address.encode())
    user = _find_user(kind, address)
    if user and user.is_staff:
        raise StaffSignInRequired
    if user and not user.is_active:
        raise WrongCode
    if user is None:
        user = User.objects.create_user(**{kind: address}, language=language)
    proved = prove_address(kind, address, now)
    if user.record_id != proved.record_id:
        _link_to_record(user, proved)
    _open_accounts(user, now)
    return user


def prove_address(kind: str, address: str, now: datetime) -> Identifier:
    """Store that a code proved a mailbox or a phone, and return it.

    Messages arrive there, so an earlier bounce no longer counts. Raises WrongCode for an address that
    the company blocked.
    """
    if not store_event(ADDRESS_PROVED, now, (kind, address)):
        # The company has blocked this address, such as the address of an office.
        raise WrongCode
    bounces = _suppressions(_CHANNELS[kind], address, [Suppression.Reason.BOUNCED])
    identifier = (
        Identifier.objects.filter(kind=kind, value=address, evidence=Evidence.VERIFIED)
        .annotate(is_suppressed=Exists(bounces))
        .latest("period")
    )
    is_first = identifier.proved_at is None
    if is_first:
        Identifier.objects.filter(pk=identifier.pk, proved_at=None).update(
            proved_at=now, best_evidence=Greatest("best_evidence", OPENED)
        )
    if note_silences([identifier.pk]) or is_first:
        identifier.refresh_from_db()
    if identifier.is_suppressed:
        bounces.update(lifted_at=now)
    return identifier


def lift_suppressions(channel: str, address: str, reasons: Iterable[str], *, now: datetime) -> bool:
    """Let a channel send to an address again, as far as these reasons stopped it."""
    return bool(_suppressions(channel, address, reasons).update(lifted_at=now))


def _suppressions(channel: str, address: str, reasons: Iterable[str]) -> QuerySet[Suppression]:
    """Return the suppressions of an address for these reasons that were not lifted."""
    return Suppression.objects.filter(
        channel=channel, address=address, reason__in=list(reasons), lifted_at=None
    )


def _open_accounts(user: User, now: datetime) -> None:
    """Record that the code opened the accounts that are the only ones to state its mailbox."""
    graph = read_openable(SessionProofs(user.record_id, user.address))
    identifiers = {id_: openable.node for id_, openable in graph.identifiers.items()}
    for mailbox, account in graph.open().newly_opened:
        store_event(
            ACCOUNT_OPENED,
            now,
            ("email", identifiers[mailbox].value),
            stored_identifier(identifiers[account].kind, identifiers[account].value),
        )


def _link_to_record(user: User, proved: Identifier) -> None:
    """Link a login to the record of its address. If the holder may be another one, end all access."""
    if _has_same_holder(user, proved):
        user.passkeys.update(address=proved)
    else:
        # Another person may have created this login earlier. Therefore its sessions and passkeys
        # end, and its password becomes invalid.
        end_access(user)
    user.record_id = proved.record_id
    user.save()


def _has_same_holder(user: User, proved: Identifier) -> bool:
    """Tell whether the address continues, without an end, the period that the login had proved.

    A stranger who states the address and takes it off begins a period, which ends nothing: both
    periods are on one record. The acts that end a period also end the access of its login.
    """
    return (
        user.record_id is not None
        and Identifier.objects.filter(
            kind=proved.kind,
            value=proved.value,
            evidence=Evidence.VERIFIED,
            erasure=None,
            record=user.record_id,
            customer=proved.customer_id,
        ).exists()
    )


def end_access(user: User) -> None:
    """End all ways into a login except a new code: sessions, passkeys and the password.

    The caller saves the login.
    """
    end_sessions(user)
    delete_passkeys(user)
    # Sessions depend on the password, so this also ends sessions that have no UserSession row.
    user.set_unusable_password()


def delete_passkeys(user: User) -> None:
    """Delete the passkeys of a login. The next ones get another handle. The caller saves the login."""
    user.passkeys.all().delete()
    user.passkey_handle = None


def _find_user(kind: str, address: str) -> User | None:
    if kind == "phone":
        return User.objects.filter(phone=address).first()
    logins = User.objects.alias(folded=Lower("email"))
    return logins.filter(folded=address).order_by("pk").first()


def store_event(
    name: str,
    now: datetime,
    *identifiers: tuple[str, str],
    traits: dict[str, object] | None = None,
    actor: str = "",
) -> bool:
    """Store an event of Butler that these identifiers are one customer; return if it was accepted.

    The first identifier is the address, which is the trait of its kind unless there are other traits.
    """
    event = _identify_event(name, now, identifiers, traits or dict(identifiers[:1]), actor)
    receipt = ingest.store_events(sender=internal_sources.BUTLER, events=[event], received_at=now)
    return receipt.outcomes[0].status == "accepted"


def _identify_event(
    name: str,
    now: datetime,
    identifiers: tuple[tuple[str, str], ...],
    traits: dict[str, object],
    actor: str,
) -> IncomingEvent:
    body = msgspec.json.encode({"type": "identify", "event": name, "traits": traits})
    return IncomingEvent(
        message_id=f"{name.lower().replace(' ', '-')}-{uuid7()}",
        kind="identify",
        name=name,
        identifiers=identifiers,
        occurred_at=now,
        body=body,
        body_hash=hashlib.blake2b(body, digest_size=16).digest(),
        traits=traits,
        actor=actor[:100],
    )


def end_sessions(user: User, *, except_key: str = "") -> None:
    """End all sessions of this login, except the session with the key `except_key`."""
    sessions = UserSession.objects.filter(user=user).exclude(session_key=except_key)
    Session.objects.filter(session_key__in=sessions.values("session_key")).delete()
    sessions.delete()


def delete_expired(*, now: datetime) -> None:
    """Delete expired sessions and challenges, and codes and attempts that no limit counts any more."""
    sign_in_codes.delete_expired_codes(now=now)
    AttemptCount.objects.filter(window__lt=now - 2 * _HOUR).delete()
    PasskeyChallenge.objects.filter(expires_at__lt=now).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    existing = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(existing)).delete()
