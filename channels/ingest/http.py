"""The HTTP behavior of the `/v1/` endpoints: methods, CORS and error responses.

Published clients drop a batch on most 4xx statuses and lose it on a redirect. The statuses here
follow from the behavior of these clients (docs/adr/0012).
"""

import functools
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Concatenate

import msgspec
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from channels.ingest import limits
from customers import db

logger = logging.getLogger(__name__)

SUCCESS = b'{"success": true}'
# The beginnings of the paths at which clients send events, and ask where to send them.
PREFIXES = ("/v1/", "/beacon/v1/", "/sourceConfig")
ALLOW_HEADERS = (
    "authorization, content-type, x-retry-count, x-session-token, x-write-key, x-strict-mode"
)
MAX_HEADER_NAMES = 1000
# A list of names of headers that a browser asks for, such as `anonymousid,rsa-retry-attempt`.
_HEADER_NAMES = re.compile(r"[a-z0-9-]+(?:, ?[a-z0-9-]+){0,49}", re.ASCII | re.IGNORECASE)
EXPOSE_HEADERS = (
    "Retry-After, RateLimit, RateLimit-Policy, "
    "Butler-Accepted, Butler-Duplicates, Butler-Quarantined, Butler-Warnings"
)

# The key of `request.META` for headers that `endpoint` adds to the response.
_HEADERS = "butler.response_headers"

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


class ErrorResponse(Exception):
    """A response other than 200, as a {"code", "message"} document that old clients can read."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: int = 0,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(status, code)
        self.headers = headers or {}
        self.status = status
        self.body = {"code": code, "message": message, **more}
        self.retry_after = retry_after

    def response(self) -> HttpResponse:
        """Return the HTTP response, with Retry-After in seconds if it is set."""
        response = json_response(self.body, status=self.status)
        if self.retry_after:
            response["Retry-After"] = str(self.retry_after)
        for name, text in self.headers.items():
            response[name] = text
        return response


@contextmanager
def invalid_event_refused() -> Iterator[None]:
    """Raise an ErrorResponse with status 400 and the reason if reading an event fails."""
    try:
        yield
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        raise ErrorResponse(400, invalid.reason, invalid.detail) from None


def json_response(body: Any, *, status: int = 200) -> HttpResponse:
    """Return a response with the body, encoded by msgspec, as JSON."""
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)


def endpoint[**P](*methods: str) -> Callable[[View[P]], View[P]]:
    """Return a decorator for views of the ingest API, with CORS and {"code", "message"} errors."""

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
                for name, text in _response_headers(request).items():
                    response.setdefault(name, text)
            return with_cors(request, response)

        return handle

    return wrap


def set_response_headers(request: HttpRequest, headers: Mapping[str, str]) -> None:
    """Add headers to the response of the request, also to an error."""
    request.META[_HEADERS] = headers


def _response_headers(request: HttpRequest) -> Mapping[str, str]:
    headers: Mapping[str, str] = request.META.get(_HEADERS, {})
    return headers


def _call_view[**P](
    view: View[P], request: HttpRequest, *args: P.args, **kwargs: P.kwargs
) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except ErrorResponse as error_response:
        return error_response.response()
    except SuspiciousOperation as error:
        return ErrorResponse(400, "refused", f"The request is invalid: {error}").response()
    except Exception as error:
        if db.is_connection_error(error):
            raise  # config.errors answers 503
        logger.exception("ingest endpoint failed")
        return ErrorResponse(500, "failed", "The server failed. Try again.").response()


def _preflight(request: HttpRequest, methods: Iterable[str]) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = ", ".join([*methods, "OPTIONS"])
    response["Access-Control-Allow-Headers"] = _allowed_headers(request)
    response["Access-Control-Max-Age"] = "86400"
    # The handshake of CloudEvents' webhooks (cloudevents/spec, http-webhook).
    if caller := request.META.get("HTTP_WEBHOOK_REQUEST_ORIGIN"):
        response["WebHook-Allowed-Origin"] = caller
        response["WebHook-Allowed-Rate"] = "*"
    return response


def _allowed_headers(request: HttpRequest) -> str:
    """Return our headers and those that the browser asks for.

    A browser sends no event if one header of its client is missing here. New releases of clients
    add headers. These views ignore cookies, so no header gives a page more than a program has.
    """
    requested: str = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    if len(requested) > MAX_HEADER_NAMES or not _HEADER_NAMES.fullmatch(requested):
        return ALLOW_HEADERS
    return f"{ALLOW_HEADERS}, {requested}"


def with_cors(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Add the headers that let the page of another origin read the response; return it."""
    # A write key is public, so a page of any origin may send. These views ignore cookies.
    if origin := request.META.get("HTTP_ORIGIN"):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = EXPOSE_HEADERS
    response["Vary"] = "Origin"
    return response


def is_strict(request: HttpRequest) -> bool:
    """Return whether the sender wants an error for invalid items instead of their quarantine."""
    return request.META.get("HTTP_X_STRICT_MODE") == "1"
