"""Identity tokens: JWTs by which the server of a source says which account is signed in.

The source signs a token with its identity secret and gives it to its app or page. The claims are
`iss` (the id of the source), `aud` ("butler"), `sub` (the number of the account), `iat` and `exp`.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import jwt

from customers.fault_isolation import FAULTS

ALGORITHM = "HS256"
AUDIENCE = "butler"
# The longest life of a token, and the difference between two clocks that Butler tolerates.
MAX_SECONDS = 3600
LEEWAY_SECONDS = 30
# In characters. A longer token is refused before it is decoded.
MAX_LENGTH = 2048

_CLAIMS = ("iss", "aud", "sub", "iat", "exp")
_ERRORS: tuple[type[Exception], ...] = (jwt.PyJWTError, *FAULTS)


class InvalidToken(Exception):
    """The token is not one of this source, or its claims are wrong."""

    # The sentence for the client.
    detail: ClassVar = "This identity token is not valid."


class ExpiredToken(InvalidToken):
    """The token is genuine, but its time is over."""

    detail = "This identity token has expired."


class UnknownSource(InvalidToken):
    """The token names no source that exists."""

    detail = "This identity token names no source."


class VerifiedToken(NamedTuple):
    """The account number of a genuine token, the secret that signed it, and the end of its time."""

    number: str
    secret: str
    # In seconds since 1970.
    ends_at: int


def verify(token: object, *, source_id: int, secrets: Sequence[str]) -> str:
    """Return the number of the account that a token of this source names.

    secrets: the identity secrets of the source. Raises ExpiredToken or InvalidToken.
    """
    return verify_token(token, source_id=source_id, secrets=secrets).number


def verify_token(token: object, *, source_id: int, secrets: Sequence[str]) -> VerifiedToken:
    """Return what a token of this source says. Raises ExpiredToken or InvalidToken."""
    if not isinstance(token, str) or len(token) > MAX_LENGTH:
        raise InvalidToken
    for secret in secrets:
        try:
            return _verify(token, source_id, secret)
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError:
            raise ExpiredToken from None
        except _ERRORS:
            raise InvalidToken from None
    raise InvalidToken


def _verify(token: str, source_id: int, secret: str) -> VerifiedToken:
    claims = jwt.decode(
        token,
        secret,
        algorithms=[ALGORITHM],
        audience=AUDIENCE,
        issuer=str(source_id),
        leeway=LEEWAY_SECONDS,
        options={"require": list(_CLAIMS), "strict_aud": True},
    )
    if not 0 < int(claims["exp"]) - int(claims["iat"]) <= MAX_SECONDS:
        raise InvalidToken
    return VerifiedToken(claims["sub"], secret, int(claims["exp"]))


def unverified_source_id(token: str) -> int | None:
    """Return the id of the source that a token names, to find its secrets; None without one.

    Anybody can write such a token. Only `verify` proves that it is genuine.
    """
    if len(token) > MAX_LENGTH:
        return None
    try:
        issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    except _ERRORS:
        return None
    is_id = isinstance(issuer, str) and issuer.isascii() and issuer.isdigit() and len(issuer) < 10
    return int(issuer) if is_id else None
