"""The codes of tickets: makes, reads, digests and encrypts them. Pure.

The database holds a keyed digest of each code, which finds it, and the encrypted code, which the
pages of its holder show. Neither the log nor the logs of the processes contain a code.
"""

import hmac
import re
import secrets
import unicodedata
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Without 0, 1, I, L and O, which people mistake for each other. The number of characters is prime, so
# the check character finds each wrong character, and each exchange of two characters.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
# 15 random characters are 74 bits. The check character is the last.
_RANDOM_LENGTH = 15
CODE_LENGTH = _RANDOM_LENGTH + 1
_GROUP = 4
# The limits of the codes that other systems send.
MIN_LENGTH = 6
MAX_LENGTH = 200
_NONCE_LENGTH = 12
_URL = re.compile(r"https?://\S+", re.IGNORECASE)


def new_code() -> str:
    """Return a new random code in groups, such as "K7QM-3XWA-9RTB-4CFH"."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM_LENGTH))
    text += _check_character(text)
    return "-".join(text[start : start + _GROUP] for start in range(0, CODE_LENGTH, _GROUP))


def normalize(text: str) -> str:
    """Return a scanned or typed code without spaces, dashes and the URL around it, in upper case."""
    text = unicodedata.normalize("NFKC", text).strip()
    if _URL.fullmatch(text):
        text = _code_in_url(text)
    return "".join(
        character
        for character in text
        if not character.isspace() and unicodedata.category(character) not in ("Pd", "Cf")
    ).upper()


def _code_in_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if codes := parse_qs(parts.query).get("code"):
        return codes[0]
    return parts.path.rstrip("/").rpartition("/")[2]


def has_valid_check(normalized: str) -> bool:
    """Tell whether a text has the form of Butler's codes, with the right check character."""
    return (
        len(normalized) == CODE_LENGTH
        and all(character in ALPHABET for character in normalized)
        and normalized[-1] == _check_character(normalized[:-1])
    )


def is_mistyped(normalized: str) -> bool:
    """Tell whether a text looks like one of Butler's codes with a wrong character."""
    return (
        abs(len(normalized) - CODE_LENGTH) <= 1
        and normalized.isascii()
        and normalized.isalnum()
        and not has_valid_check(normalized)
    )


def is_storable(text: str) -> bool:
    """Tell whether another system's code is long enough to be a secret, and short enough to store."""
    return len(normalize(text)) >= MIN_LENGTH and len(text) <= MAX_LENGTH


def digest(key: str, normalized: str) -> bytes:
    """Return the 16 bytes by which the database finds a normalized code."""
    return hmac.digest(_subkey(key, "digest"), normalized.encode(), "sha256")[:16]


def number_digest(key: str, number: str) -> bytes:
    """Return the digest of an order number that is accepted as a code."""
    return digest(key, f"number {number}")


def encrypt(key: str, code: str) -> bytes:
    """Return the encrypted code."""
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    return nonce + AESGCM(_subkey(key, "encryption")).encrypt(nonce, code.encode(), None)


def decrypt(key: str, encrypted: bytes) -> str | None:
    """Return the code, or None if it was encrypted with another key."""
    nonce, text = encrypted[:_NONCE_LENGTH], encrypted[_NONCE_LENGTH:]
    try:
        return AESGCM(_subkey(key, "encryption")).decrypt(nonce, text, None).decode()
    except (InvalidTag, ValueError):
        return None


def _subkey(key: str, purpose: str) -> bytes:
    return hmac.digest(key.encode(), f"customers.tickets.{purpose}".encode(), "sha256")


def _check_character(text: str) -> str:
    total = sum(
        weight * ALPHABET.index(character) for weight, character in enumerate(text, start=1)
    )
    return ALPHABET[total % len(ALPHABET)]
