"""The handler for API requests with a key. It has no middleware for sessions, locales or pages.

The fourteen middlewares of the pages cost about as much time as reading a record;
docs/performance.md has the figures.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from channels.ingest.http import PREFIXES
from customers.access.authorization import names_key_scheme

# Outermost first. They count and log each response, and answer 503 without a database.
MIDDLEWARE = (
    "config.logging.RequestMiddleware",
    "config.cors.ApiCorsMiddleware",
    "config.errors.DatabaseUnavailableMiddleware",
)

# These paths open a session, depend on the reader's language or are pages: they take no key.
# An Authorization header of a proxy or of another API does not change their handler.
PATHS_WITHOUT_KEY = (
    "/api/docs/",
    "/api/schema/",
    "/api/sign-in/",
    "/api/sign-in/passkey/",
    "/api/sign-in/passkey/options/",
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_SLASHES = re.compile("/{2,}")
# Django fails on a longer content type before any of our code can answer.
MAX_CONTENT_TYPE = 1000


class ApiHandler(WSGIHandler):
    """Django's handler with three middlewares in place of those of the pages."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain from MIDDLEWARE instead of Django's setting. The chain is synchronous."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]  # the stubs leave it out
        for path in reversed(MIDDLEWARE):
            middleware = import_string(path)(chain)
            if view := getattr(middleware, "process_view", None):
                self._view_middleware.insert(0, view)
            if exception := getattr(middleware, "process_exception", None):
                self._exception_middleware.insert(0, exception)
            chain = convert_exception_to_response(middleware)
        self._middleware_chain = chain

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response with Content-Length, which some clients need."""
        response = super().get_response(request)
        if isinstance(response, HttpResponse) and not response.has_header("Content-Length"):
            response.headers["Content-Length"] = str(len(response.content))
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


class RoutingApplication:
    """Routes API requests with a key to `ApiHandler`, and all others to Django's own handler."""

    def __init__(self, api_handler: Any, page_handler: Any) -> None:
        self._api_handler = api_handler
        self._page_handler = page_handler

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _replace_invalid_headers(environ)
        _collapse_slashes(environ)
        if environ.get("PATH_INFO") == "*" and environ.get("REQUEST_METHOD") == "OPTIONS":
            # A question about the whole server (RFC 9110, 9.3.7).
            start_response("204 No Content", [("Allow", METHODS)])
            return []
        handler = self._api_handler if is_api_request(environ) else self._page_handler
        answer: Iterable[bytes] = handler(environ, start_response)
        return answer


def is_api_request(environ: dict[str, Any]) -> bool:
    """Return whether a request has a key, or a path that only accepts keys and signatures."""
    path = environ.get("PATH_INFO", "")
    if path.startswith(PREFIXES):
        return True
    is_key = names_key_scheme(environ.get("HTTP_AUTHORIZATION", ""))
    return is_key and path.startswith("/api/") and not path.startswith(PATHS_WITHOUT_KEY)


def _collapse_slashes(environ: dict[str, Any]) -> None:
    """Correct the path of a client whose address of Butler ends with a slash: `//v1/batch`.

    Clients drop their events after a 404, and lose the body after a redirect.
    """
    path = environ.get("PATH_INFO", "")
    if "//" in path and (collapsed := _SLASHES.sub("/", path)).startswith(PREFIXES):
        environ["PATH_INFO"] = collapsed


def _replace_invalid_headers(environ: dict[str, Any]) -> None:
    """Replace headers that crash their parsers with values that the parsers refuse."""
    if len(environ.get("CONTENT_TYPE", "")) > MAX_CONTENT_TYPE:
        environ["CONTENT_TYPE"] = "application/octet-stream"
    token = environ.get("HTTP_X_SESSION_TOKEN", "")
    # Postgres fails on a NUL in a parameter.
    if token and not (token.isascii() and token.isalnum()):
        environ["HTTP_X_SESSION_TOKEN"] = "-"
