"""Encrypts the secrets of second factors. A copy of the database does not reveal them."""

import base64
import hashlib

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UndecryptableSecret(Exception):
    """The key that encrypted this secret is no longer configured."""


class EncryptingMFAAdapter(DefaultMFAAdapter):
    """Encrypts with SECRET_KEY. Decrypts with SECRET_KEY and SECRET_KEY_FALLBACKS."""

    def encrypt(self, text: str) -> str:
        """Return the secret, encrypted with the newest key."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret. Raise UndecryptableSecret if no configured key decrypts it."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            raise UndecryptableSecret from None


def _cipher() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(key)) for key in keys])


def _key(secret: str) -> bytes:
    digest = hashlib.blake2b(secret.encode(), digest_size=32, person=b"second factor").digest()
    return base64.urlsafe_b64encode(digest)
