"""Signs customers in with a code that Butler sends to their address.

A request for a code does not read any account, so that strangers cannot find out whether an address
belongs to a customer. When the customer enters the code, Butler creates the account. The account
opens the record of the proved address. Claims of others about that address belong to other records
(docs/adr/0007).
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Greatest, Lower
from django.utils.crypto import constant_time_compare, salted_hmac
from uuid_utils.compat import uuid7

from customers import ingest
from customers.events import internal_sources
from customers.identity.normalize import normalize
from customers.identity.openable_graph import SessionProofs, read_openable
from customers.identity.resolution import stored_identifier
from customers.models import (
    AttemptCount,
    Evidence,
    Identifier,
    SignInCode,
    Suppression,
    User,
)
from customers.types import ACCOUNT_OPENED, ADDRESS_PROVED, OPENED, IncomingEvent

_HOUR = timedelta(hours=1)


class InvalidEmail(ValueError):
    """The text is not an e-mail address."""


class TooManyCodes(Exception):
    """Too many codes were requested. The next request is allowed in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class WrongCode(Exception):
    """The code is wrong, expired or used, or had too many attempts. Butler does not tell which."""


class StaffSignInRequired(Exception):
    """The code is right, but the login belongs to staff, who sign in with a second factor."""


class IssuedCode(NamedTuple):
    """A code to send to the address, and the handle that the client has to send with the code."""

    email: str
    code: str
    handle: str


def issue_code(*, email: str, network: str, now: datetime) -> IssuedCode:
    """Issue a code for this address. It is valid for BUTLER_CODE_SECONDS, with its handle only.

    Raises InvalidEmail or TooManyCodes.
    """
    address = normalize("email", email)
    if address is None or len(address) > 254:
        raise InvalidEmail
    handle, code = secrets.token_urlsafe(24), f"{secrets.randbelow(1_000_000):06d}"
    network_digest = _digest("network", network)[:16]
    with transaction.atomic():
        take_advisory_locks(address.encode(), network_digest)
        _enforce_limit("email", address, settings.BUTLER_CODES_PER_ADDRESS, now)
        _enforce_limit("network", network_digest, settings.BUTLER_CODES_PER_NETWORK, now)
        SignInCode.objects.create(
            handle_digest=_digest("handle", handle),
            code_digest=_digest("code", f"{handle} {code}"),
            email=address,
            network=network_digest,
            requested_at=now,
            expires_at=now + timedelta(seconds=settings.BUTLER_CODE_SECONDS),
        )
    return IssuedCode(address, code, handle)


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
    # Durable: inside an outer transaction, the error of a wrong code would undo the count.
    with transaction.atomic(durable=True):
        if email := spend_code(handle, code, now):
            user = _get_or_create_user(email, language, now)
            if open_session:
                open_session(user)
            return user
    raise WrongCode


def spend_code(handle: str, code: str, now: datetime) -> str | None:
    """Mark the code as used and return its address; count a wrong attempt and return None.

    The lock makes simultaneous attempts wait for each other, so that the limit also holds for them.
    """
    sign_in_code = (
        SignInCode.objects.select_for_update()
        .filter(
            handle_digest=_digest("handle", handle),
            tries__lt=settings.BUTLER_CODE_TRIES,
            spent_at__isnull=True,
            expires_at__gt=now,
        )
        .first()
    )
    if sign_in_code is None:
        return None
    code_digest = _digest("code", f"{handle} {code.strip()}")
    if not constant_time_compare(bytes(sign_in_code.code_digest), code_digest):
        SignInCode.objects.filter(pk=sign_in_code.pk).update(tries=F("tries") + 1)
        return None
    SignInCode.objects.filter(pk=sign_in_code.pk).update(spent_at=now)
    return sign_in_code.email


def _get_or_create_user(email: str, language: str, now: datetime) -> User:
    take_advisory_locks(email.encode())
    user = _find_user_by_email(email)
    if user and user.is_staff:
        raise StaffSignInRequired
    if user and not user.is_active:
        raise WrongCode
    if user is None:
        user = User.objects.create_user(email, language=language)
    record_id = prove_mailbox(email, now).record_id
    if user.record_id != record_id:
        _link_to_record(user, record_id)
    _open_accounts(user, now)
    return user


def prove_mailbox(email: str, now: datetime) -> Identifier:
    """Store that a code proved a mailbox, and return it. Raises WrongCode for a blocked address.

    Mail arrives there, so an earlier bounce no longer counts.
    """
    _store_address_proved_event(email, now)
    mailbox = Identifier.objects.filter(
        kind="email", value=email, evidence=Evidence.VERIFIED
    ).latest("period")
    if mailbox.proved_at is None:
        Identifier.objects.filter(pk=mailbox.pk, proved_at=None).update(
            proved_at=now, best_evidence=Greatest("best_evidence", OPENED)
        )
        mailbox.refresh_from_db()
    lift_suppressions("email", email, [Suppression.Reason.BOUNCED], now=now)
    return mailbox


def lift_suppressions(channel: str, address: str, reasons: Iterable[str], *, now: datetime) -> bool:
    """Let a channel send to an address again, as far as these reasons stopped it."""
    suppressions = Suppression.objects.filter(
        channel=channel, address=address, reason__in=list(reasons), lifted_at=None
    )
    return bool(suppressions.update(lifted_at=now))


def _open_accounts(user: User, now: datetime) -> None:
    """Record that the code opened the accounts that are the only ones to state its mailbox."""
    graph = read_openable(SessionProofs(user.record_id, user.email))
    identifiers = {id_: openable.node for id_, openable in graph.identifiers.items()}
    for mailbox, account in graph.open().newly_opened:
        store_event(
            ACCOUNT_OPENED,
            now,
            ("email", identifiers[mailbox].value),
            stored_identifier(identifiers[account].kind, identifiers[account].value),
        )


def _link_to_record(user: User, record_id: UUID | None) -> None:
    """Link a login to another record, and end all sessions of the login."""
    # Another person may have created this login earlier. Therefore its sessions end and its
    # password becomes invalid.
    end_sessions(user)
    # Sessions depend on the password, so this also ends sessions that have no UserSession row.
    user.set_unusable_password()
    user.record_id = record_id
    user.save()


def _find_user_by_email(email: str) -> User | None:
    return User.objects.alias(folded=Lower("email")).filter(folded=email).order_by("pk").first()


def _store_address_proved_event(email: str, now: datetime) -> None:
    """Store the event "Address Proved", which creates the verified identifier."""
    if not store_event(ADDRESS_PROVED, now, ("email", email)):
        # The company has blocked this address, such as the address of an office.
        raise WrongCode


def store_event(
    name: str,
    now: datetime,
    *identifiers: tuple[str, str],
    traits: dict[str, object] | None = None,
) -> bool:
    """Store an event of Butler that these identifiers are one customer; return if it was accepted.

    The first identifier is the mailbox, which is the trait `email` unless there are other traits.
    """
    event = _identify_event(name, now, identifiers, traits or {"email": identifiers[0][1]})
    receipt = ingest.store_events(sender=internal_sources.BUTLER, events=[event], received_at=now)
    return receipt.outcomes[0].status == "accepted"


def _identify_event(
    name: str,
    now: datetime,
    identifiers: tuple[tuple[str, str], ...],
    traits: dict[str, object],
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
    )


def end_sessions(user: User, *, except_key: str = "") -> None:
    """End all sessions of this login, except the session with the key `except_key`."""
    sessions = UserSession.objects.filter(user=user).exclude(session_key=except_key)
    Session.objects.filter(session_key__in=sessions.values("session_key")).delete()
    sessions.delete()


def delete_expired(*, now: datetime) -> None:
    """Delete expired sessions, and codes and attempts that are older than two hours."""
    SignInCode.objects.filter(requested_at__lt=now - 2 * _HOUR).delete()
    AttemptCount.objects.filter(window__lt=now - 2 * _HOUR).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    existing = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(existing)).delete()


def handle_digest(handle: str) -> str:
    """Return the digest of the handle of a code, in hex."""
    return _digest("handle", handle).hex()


def _digest(purpose: str, text: str) -> bytes:
    return salted_hmac(f"customers.sign_in.{purpose}", text, algorithm="sha256").digest()


def take_advisory_locks(*names: bytes) -> None:
    """Lock these names until the transaction ends, so that their requests are counted in turn."""
    numbers = sorted(
        int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True) for name in names
    )
    # unnest keeps the order, so that two requests with the same names cannot wait for each other.
    lock = "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"
    with connection.cursor() as cursor:
        cursor.execute(lock, [numbers])


def _enforce_limit(field: str, value: object, limit: int, now: datetime) -> None:
    recent: Iterable[datetime] = (
        SignInCode.objects.filter((field, value), requested_at__gt=now - _HOUR)
        .order_by("-requested_at")
        .values_list("requested_at", flat=True)[:limit]
    )
    times = list(recent)
    if len(times) >= limit:
        raise TooManyCodes(int((times[-1] + _HOUR - now).total_seconds()) + 1)
