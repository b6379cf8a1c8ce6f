"""Answers for what goes wrong around the views: the database is away, too slow, or cannot hold
what was sent; nothing is there, or not for this caller. Programs get documents, people pages."""

import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, TooManyFieldsSent
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict

from channels.pages import error_pages
from config.circuit_breaker import CircuitBreaker, is_database_timeout
from customers import db
from customers.api.problems import problem

# Seconds after which a client may try again; embedded Postgres recovers in about this time.
RETRY_AFTER = 2
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NUL = "\x00"
# Where only programs call, whatever they say that they accept.
API_PREFIXES = ("/v1/", "/api/", "/live/", "/_allauth/", "/.well-known/")

# A connection that breaks while Postgres commits does not tell whether it did.
_READ_MESSAGE = "The database does not answer; try again."
_WRITE_MESSAGE = (
    "The database does not answer. What you sent may have been stored: send it again with the "
    "same Idempotency-Key, or look first."
)
_INGEST_MESSAGE = "The database does not answer; send it again, each item with the id that it had."

_log = logging.getLogger(__name__)


def database_unavailable(request: HttpRequest) -> HttpResponse:
    """Say 503 in the shape that this caller understands."""
    response: HttpResponse
    if _accepts_html(request):
        response = error_pages.error_page(request, 503)
    elif request.path.startswith("/v1/"):
        response = _ingest_error(503, "unavailable", _INGEST_MESSAGE)
        # Any page may send; without these its script cannot see when to try again.
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "Retry-After"
    else:
        response = problem(503, _READ_MESSAGE if request.method in SAFE_METHODS else _WRITE_MESSAGE)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def internal_error(request: HttpRequest) -> HttpResponse:
    """Say 500 in the shape that the caller understands, and not a word about what broke."""
    if not request.path.startswith(API_PREFIXES):
        return error_pages.error_page(request, 500)
    message = "Something went wrong on our side; it was noted."
    if request.path.startswith("/v1/"):
        return _ingest_error(500, "internal_error", message)
    return problem(500, message)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for what no view caught: also a database that went away under a middleware."""
    error = sys.exc_info()[1]
    return (
        _handle_lost_database(request, error)
        if error and db.is_connection_error(error)
        else internal_error(request)
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if db.is_connection_error(exception):
        # Such as a session that could not be saved, which Django takes for one that has ended.
        return _handle_lost_database(request, exception)
    return _client_error(request, 400, "bad_request", "The request cannot be read.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _client_error(request, 403, "forbidden", "")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _client_error(request, 404, "not_found", "There is nothing here for you.")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say 403 in the shape that the caller understands."""
    if request.path.startswith(API_PREFIXES):
        return problem(403, "The CSRF token is missing or wrong.", kind="csrf")
    return error_pages.error_page(request, 403, kind=error_pages.STALE)


def _client_error(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if not request.path.startswith(API_PREFIXES):
        return error_pages.error_page(request, status)
    if request.path.startswith("/v1/"):
        return _ingest_error(status, code, message)
    return problem(status, message)


def _ingest_error(status: int, code: str, message: str) -> HttpResponse:
    return JsonResponse({"code": code, "message": message}, status=status)


def _accepts_html(request: HttpRequest) -> bool:
    """Tell whether somebody reads the answer; a script that asks for parts says no such thing."""
    is_page = not request.path.startswith(API_PREFIXES)
    return is_page and "text/html" in request.headers.get("accept", "")


# One for the process: all its threads share the pool of connections.
_circuit_breaker = CircuitBreaker(reset_timeout=1.0, clock=time.monotonic)


class DatabaseUnavailableMiddleware:
    """Answers 503 with Retry-After while the database is unavailable."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Asking whether one may ask costs nothing, and a page gives up where it is refused.
        if request.method != "OPTIONS" and not _circuit_breaker.allows_request():
            return database_unavailable(request)
        if _circuit_breaker.is_open:
            _check_pooled_connections()
        db.forget_lost_connection()
        response = self._answer(request)
        if _hides_lost_connection(request, response):
            _log.warning("database connection lost during the request")
            response = database_unavailable(request)
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            # A view that was ending or changing a session got no further; who sent it keeps theirs.
            response.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        # A 503 was noted where it came from; anything else is an answer.
        if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE and _circuit_breaker.is_open:
            _circuit_breaker.close()
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            response = self.get_response(request)
        except db.CONNECTION_ERRORS as error:
            return _handle_lost_database(request, error)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and _accepts_html(request):
            page = error_pages.error_page(request, response.status_code)
            page["Allow"] = response["Allow"]
            return page
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Refuse NUL, which no column of Postgres holds, and more fields than Django reads."""
        # Who is exempt reads addresses and a body of their own, and looks at every text in them.
        is_page = not getattr(view, "csrf_exempt", False)
        if is_page and NUL in request.path_info:
            return not_found(request, Http404())
        is_form = is_page and request.method == "POST"
        try:
            is_unreadable = _contains_nul(request.GET) or (is_form and _contains_nul(request.POST))
        except TooManyFieldsSent:
            is_unreadable = True
        return bad_request(request, BadRequest()) if is_unreadable else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if db.is_connection_error(error):
            return _handle_lost_database(request, error)
        if not request.path.startswith(("/v1/", "/api/")):
            return None
        _log.exception("request failed")
        return internal_error(request)


def _contains_nul(fields: QueryDict) -> bool:
    return any(NUL in value for _, values in fields.lists() for value in values)


def _hides_lost_connection(request: HttpRequest, response: HttpResponse) -> bool:
    """Tell whether the connection broke, somebody caught the error, and the answer is not to trust.

    Django's templates take an error inside of a condition for "no", and its page for developers
    says 500. Only the success of what was sent stands: it was committed before.
    """
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE or not db.is_connection_lost():
        return False
    return request.method in SAFE_METHODS or response.status_code >= HTTPStatus.BAD_REQUEST


def _handle_lost_database(request: HttpRequest, error: BaseException) -> HttpResponse:
    _log.warning("database unavailable", exc_info=error)
    if is_database_timeout(error):
        _circuit_breaker.open()
    return database_unavailable(request)


def _check_pooled_connections() -> None:
    """Check the pooled connections: a restart of Postgres has cut all of them."""
    pool = getattr(connection, "pool", None)
    if pool is not None:
        with suppress(*db.CONNECTION_ERRORS):
            pool.check()
