"""The short way for programs: who shows a key needs no session, no language, no page's headers.

Fourteen middlewares cost about as much as reading a record; docs/performance.md has figures.
"""

from collections.abc import Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

# Outermost first. What every answer needs: it is counted, logged, and honest about 503.
MIDDLEWARE = ("config.logging.RequestMiddleware", "config.errors.DatabaseAwayMiddleware")


class ShortWay(WSGIHandler):
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


class Application:
    """The short way for programs that show a key, Django's own for everybody else."""

    def __init__(self, programs: Any, pages: Any) -> None:
        self._programs = programs
        self._pages = pages

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        shows_key = path.startswith("/api/") and "HTTP_AUTHORIZATION" in environ
        handler = self._programs if shows_key or path.startswith("/v1/") else self._pages
        answer: Iterable[bytes] = handler(environ, start_response)
        return answer
