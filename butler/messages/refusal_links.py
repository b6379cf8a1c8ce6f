"""The links "Not mine" of messages to addresses that nobody confirmed, with their signed token.

A link belongs to one message and the address that it was sent to. It is short enough for an SMS: the
id of the message and a signature over both. It contains no address, and a reader who changes it gets
nothing.
"""

import base64
import binascii
import hmac
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from customers.access import link_pages

VALID_FOR = timedelta(days=90)
_SALT = b"butler.not_mine"
_PAGE_SALT = "butler.not_mine.page"
_SIGNATURE_BYTES = 12
_TOKEN_LENGTH = 38


class RefusalToken(NamedTuple):
    """The message of a link, and its signature."""

    message_id: UUID
    signature: bytes

    def is_for(self, address: str) -> bool:
        """Tell whether the link was sent to this address. Earlier secret keys count, too."""
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return bool(address) and any(
            hmac.compare_digest(self.signature, _signature(key, self.message_id, address))
            for key in keys
        )


def url(message_id: UUID, address: str) -> str:
    """Return the link for a message to an address."""
    signature = _signature(settings.SECRET_KEY, message_id, address)
    token = base64.urlsafe_b64encode(message_id.bytes + signature).rstrip(b"=").decode()
    return f"{settings.BUTLER_SITE_URL.rstrip('/')}/n/{token}/"


def read(token: str) -> RefusalToken | None:
    """Return the parts of a token; None if it is none. `is_for` checks its signature."""
    if len(token) != _TOKEN_LENGTH:
        return None
    try:
        content = base64.b64decode(f"{token}==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return RefusalToken(UUID(bytes=content[:16]), content[16:])


def sign_page(token: str) -> str:
    """Return the value that the form on the page of a link sends back."""
    return link_pages.sign_page(token, salt=_PAGE_SALT)


def is_page_of(token: str, page: str) -> bool:
    """Tell whether a form came from the page of this link, within a day."""
    return link_pages.is_page_of(token, page, salt=_PAGE_SALT)


def _signature(key: str, message_id: UUID, address: str) -> bytes:
    digest_key = sha256(_SALT + key.encode()).digest()
    content = message_id.bytes + address.encode()
    return hmac.new(digest_key, content, sha256).digest()[:_SIGNATURE_BYTES]
