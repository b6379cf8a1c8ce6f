"""Issues codes for mailboxes and phones, and checks them.

A request for a code does not read any account, so that strangers cannot find out whether an address
belongs to a customer. A code is valid with the handle of its request only, so no code of one address
counts for another one.
"""

import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from customers.db.advisory_locks import take_advisory_locks
from customers.identity import code_numbers
from customers.identity.normalize import normalize
from customers.models import SignInCode

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class InvalidAddress(ValueError):
    """The text is neither an e-mail address nor a phone number."""


class TooManyCodes(Exception):
    """More codes than the limit within a period. The next request is allowed in `seconds`."""

    def __init__(self, seconds: int, limit: int, period: timedelta) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.limit = limit
        self.period = period


class IssuedCode(NamedTuple):
    """A code to send to an address, and the handle that the client has to send with the code."""

    # "email" or "phone".
    kind: str
    address: str
    code: str
    handle: str


class _Budget(NamedTuple):
    """The codes that were requested with one value of a field may not exceed a limit in a period."""

    field: str
    value: object
    limit: int
    period: timedelta = _HOUR
    # The digest of the network to which the budget is restricted; empty for all networks.
    network: bytes = b""

    def share_of(self, network: bytes) -> Self:
        """Return the part of the budget that one network may use, so that it leaves some to others.

        Otherwise a stranger keeps a customer out by asking for all codes of the address.
        """
        return self._replace(limit=self.limit - self.limit // 3, network=network)

    @property
    def lock_name(self) -> bytes:
        return f"codes by {self.field} {self.value!r}".encode()


def issue_code(*, email: str, network: str, now: datetime) -> IssuedCode:
    """Issue a code for this mailbox. It is valid for BUTLER_CODE_SECONDS, with its handle only.

    Raises InvalidAddress or TooManyCodes.
    """
    address = normalize("email", email)
    if address is None or len(address) > 254:
        raise InvalidAddress
    budgets = [_Budget("email", address, settings.BUTLER_CODES_PER_ADDRESS)]
    return _issue("email", address, network, budgets, now)


def issue_text_code(*, phone: str, network: str, now: datetime) -> IssuedCode:
    """Issue a code for this phone, as `issue_code` does. An SMS costs money, so a day has limits, too.

    Raises InvalidAddress, code_numbers.NoCodeNumber or TooManyCodes.
    """
    country = settings.BUTLER_COUNTRY
    try:
        number = code_numbers.code_number(
            phone, region=country, prefixes=settings.BUTLER_SMS_PREFIXES
        )
    except code_numbers.NotANumber:
        raise InvalidAddress from None
    is_home = number.country_code == code_numbers.country_code_of(country)
    per_country = settings.BUTLER_SMS_CODES_AT_HOME if is_home else settings.BUTLER_SMS_CODES_ABROAD
    budgets = [
        _Budget("phone", number.value, settings.BUTLER_CODES_PER_ADDRESS),
        _Budget("phone", number.value, settings.BUTLER_SMS_CODES_PER_DAY, _DAY),
        _Budget("country_code", number.country_code, per_country, _DAY),
    ]
    return _issue("phone", number.value, network, budgets, now, country_code=number.country_code)


def _issue(
    kind: str,
    address: str,
    network: str,
    budgets: Sequence[_Budget],
    now: datetime,
    *,
    country_code: int = 0,
) -> IssuedCode:
    handle, code = secrets.token_urlsafe(24), f"{secrets.randbelow(1_000_000):06d}"
    network_digest = _digest("network", network)[:16]
    of_address = [budget for budget in budgets if budget.field == kind]
    budgets = [
        *budgets,
        *(budget.share_of(network_digest) for budget in of_address),
        _Budget("network", network_digest, settings.BUTLER_CODES_PER_NETWORK),
    ]
    with transaction.atomic():
        take_advisory_locks(*{budget.lock_name for budget in budgets})
        for budget in budgets:
            _enforce(budget, now)
        SignInCode.objects.create(
            handle_digest=_digest("handle", handle),
            code_digest=_digest("code", f"{handle} {code}"),
            network=network_digest,
            country_code=country_code,
            requested_at=now,
            expires_at=now + timedelta(seconds=settings.BUTLER_CODE_SECONDS),
            **{kind: address},
        )
    return IssuedCode(kind, address, code, handle)


def spend_code(handle: str, code: str, now: datetime) -> tuple[str, str] | None:
    """Mark the code as used and return the kind and the value of its address.

    The code counts in every spelling of its digits. For a wrong code, count the attempt and return
    None. The lock makes simultaneous attempts wait for
    each other, so that the limit also holds for them.
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
    code_digest = _digest("code", f"{handle} {_typed_digits(code)}")
    if not constant_time_compare(bytes(sign_in_code.code_digest), code_digest):
        SignInCode.objects.filter(pk=sign_in_code.pk).update(tries=F("tries") + 1)
        return None
    SignInCode.objects.filter(pk=sign_in_code.pk).update(spent_at=now)
    return ("phone", sign_in_code.phone) if sign_in_code.phone else ("email", sign_in_code.email)


def _typed_digits(code: str) -> str:
    """Return the digits of a code as it was typed, copied or dictated: 123 456, 123-456, １２３４５６."""
    return "".join(str(unicodedata.decimal(sign)) for sign in code if sign.isdecimal())


def delete_expired_codes(*, now: datetime) -> None:
    """Delete codes that no limit counts any more."""
    SignInCode.objects.filter(requested_at__lt=now - 2 * _HOUR, phone="").delete()
    SignInCode.objects.filter(requested_at__lt=now - _DAY - _HOUR).delete()


def handle_digest(handle: str) -> str:
    """Return the digest of the handle of a code, in hex."""
    return _digest("handle", handle).hex()


def _digest(purpose: str, text: str) -> bytes:
    return salted_hmac(f"customers.sign_in.{purpose}", text, algorithm="sha256").digest()


def _enforce(budget: _Budget, now: datetime) -> None:
    """Raise TooManyCodes if the budget is used up, until its earliest code is old enough."""
    codes = SignInCode.objects.filter(
        (budget.field, budget.value), requested_at__gt=now - budget.period
    )
    if budget.network:
        codes = codes.filter(network=budget.network)
    times = codes.order_by("-requested_at").values_list("requested_at", flat=True)
    last_allowed = times[budget.limit - 1 : budget.limit].first() if budget.limit else now
    if last_allowed is not None:
        seconds = int((last_allowed + budget.period - now).total_seconds()) + 1
        raise TooManyCodes(seconds, budget.limit, budget.period)
