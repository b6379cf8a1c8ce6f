"""Passkeys of customers: create, rename, remove, and sign in with them.

A passkey belongs to a login and proves the login's address, in the period in which it was created. It
opens what this address opens (docs/reference/identity.md), as a code does. Staff have none.
"""

import logging
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import F, QuerySet, Subquery

from customers.access import webauthn
from customers.access.proof_times import PASSKEY, fresh_proofs
from customers.access.session_identifiers import has_later_holder, proved_address
from customers.access.sessions import session_proofs
from customers.access.webauthn import InvalidCredential
from customers.actions import passkey_challenges, passkey_notices
from customers.identity.normalize import normalize
from customers.identity.openable_graph import read_openable
from customers.models import Passkey, User

_log = logging.getLogger(__name__)

MAX_NAME_LENGTH = 60
_MAX_PASSKEYS = 20
_HANDLE_LENGTH = 32


class OldProof(Exception):
    """The session did not prove the address of its login within the last minutes."""


class TooManyPasskeys(Exception):
    """The login has as many passkeys as one may have."""


class NoSuchPasskey(LookupError):
    """The login has no such passkey."""


class ClonedPasskey(InvalidCredential):
    """The authenticator counts fewer signatures than before, so that a copy of it exists."""


def current_passkeys(user: User) -> QuerySet[Passkey]:
    """Return the passkeys that open this login, the earliest first."""
    return _current().filter(user=user).order_by("id")


def _current() -> QuerySet[Passkey]:
    """Return the passkeys whose login still proves the address for which they were created."""
    return Passkey.objects.filter(
        ~has_later_holder("address__"),
        user__is_active=True,
        user__is_staff=False,
        address__record=F("user__record"),
        address__erasure=None,
    )


def has_fresh_proof(user: User, session: SessionBase, *, now: datetime) -> bool:
    """Tell whether the session may create a passkey: it proved the address within 15 minutes."""
    try:
        _fresh_address(user, session, now)
    except OldProof:
        return False
    return True


def creation_options(
    user: User, session: SessionBase, *, binding: str, now: datetime
) -> dict[str, Any]:
    """Return the options with which a browser or an app creates a passkey for the login.

    Raises OldProof or TooManyPasskeys.
    """
    _fresh_address(user, session, now)
    passkeys = list(current_passkeys(user))
    if len(passkeys) >= _MAX_PASSKEYS:
        raise TooManyPasskeys
    return webauthn.creation_options(
        passkey_challenges.issue(binding, user=user, now=now),
        user_handle=_handle(user),
        user_name=user.address[1],
        excluded=[(bytes(passkey.credential_id), passkey.transports) for passkey in passkeys],
    )


def create(
    user: User,
    session: SessionBase,
    credential: Mapping[str, Any],
    *,
    binding: str,
    name: str,
    now: datetime,
) -> Passkey:
    """Store the passkey that an authenticator created, and tell the address about it.

    Raises OldProof, TooManyPasskeys, InvalidCredential, or MessageNotSent if the notice is not
    possible now: without it there is no passkey.
    """
    address_id = _fresh_address(user, session, now)
    challenge = webauthn.creation_challenge(credential)
    if not passkey_challenges.spend(challenge, binding, user=user, now=now):
        raise InvalidCredential
    created = webauthn.verify_creation(credential)
    with transaction.atomic():
        # Simultaneous creations of one login count each other.
        User.objects.select_for_update().get(pk=user.pk)
        if Passkey.objects.filter(user=user).count() >= _MAX_PASSKEYS:
            raise TooManyPasskeys
        if Passkey.objects.filter(credential_id=created.credential_id).exists():
            raise InvalidCredential
        passkey = Passkey.objects.create(
            user=user,
            address_id=address_id,
            name=clean_name(name),
            created_at=now,
            **created._asdict(),
        )
        passkey_notices.send_added(passkey)
    return passkey


def rename(user: User, passkey_id: int, name: str) -> Passkey:
    """Give a passkey another name. Raises NoSuchPasskey."""
    passkey = _find(user, passkey_id)
    passkey.name = clean_name(name)
    passkey.save(update_fields=["name"])
    return passkey


def remove(user: User, passkey_id: int, *, current_key: str) -> None:
    """Delete a passkey, end the other sessions that it opened, and tell the address.

    current_key: the key of the session that removes it. Raises NoSuchPasskey.
    """
    passkey = _find(user, passkey_id)
    passkey.delete()
    _end_sessions(user, passkey_id, current_key)
    passkey_notices.send_removed(passkey)


def sign_in_options(binding: str, *, now: datetime) -> dict[str, Any]:
    """Return the options to sign in. They are the same for everybody, and name no passkey."""
    return webauthn.request_options(passkey_challenges.issue(binding, user=None, now=now))


def sign_in(
    credential: Mapping[str, Any],
    *,
    binding: str,
    now: datetime,
    open_session: Callable[[User, int], object],
) -> User:
    """Return the login whose passkey answered the challenge of this binding.

    `open_session` gets the login and the id of the passkey, in the transaction that counts the
    signature. Raises InvalidCredential, also for a passkey that does not exist or opens nothing.
    """
    assertion = webauthn.read_assertion(credential)
    if not passkey_challenges.spend(assertion.challenge, binding, user=None, now=now):
        raise InvalidCredential
    with transaction.atomic():
        passkey = (
            _current()
            .filter(credential_id=assertion.credential_id)
            .select_related("user")
            .select_for_update(of=("self",))
            .first()
        )
        assertion.verify(
            bytes(passkey.credential)
            if passkey
            else webauthn.unknown_credential(assertion.credential_id)
        )
        if passkey is None or assertion.user_handle != bytes(passkey.user.passkey_handle or b""):
            raise InvalidCredential
        if not _is_next(passkey.sign_count, assertion.sign_count):
            _warn(passkey)
            raise ClonedPasskey
        passkey.sign_count, passkey.last_used_at = assertion.sign_count, now
        passkey.save(update_fields=["sign_count", "last_used_at"])
        open_session(passkey.user, passkey.pk)
    return passkey.user


def clean_name(name: str) -> str:
    """Return a name on one line without control characters; it may be empty."""
    visible = "".join(
        character if unicodedata.category(character)[0] != "C" else " " for character in name
    )
    return " ".join(visible.split())[:MAX_NAME_LENGTH].strip()


def _is_next(earlier: int, count: int) -> bool:
    """Tell whether a count follows the earlier one. Synced passkeys count nothing: both are 0."""
    return count > earlier or count == earlier == 0


def _warn(passkey: Passkey) -> None:
    # Without the name and the address.
    _log.warning("passkey %s may have a copy: its counter went back", passkey.pk)
    passkey_notices.send_copy_refused(passkey)


def _fresh_address(user: User, session: SessionBase, now: datetime) -> int:
    """Return the address of the login if the session proved it within the last minutes."""
    kind, value = user.address
    address = proved_address().filter(kind=kind, value=normalize(kind, value))
    logins = User.objects.filter(pk=user.pk, is_active=True, is_staff=False)
    address_id = logins.values_list(Subquery(address.values("pk")[:1]), flat=True).first()
    graph = read_openable(session_proofs(user, session))
    if address_id is None or address_id not in fresh_proofs(session, graph, now):
        raise OldProof
    return int(address_id)


def _handle(user: User) -> bytes:
    """Return the random name of the login for authenticators, which it keeps."""
    User.objects.filter(pk=user.pk, passkey_handle=None).update(
        passkey_handle=secrets.token_bytes(_HANDLE_LENGTH)
    )
    user.refresh_from_db(fields=["passkey_handle"])
    return bytes(user.passkey_handle or b"")


def _find(user: User, passkey_id: int) -> Passkey:
    passkey = current_passkeys(user).filter(pk=passkey_id).first()
    if passkey is None:
        raise NoSuchPasskey
    return passkey


def _end_sessions(user: User, passkey_id: int, current_key: str) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for session in UserSession.objects.filter(user=user).exclude(session_key=current_key):
        if store(session.session_key).get(PASSKEY) == passkey_id:
            session.end()
