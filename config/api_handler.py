"""The handler for API requests with a key: no sessions, locales or headers of pages.

Fourteen middlewares cost about as much as reading a record; docs/performance.md has figures.
"""

from collections.abc import Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from customers.access.authorization import names_key_scheme

# Outermost first. What every answer needs: it is counted, logged, and honest about 503.
MIDDLEWARE = ("config.logging.RequestMiddleware", "config.errors.DatabaseUnavailableMiddleware")

# No key is used here: it opens a session, speaks the reader's language or is a page.
# A header of a proxy or of another API does not change how these are answered.
PATHS_WITHOUT_KEY = ("/api/sign-in/", "/api/docs/", "/api/schema/")
# No content type is longer; one that is makes Django fail before anything can answer.
MAX_CONTENT_TYPE = 1000


class ApiHandler(WSGIHandler):
    """Django's handler with two middlewares in place of those of the pages."""

    def load_middleware(self, is_async: bool = False) -> None:
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
        """Answer with a length, as the middleware for pages would: some clients want one."""
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
        handler = self._api_handler if is_api_request(environ) else self._page_handler
        answer: Iterable[bytes] = handler(environ, start_response)
        return answer


def is_api_request(environ: dict[str, Any]) -> bool:
    """Tell whether a request has a key, or a path that only accepts keys and signatures."""
    path = environ.get("PATH_INFO", "")
    if path.startswith("/v1/"):
        return True
    is_key = names_key_scheme(environ.get("HTTP_AUTHORIZATION", ""))
    return is_key and path.startswith("/api/") and not path.startswith(PATHS_WITHOUT_KEY)


def _replace_invalid_headers(environ: dict[str, Any]) -> None:
    """Replace headers on which their parsers fail by ones that they refuse."""
    if len(environ.get("CONTENT_TYPE", "")) > MAX_CONTENT_TYPE:
        environ["CONTENT_TYPE"] = "application/octet-stream"
    token = environ.get("HTTP_X_SESSION_TOKEN", "")
    # Postgres takes no NUL, not even to look for it.
    if token and not (token.isascii() and token.isalnum()):
        environ["HTTP_X_SESSION_TOKEN"] = "-"
