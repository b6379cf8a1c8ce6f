"""Standard Webhooks signatures (standard-webhooks/standard-webhooks, spec), checked. Pure."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

# Older than this may be a request that somebody kept, and newer is a wrong clock.
TOLERANCE = timedelta(minutes=5)
PREFIX = "whsec_"


class WrongSignature(Exception):
    """Not signed by who has the secret, or not now."""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return what a signature header says: version and base64 of the HMAC."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, sha256)).decode()


def check(
    secrets: Iterable[str],
    *,
    message_id: str,
    timestamp: str,
    signatures: str,
    body: bytes,
    now: datetime,
) -> None:
    """Raise WrongSignature unless one of the secrets signed this within the tolerance."""
    if not message_id or not timestamp.isascii() or not timestamp.isdecimal():
        raise WrongSignature("webhook-id or webhook-timestamp is missing")
    if len(timestamp) > 12 or abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise WrongSignature("webhook-timestamp is more than five minutes off")
    given = [one.encode() for one in signatures.split(" ") if one.startswith("v1,")]
    matches = False
    # No early way out: how long this takes tells nothing about which secret it was.
    for secret in secrets:
        right = sign(secret, message_id, int(timestamp), body).encode()
        for one in given:
            matches |= hmac.compare_digest(one, right)
    if not matches:
        raise WrongSignature("no signature is by a secret of the source")


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX))
    except binascii.Error:
        raise WrongSignature("the secret of the source is not base64") from None
