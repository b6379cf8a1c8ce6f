"""Signs staff in with address and password, and then with a second factor.

Each attempt is counted before it is answered (customers.actions.attempt_limits). The answer and its
duration do not reveal whether a login exists.
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
from customers.actions.attempt_limits import (
    AttemptLimit,
    WrongProof,
    count_attempt,
    counted_attempt,
    refuse_at_limit,
    reset_attempts,
)
from customers.models import User

# STEP: the seconds for which an authenticator app shows a code. DRIFT: the number of steps that
# the clock of the app may be early or late.
STEP, DRIFT = 30, 1


class WrongPassword(WrongProof):
    """The address and the password do not match an active staff login."""


class WrongAuthenticatorCode(WrongProof):
    """The code is not the current code of the app or an unused recovery code, or was used."""


# The limits of an address from one network, of an address from all networks, and of a network with
# all addresses. The second is so high that a stranger cannot easily lock a staff member out.
PAIR, ADDRESS, NETWORK = (
    AttemptLimit("pair", 10),
    AttemptLimit("address", 100),
    AttemptLimit("network", 200),
)
# The limit of codes for one login. Strangers cannot use it up, because they need a password first.
CODE = AttemptLimit("code", 5)


def check_password(*, email: str, password: str, network: str, now: datetime) -> User:
    """Return the active staff login with this address and password.

    Raises WrongPassword or TooManyAttempts.
    """
    address = email.strip().casefold()[:254]
    pair = f"{address} {network}"
    attempts = ((PAIR, pair), (ADDRESS, address), (NETWORK, network))
    for limit, subject in attempts:
        refuse_at_limit(limit, subject, now)
    user = User.objects.filter(email__iexact=address, is_staff=True, is_active=True).first()
    if user is None:
        # Hashing takes the same time as the check of a real password.
        User().set_password(password)
    is_right = user is not None and user.check_password(password)
    # After the check, which takes long: the counts are locked until the commit.
    with transaction.atomic(durable=True):
        for limit, subject in attempts:
            count_attempt(limit, subject, now)
        if is_right:
            reset_attempts(PAIR, pair, now)
    if user is None or not is_right:
        raise WrongPassword
    return user


def has_second_factor(user: User) -> bool:
    """Tell whether the login has an authenticator app. Recovery codes alone do not count."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def check_code(
    *, user: User, code: str, now: datetime, open_session: Callable[[], object] = lambda: None
) -> None:
    """Check and use up a code of the authenticator app, or a recovery code.

    `open_session` runs in the transaction that marks the code as used. Raises
    WrongAuthenticatorCode or TooManyAttempts.
    """
    code = "".join(code.split())
    with counted_attempt(CODE, str(user.pk), now):
        if not (_spend_app_code(user, code, now) or _spend_recovery_code(user, code)):
            raise WrongAuthenticatorCode
        open_session()


def check_app_code(*, user: User, code: str, now: datetime) -> None:
    """Check and use up a code of the authenticator app. Recovery codes are not accepted here.

    So a person with one stolen recovery code cannot get new ones. Raises WrongAuthenticatorCode or
    TooManyAttempts.
    """
    with counted_attempt(CODE, str(user.pk), now):
        if not _spend_app_code(user, "".join(code.split()), now):
            raise WrongAuthenticatorCode


def recovery_codes(*, user: User) -> list[str]:
    """Return the unused recovery codes."""
    factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    unused: list[str] = RecoveryCodes(factor).get_unused_codes() if factor else []
    return unused


@transaction.atomic
def renew_recovery_codes(*, user: User) -> list[str]:
    """Create and return new recovery codes. The old codes become invalid at this commit."""
    # This lock waits for a transaction that is using an old code, and blocks later ones.
    factor = RecoveryCodes.activate(user).instance
    factor = Authenticator.objects.select_for_update().get(pk=factor.pk)
    factor.data = {"seed": encrypt(RecoveryCodes.generate_seed()), "used_mask": 0}
    factor.save(update_fields=["data"])
    codes: list[str] = RecoveryCodes(factor).generate_codes()
    return codes


def new_secret() -> str:
    """Return a new random secret for an authenticator app, in base32. It is not stored."""
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
    """Store an authenticator app after a check of its code; return the recovery codes.

    `open_session` runs in the transaction that stores the app. Raises WrongAuthenticatorCode if
    the code is wrong or the login already has an app, and TooManyAttempts.
    """
    with counted_attempt(CODE, str(user.pk), now):
        counter = _counter_of(secret, "".join(code.split()), now)
        if counter is None:
            raise WrongAuthenticatorCode
        # A person who only knows the password must not add a second authenticator app.
        User.objects.select_for_update().get(pk=user.pk)
        if has_second_factor(user):
            raise WrongAuthenticatorCode
        codes = _activate_app(user, secret, counter)
        open_session()
    return codes


def _activate_app(user: User, secret: str, counter: int) -> list[str]:
    """Store an authenticator app with its last used code; return new recovery codes."""
    instance = TOTP.activate(user, secret).instance
    instance.data["last_counter"] = counter
    instance.save(update_fields=["data"])
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def totp(secret: str, now: datetime) -> str:
    """Return the code that an authenticator app with this secret shows now."""
    shown: str = format_hotp_value(hotp_value(secret, int(now.timestamp()) // STEP))
    return shown


@transaction.atomic
def _spend_app_code(user: User, code: str, now: datetime) -> bool:
    factors = Authenticator.objects.select_for_update().filter(
        user=user, type=Authenticator.Type.TOTP
    )
    for factor in factors:
        counter = _counter_shown(factor, code, now)
        # A code is valid once, so that a person who watched its entry cannot use it again.
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
        # If the key of a secret was removed, the secret stays unchanged and unusable.
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
        # The key of the codes was removed, or an administrator has just deleted the codes.
        return False
