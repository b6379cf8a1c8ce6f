"""Verify signatures by Standard Webhooks (standard-webhooks/standard-webhooks, spec). Pure."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

# An older request may be a replay by an attacker. A newer one has a wrong clock.
TOLERANCE = timedelta(minutes=5)
SECRET_PREFIX = "whsec_"


class InvalidSignature(Exception):
    """No secret of the source signed the request, or its time is outside the tolerance."""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the text of a signature header: the version and the HMAC in Base64."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), content, sha256)).decode()


def verify(
    secrets: Iterable[str],
    *,
    message_id: str,
    timestamp: str,
    signatures: str,
    body: bytes,
    now: datetime,
) -> None:
    """Raise InvalidSignature unless one of the secrets signed the request within the tolerance."""
    _check_headers(message_id, timestamp, now)
    encoded_signatures = [
        signature.encode() for signature in signatures.split(" ") if signature.startswith("v1,")
    ]
    matches = False
    # No early return, so that the duration does not reveal which secret matched.
    for secret in secrets:
        expected = sign(secret, message_id, int(timestamp), body).encode()
        for signature in encoded_signatures:
            matches |= hmac.compare_digest(signature, expected)
    if not matches:
        raise InvalidSignature("no secret of the source made a signature of this request")


def _check_headers(message_id: str, timestamp: str, now: datetime) -> None:
    if not message_id or not timestamp.isascii() or not timestamp.isdecimal():
        raise InvalidSignature("webhook-id or webhook-timestamp is missing")
    if len(timestamp) > 12 or abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise InvalidSignature("webhook-timestamp is more than five minutes from now")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    except binascii.Error:
        raise InvalidSignature("the secret of the source is not Base64") from None
