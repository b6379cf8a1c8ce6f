"""HTTP of `/v1/`: how bodies and keys are read, and how every answer looks.

Published clients drop a batch on most 4xx and lose it on a redirect, so what is answered
here is decided by what they do with it (docs/adr/0012).
"""

import functools
import logging
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Concatenate, NamedTuple

import msgspec
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from customers import db
from customers.access import keys
from customers.access.authorization import MalformedAuthorization, parse_key
from customers.types import Sender

logger = logging.getLogger(__name__)

SUCCESS = b'{"success": true}'
GZIP_MAGIC = b"\x1f\x8b"
# What follows a member is copied for each: a body of empty ones would take seconds.
MAX_GZIP_MEMBERS = 16
# How much a byte may unpack to. Events with ids of their own stay below 100.
MAX_COMPRESSION_RATIO = 200
# Whatever the ratio, so much may come of a body.
ALWAYS_ALLOWED_SIZE = 256 * 1024
MAX_KEY = 200
# Places where a key in the body is looked for: the first and the last so many.
MAX_KEY_POSITIONS = 8
_KEY_NAME = b'"writeKey"'
_KEY_VALUE = re.compile(rb'\s*+:\s*+"([^"\\]{1,%d})"' % MAX_KEY)

ALLOW_HEADERS = "authorization, content-type, x-retry-count, x-write-key, x-strict-mode"
EXPOSE_HEADERS = (
    "Retry-After, Butler-Accepted, Butler-Duplicates, Butler-Quarantined, Butler-Warnings"
)

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


class ErrorResponse(Exception):
    """A response other than 200, in the shape that old clients can read."""

    def __init__(
        self, status: int, code: str, message: str, *, retry_after: int = 0, **more: Any
    ) -> None:
        super().__init__(status, code)
        self.status = status
        self.body = {"code": code, "message": message, **more}
        self.retry_after = retry_after

    def response(self) -> HttpResponse:
        response = json_response(self.body, status=self.status)
        if self.retry_after:
            response["Retry-After"] = str(self.retry_after)
        return response


def json_response(body: Any, *, status: int = 200) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)


def endpoint[**P](*methods: str) -> Callable[[View[P]], View[P]]:
    """Make a view of the ingest API: CORS and {"code", "message"}, whatever happens."""

    def wrap(view: View[P]) -> View[P]:
        @csrf_exempt
        @functools.wraps(view)
        def handle(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method == "OPTIONS":
                response = _preflight(request, methods)
            elif request.method not in methods:
                error_response = ErrorResponse(405, "wrong_method", f"Use {' or '.join(methods)}.")
                response = error_response.response()
                response["Allow"] = ", ".join([*methods, "OPTIONS"])
            else:
                response = _call_view(view, request, *args, **kwargs)
            return _with_cors(request, response)

        return handle

    return wrap


def _call_view[**P](
    view: View[P], request: HttpRequest, *args: P.args, **kwargs: P.kwargs
) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except ErrorResponse as error_response:
        return error_response.response()
    except db.CONNECTION_ERRORS:
        raise  # config.errors says 503 for all that cannot reach the record
    except SuspiciousOperation as error:
        return ErrorResponse(400, "refused", f"Not understood: {error}").response()
    except Exception:
        logger.exception("ingest endpoint failed")
        return ErrorResponse(500, "failed", "This is our fault; try again.").response()


def _preflight(request: HttpRequest, methods: Iterable[str]) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = ", ".join([*methods, "OPTIONS"])
    response["Access-Control-Allow-Headers"] = ALLOW_HEADERS
    response["Access-Control-Max-Age"] = "86400"
    # The handshake of CloudEvents' webhooks (cloudevents/spec, http-webhook).
    if caller := request.META.get("HTTP_WEBHOOK_REQUEST_ORIGIN"):
        response["WebHook-Allowed-Origin"] = caller
        response["WebHook-Allowed-Rate"] = "*"
    return response


def _with_cors(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    # A write key is public, so any page may send with one; cookies are never looked at.
    if origin := request.META.get("HTTP_ORIGIN"):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = EXPOSE_HEADERS
    response["Vary"] = "Origin"
    return response


def is_strict(request: HttpRequest) -> bool:
    """Tell whether the sender wants to hear of bad items, instead of having them kept apart."""
    return request.META.get("HTTP_X_STRICT_MODE") == "1"


# Bodies ------------------------------------------------------------------------------


def read_body(request: HttpRequest) -> bytes:
    """Read the body whatever its type, as it came, up to BUTLER_MAX_BODY bytes.

    Nothing of it is looked at: `decompress` comes after what shows who sends, where that is a header.
    """
    return _read_limited(request, settings.BUTLER_MAX_BODY)


def decompress(request: HttpRequest, body: bytes) -> bytes:
    """Return the decompressed body, up to BUTLER_MAX_BODY bytes. Raises ErrorResponse."""
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding in ("gzip", "x-gzip") or body.startswith(GZIP_MAGIC):
        return _gunzip(body)
    if encoding not in ("", "identity"):
        raise ErrorResponse(415, "unknown_encoding", "Send the body plain or as gzip.")
    return body


def _read_limited(request: HttpRequest, limit: int) -> bytes:
    # Django reads nothing of a body without a length, which is how phones send theirs.
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    stream = request.META["wsgi.input"] if chunked else request
    parts, length = [], 0
    try:
        while length <= limit and (part := stream.read(limit + 1 - length)):
            parts.append(part)
            length += len(part)
    except (OSError, UnreadablePostError):
        raise ErrorResponse(400, "incomplete", "The body ended too early.") from None
    if length > limit:
        raise _too_large(limit)
    return b"".join(parts)


def _gunzip(body: bytes) -> bytes:
    max_size = settings.BUTLER_MAX_BODY
    limit = min(max_size, max(ALWAYS_ALLOWED_SIZE, MAX_COMPRESSION_RATIO * len(body)))
    parts, length = [], 0
    try:
        for _ in range(MAX_GZIP_MEMBERS):
            unzip = zlib.decompressobj(wbits=31)
            parts.append(unzip.decompress(body, limit + 1 - length))
            length += len(parts[-1])
            if length > limit:
                raise _too_large(max_size) if limit == max_size else _too_compressed()
            if not unzip.eof:
                raise ErrorResponse(400, "bad_gzip", "The gzip data ended too early.")
            body = unzip.unused_data
            if not body:
                return b"".join(parts)
    except zlib.error:
        raise ErrorResponse(400, "bad_gzip", "The body is not gzip.") from None
    raise ErrorResponse(400, "bad_gzip", f"The gzip data has more than {MAX_GZIP_MEMBERS} members.")


def _too_large(limit: int) -> ErrorResponse:
    return ErrorResponse(413, "too_large", f"A request may carry {limit} bytes, unpacked.")


def _too_compressed() -> ErrorResponse:
    return ErrorResponse(413, "too_large", f"A byte may unpack to {MAX_COMPRESSION_RATIO} bytes.")


# Keys --------------------------------------------------------------------------------


def find_sender(request: HttpRequest, scope: str = "ingest") -> Sender:
    """Find who sends by the key in a header or in the address, in this order."""
    key = header_key(request) or request.GET.get("writeKey", "")
    if not key:
        raise _no_key()
    return _sender_with_scope(key, scope)


class AuthenticatedBody(NamedTuple):
    """A decompressed body, and the senders whose keys came with the request."""

    body: bytes
    request: HttpRequest
    header_sender: Sender | None
    body_senders: Mapping[str, Sender]

    def sender(self, key_in_body: str) -> Sender:
        """Return who sends, by the key in a header, in the decoded body or in the address."""
        if self.header_sender:
            return self.header_sender
        if not key_in_body:
            return find_sender(self.request)
        return self.body_senders.get(key_in_body) or _sender_with_scope(key_in_body, "ingest")


def authenticate_body(request: HttpRequest, received: bytes) -> AuthenticatedBody:
    """Check the key before the body is parsed, and decompress it. Raises ErrorResponse.

    Without a key in a header, the text of the body has to name a good one, or the address. Which
    of several counts says the decoded body.
    """
    if header_key(request):
        header_sender = find_sender(request)
        return AuthenticatedBody(decompress(request, received), request, header_sender, {})
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
    """Return what may be keys at the first and the last places that the body names one."""
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
    if scope not in sender.scopes:
        raise ErrorResponse(403, "forbidden", f"This key has no scope {scope!r}.")


def find_trusted_sender(request: HttpRequest) -> Sender:
    """Find who sends, where only a source with a secret key may."""
    sender = find_sender(request)
    if not sender.is_trusted:
        raise ErrorResponse(403, "secret_key_needed", "Use the secret key of a source.")
    return sender


def header_key(request: HttpRequest) -> str:
    """Return the key in the headers, or an empty text. Raises ErrorResponse where it cannot be read.

    A Bearer token that cannot be a key of ours is ignored: it is meant for another service.
    """
    try:
        key = parse_key(request.META.get("HTTP_AUTHORIZATION", ""))
    except MalformedAuthorization:
        raise ErrorResponse(401, "no_key", "The key in Authorization cannot be read.") from None
    if key and not key.is_foreign_token:
        return key.text
    header: str = request.META.get("HTTP_X_WRITE_KEY", "")
    return header.strip()
