"""Find the sender of a request by its key in a header, in the URL or in the body."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from django.http import HttpRequest
from django.utils import timezone

from channels.ingest.bodies import decompress
from channels.ingest.http import ErrorResponse
from customers.access import keys
from customers.access.authorization import MalformedAuthorization, parse_key
from customers.events import source_warnings
from customers.types import IngestWarning, Sender

MAX_KEY = 200
# The number of places, from the start and from the end of the body, that may name a key; and of secret
# keys in a URL that are looked up.
MAX_KEY_POSITIONS = 8
# The code of the error, and of the warning.
SECRET_IN_URL = "secret_key_in_url"
_SECRET_IN_URL_MESSAGE = (
    "The address of the request has a secret key, and logs store addresses. Send the key in "
    "Authorization, and ask for a new key. No event was stored."
)
_SECRET_KEY = re.compile(r"sk_[A-Za-z0-9_-]{20,197}")
_KEY_NAME = b'"writeKey"'
_KEY_VALUE = re.compile(rb'\s*+:\s*+"([^"\\]{1,%d})"' % MAX_KEY)


def find_sender(request: HttpRequest, scope: str = "ingest") -> Sender:
    """Return the sender by the key in a header, or else in the URL. Raises ErrorResponse."""
    refuse_secret_in_url(request)
    key = header_key(request) or request.GET.get("writeKey", "")
    if not key:
        raise _no_key()
    return _sender_with_scope(key, scope)


def refuse_secret_in_url(request: HttpRequest) -> None:
    """Raise an ErrorResponse with status 403 if the URL has a secret key, also beside another key.

    Proxies, browsers and logs store URLs. The warnings of the source count these requests, so that
    staff give it a new key.
    """
    url = unquote(request.get_full_path())
    for key in _SECRET_KEY.findall(url)[:MAX_KEY_POSITIONS]:
        sender = keys.find_sender(key)
        if sender is not None:
            warning = IngestWarning(SECRET_IN_URL, 1, "")
            source_warnings.store([warning], sender.source_id, timezone.now())
            raise ErrorResponse(403, SECRET_IN_URL, _SECRET_IN_URL_MESSAGE)


class AuthenticatedBody(NamedTuple):
    """A decompressed body, and the senders of the keys in the request."""

    body: bytes
    request: HttpRequest
    header_sender: Sender | None
    body_senders: Mapping[str, Sender]

    def sender(self, key_in_body: str) -> Sender:
        """Return the sender by the key in a header, or in the decoded body, or in the URL."""
        if self.header_sender:
            return self.header_sender
        if not key_in_body:
            return find_sender(self.request)
        return self.body_senders.get(key_in_body) or _sender_with_scope(key_in_body, "ingest")


def authenticate_body(request: HttpRequest, received: bytes) -> AuthenticatedBody:
    """Check the key before the body is parsed, and decompress it. Raises ErrorResponse.

    Without a key in a header, the raw body or the URL must contain a valid key. If the body
    contains several, the decoded body decides later which one counts.
    """
    if header_key(request):
        header_sender = find_sender(request)
        return AuthenticatedBody(decompress(request, received), request, header_sender, {})
    refuse_secret_in_url(request)
    body = decompress(request, received)
    keys_in_body = _keys_in(body)
    body_senders = {key: sender for key in keys_in_body if (sender := _find_sender(key))}
    if keys_in_body and not body_senders:
        raise _unknown_key()
    if not keys_in_body:
        find_sender(request)
    for sender in body_senders.values():
        require_scope(sender, "ingest")
    return AuthenticatedBody(body, request, None, body_senders)


def _sender_with_scope(key: str, scope: str) -> Sender:
    sender = _find_sender(key)
    if sender is None:
        raise _unknown_key()
    require_scope(sender, scope)
    return sender


def _find_sender(key: str) -> Sender | None:
    return keys.find_sender(key) if len(key) <= MAX_KEY else None


def _no_key() -> ErrorResponse:
    return ErrorResponse(401, "no_key", "Send the key of a source.")


def _unknown_key() -> ErrorResponse:
    return ErrorResponse(401, "unknown_key", "No source has this key, or it was revoked.")


def _keys_in(body: bytes) -> set[str]:
    """Return the possible keys at the first and last places in the body that name a key."""
    places, from_start, from_end = set(), -1, len(body)
    for _ in range(MAX_KEY_POSITIONS):
        from_start = body.find(_KEY_NAME, from_start + 1)
        from_end = body.rfind(_KEY_NAME, 0, from_end)
        if from_start < 0 or from_end < 0:
            break
        places |= {from_start, from_end}
    matches = [_KEY_VALUE.match(body, place + len(_KEY_NAME)) for place in places]
    return {match[1].decode(errors="replace") for match in matches if match}


def require_scope(sender: Sender, scope: str) -> None:
    """Raise an ErrorResponse with status 403 if the key of the sender does not have this scope."""
    if scope not in sender.scopes:
        raise ErrorResponse(403, "forbidden", f"This key has no scope {scope!r}.")


def find_trusted_sender(request: HttpRequest) -> Sender:
    """Return the sender, which must use a secret key. Raises ErrorResponse."""
    sender = find_sender(request)
    if not sender.is_trusted:
        raise ErrorResponse(403, "secret_key_needed", "Use the secret key of a source.")
    return sender


def header_key(request: HttpRequest) -> str:
    """Return the key in the headers, or an empty text. Raises ErrorResponse if it is malformed.

    The function ignores a Bearer token of another service, which cannot be a key of Butler.
    """
    try:
        key = parse_key(request.META.get("HTTP_AUTHORIZATION", ""))
    except MalformedAuthorization:
        raise ErrorResponse(401, "no_key", "The Authorization header is malformed.") from None
    if key and not key.is_foreign_token:
        return key.text
    header: str = request.META.get("HTTP_X_WRITE_KEY", "")
    return header.strip()
