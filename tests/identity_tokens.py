"""Signs identity tokens as the server of a source does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from customers.actions.identity_secrets import add_identity_secret
from customers.models import Source

HOUR = timedelta(hours=1)


def identity_secret(source: Source) -> str:
    """Give a source a secret, and return it."""
    return add_identity_secret(source_id=source.pk)


def claims_of(source: Source, number: str, **changed: Any) -> dict[str, Any]:
    """Return the claims of a valid token. A claim that is changed to None is left out."""
    now = datetime.now(UTC)
    claims = {"iss": str(source.pk), "aud": "butler", "sub": number, "iat": now, "exp": now + HOUR}
    return {name: value for name, value in (claims | changed).items() if value is not None}


def sign(source: Source, secret: str, number: str, **changed: Any) -> str:
    """Return a token that names an account of the source."""
    return jwt.encode(claims_of(source, number, **changed), secret, algorithm="HS256")
