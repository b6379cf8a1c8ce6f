"""Standard Webhooks signatures (standard-webhooks/standard-webhooks, spec), checked. Pure."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

# Older than this may be a request that somebody kept, and newer is a wrong clock.
TOLERANCE = timedelta(minutes=5)
SECRET_PREFIX = "whsec_"


class InvalidSignature(Exception):
    """No secret of the source signed this, or not within the tolerance."""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return what a signature header says: version and base64 of the HMAC."""
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
    """Raise InvalidSignature unless one of the secrets signed this within the tolerance."""
    _check_headers(message_id, timestamp, now)
    encoded_signatures = [
        signature.encode() for signature in signatures.split(" ") if signature.startswith("v1,")
    ]
    matches = False
    # No early return: how long this takes tells nothing about which secret it was.
    for secret in secrets:
        expected = sign(secret, message_id, int(timestamp), body).encode()
        for signature in encoded_signatures:
            matches |= hmac.compare_digest(signature, expected)
    if not matches:
        raise InvalidSignature("no signature is by a secret of the source")


def _check_headers(message_id: str, timestamp: str, now: datetime) -> None:
    if not message_id or not timestamp.isascii() or not timestamp.isdecimal():
        raise InvalidSignature("webhook-id or webhook-timestamp is missing")
    if len(timestamp) > 12 or abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise InvalidSignature("webhook-timestamp is more than five minutes off")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    except binascii.Error:
        raise InvalidSignature("the secret of the source is not base64") from None
