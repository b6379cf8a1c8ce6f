"""Letting staff in: an address with a password, then a second factor. Every try is counted.

Counted before looking, in a transaction of its own, so that however many tries come at once
only so many are looked at. Nobody learns from an answer, or from how long it takes, whether
there is such a login.
"""

import hmac
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from allauth.mfa.utils import decrypt, encrypt
from django.db import transaction

from customers.access.mfa import UndecryptableSecret
from customers.actions.attempt_limits import AttemptLimit, count_attempt, reset_attempts
from customers.models import User

# Seconds that a code of the authenticator app is shown for, and how many of them a clock may
# be early or late.
STEP, DRIFT = 30, 1


class WrongPassword(Exception):
    """Address and password do not belong together, or it is nobody of staff."""


class WrongAuthenticatorCode(Exception):
    """The code is none that the app shows now, none of the unused recovery codes, or was used."""


# An address from one network; an address from anywhere, so high that a stranger cannot lock
# somebody out by hand; a network with all its addresses.
PAIR, ADDRESS, NETWORK = (
    AttemptLimit("pair", 10),
    AttemptLimit("address", 100),
    AttemptLimit("network", 200),
)
# Only who has the password gets to the second factor, so nobody else can use these up.
CODE = AttemptLimit("code", 5)


def check_password(*, email: str, password: str, network: str, now: datetime) -> User:
    """Return the open staff login of this address and password."""
    address = email.strip().casefold()[:254]
    count_attempt(PAIR, f"{address} {network}", now)
    count_attempt(ADDRESS, address, now)
    count_attempt(NETWORK, network, now)
    user = User.objects.filter(email__iexact=address, is_staff=True, is_active=True).first()
    if user is None:
        # As long as a real comparison takes.
        User().set_password(password)
        raise WrongPassword
    if not user.check_password(password):
        raise WrongPassword
    reset_attempts(PAIR, f"{address} {network}", now)
    return user


def has_second_factor(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def check_code(
    *, user: User, code: str, now: datetime, open_session: Callable[[], object] = lambda: None
) -> None:
    """Take a code of the authenticator app, or one of the recovery codes, once.

    `open_session` runs in the transaction that spends the code.
    """
    count_attempt(CODE, str(user.pk), now)
    code = "".join(code.split())
    with transaction.atomic():
        if not (_spend_app_code(user, code, now) or _spend_recovery_code(user, code)):
            raise WrongAuthenticatorCode
        reset_attempts(CODE, str(user.pk), now)
        open_session()


def check_app_code(*, user: User, code: str, now: datetime) -> None:
    """Take a code of the authenticator app alone: who found one recovery code gets no others."""
    count_attempt(CODE, str(user.pk), now)
    if not _spend_app_code(user, "".join(code.split()), now):
        raise WrongAuthenticatorCode
    reset_attempts(CODE, str(user.pk), now)


def recovery_codes(*, user: User) -> list[str]:
    """Return the recovery codes that were not used yet."""
    factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    unused: list[str] = RecoveryCodes(factor).get_unused_codes() if factor else []
    return unused


@transaction.atomic
def renew_recovery_codes(*, user: User) -> list[str]:
    """Make new recovery codes; from this commit on the old ones open nothing."""
    # Whoever spends one at this moment holds the row, or waits for it.
    factor = RecoveryCodes.activate(user).instance
    factor = Authenticator.objects.select_for_update().get(pk=factor.pk)
    factor.data = {"seed": encrypt(RecoveryCodes.generate_seed()), "used_mask": 0}
    factor.save(update_fields=["data"])
    codes: list[str] = RecoveryCodes(factor).generate_codes()
    return codes


def new_secret() -> str:
    secret: str = generate_totp_secret()
    return secret


def enroll(
    *,
    user: User,
    secret: str,
    code: str,
    now: datetime,
    open_session: Callable[[], object] = lambda: None,
) -> list[str]:
    """Take up an authenticator app that shows the right code; return the recovery codes.

    `open_session` runs in the transaction that stores the app.
    """
    count_attempt(CODE, str(user.pk), now)
    counter = _counter_of(secret, "".join(code.split()), now)
    if counter is None:
        raise WrongAuthenticatorCode
    with transaction.atomic():
        # Whoever has only the password must not put a factor of theirs beside the owner's.
        User.objects.select_for_update().get(pk=user.pk)
        if has_second_factor(user):
            raise WrongAuthenticatorCode
        codes = _activate_app(user, secret, counter)
        reset_attempts(CODE, str(user.pk), now)
        open_session()
    return codes


def _activate_app(user: User, secret: str, counter: int) -> list[str]:
    """Store an authenticator app whose code was used; return new recovery codes."""
    instance = TOTP.activate(user, secret).instance
    instance.data["last_counter"] = counter
    instance.save(update_fields=["data"])
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def totp(secret: str, now: datetime) -> str:
    """Return the code that an app with this secret shows now."""
    shown: str = format_hotp_value(hotp_value(secret, int(now.timestamp()) // STEP))
    return shown


@transaction.atomic
def _spend_app_code(user: User, code: str, now: datetime) -> bool:
    factors = Authenticator.objects.select_for_update().filter(
        user=user, type=Authenticator.Type.TOTP
    )
    for factor in factors:
        counter = _counter_shown(factor, code, now)
        # A code that was looked at over a shoulder is worth nothing once it was used.
        if counter is not None and counter > factor.data.get("last_counter", 0):
            factor.data["last_counter"] = counter
            factor.last_used_at = now
            factor.save(update_fields=["data", "last_used_at"])
            _reencrypt(user)
            return True
    return False


def _reencrypt(user: User) -> None:
    """Encrypt this login's secrets with the newest key, so that older keys can be removed."""
    for factor in Authenticator.objects.select_for_update().filter(user=user):
        # What an older key took with it when it went stays as it is, and worth nothing.
        with suppress(UndecryptableSecret):
            factor.data |= {
                name: encrypt(decrypt(factor.data[name]))
                for name in ("secret", "seed")
                if name in factor.data
            }
            factor.save(update_fields=["data"])


def _counter_shown(factor: Authenticator, code: str, now: datetime) -> int | None:
    try:
        return _counter_of(decrypt(factor.data["secret"]), code, now)
    except UndecryptableSecret:
        return None


def _counter_of(secret: str, code: str, now: datetime) -> int | None:
    current = int(now.timestamp()) // STEP
    for counter in range(current - DRIFT, current + DRIFT + 1):
        shown = format_hotp_value(hotp_value(secret, counter))
        if hmac.compare_digest(shown.encode(), code.encode()):
            return counter
    return None


def _spend_recovery_code(user: User, code: str) -> bool:
    factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    try:
        return bool(factor) and bool(RecoveryCodes(factor).validate_code(code))
    except (UndecryptableSecret, Authenticator.DoesNotExist):
        # Of a key that is gone; or deleted by the administrator in this very moment.
        return False
