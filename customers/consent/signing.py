"""The key that signs receipts, and the public keys of all receipts so far."""

import base64
from binascii import Error as NotBase64
from functools import cache

from django.conf import settings

from customers.consent.receipts import Signer
from customers.models import ReceiptKey

_SEED_LENGTH = 32


class NoReceiptKey(Exception):
    """RECEIPT_KEY is missing or is not a valid key."""


def signer() -> Signer:
    """Return the signer. Raise NoReceiptKey if no valid key is configured."""
    return _signer(settings.RECEIPT_KEY)


@cache
def _signer(encoded_key: str) -> Signer:
    try:
        seed = base64.b64decode(encoded_key, validate=True)
    except (NotBase64, ValueError):
        seed = b""
    if len(seed) != _SEED_LENGTH:
        raise NoReceiptKey
    return Signer(seed)


def published_signer() -> Signer:
    """Return the signer, and make sure that Butler publishes its public key."""
    current = signer()
    # Readers must be able to verify a receipt after the signing key has been replaced.
    ReceiptKey.objects.get_or_create(key_id=current.key_id, defaults={"public_key": current.public})
    return current


def published_keys() -> list[dict[str, str]]:
    """Return the public keys of all receipts, in the form in which Butler publishes them."""
    published_signer()
    return [
        {
            "key_id": key.key_id,
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(key.public_key).decode(),
            "first_used_at": key.first_used_at.isoformat(),
        }
        for key in ReceiptKey.objects.order_by("first_used_at", "key_id")
    ]
