"""Error responses outside the views: 400, 403, 404, 405, 500 and 503.

Callers of the APIs get JSON documents, and browsers get pages.
"""

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
from django.http import Http404, HttpRequest, HttpResponse, QueryDict

from channels.ingest import http as ingest_http
from channels.ingest.http import ErrorResponse, with_cors
from channels.pages import error_pages
from config.circuit_breaker import CircuitBreaker, is_database_timeout
from config.slashes import needs_slash, redirect_to_slash
from customers import db
from customers.api.problems import problem

# Seconds after which a client may try again; embedded Postgres recovers in about this time.
RETRY_AFTER = 2
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_REDIRECTED = ("GET", "HEAD")
NUL = "\x00"
# Only programs call these paths, so their errors are JSON and the Accept header does not matter.
API_PREFIXES = (*ingest_http.PREFIXES, "/api/", "/live/", "/_allauth/", "/.well-known/")

# If the connection breaks during a commit, the outcome of the commit is unknown.
_READ_MESSAGE = "The database does not answer. Try again."
_WRITE_MESSAGE = (
    "The database does not answer. Butler may have stored your request: send it again with the "
    "same Idempotency-Key, or first check whether it was stored."
)
_INGEST_MESSAGE = (
    "The database does not answer. Send the request again, and keep the id of each item."
)

_log = logging.getLogger(__name__)


def database_unavailable(request: HttpRequest) -> HttpResponse:
    """Return 503 with Retry-After, as a page or as the JSON document of the API."""
    response: HttpResponse
    if _accepts_html(request):
        response = error_pages.error_page(request, 503)
    elif request.path.startswith(ingest_http.PREFIXES):
        response = _ingest_error(request, 503, "unavailable", _INGEST_MESSAGE)
    else:
        response = problem(503, _READ_MESSAGE if request.method in SAFE_METHODS else _WRITE_MESSAGE)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def internal_error(request: HttpRequest) -> HttpResponse:
    """Return 500 as a page or as a JSON document, without details of the error."""
    if not request.path.startswith(API_PREFIXES):
        return error_pages.error_page(request, 500)
    message = "The server failed. The error is in its log."
    if request.path.startswith(ingest_http.PREFIXES):
        return _ingest_error(request, 500, "failed", message)
    return problem(500, message)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 503 if the uncaught error is a lost database connection, otherwise 500."""
    error = sys.exc_info()[1]
    return (
        _handle_lost_database(request, error)
        if error and db.is_connection_error(error)
        else internal_error(request)
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 503 if the error is a lost database connection, otherwise 400."""
    if db.is_connection_error(exception):
        # For example, Django reports a session that could not be saved as an ended session.
        return _handle_lost_database(request, exception)
    return _client_error(request, 400, "refused", "The request cannot be read.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 403 as a page or as a JSON document."""
    return _client_error(request, 403, "forbidden", "You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404 as a page or as a JSON document, or a redirect to the address with a slash."""
    if request.method in _REDIRECTED and needs_slash(request):
        return redirect_to_slash(request)
    return _client_error(
        request, 404, "unknown_route", "The requested object does not exist, or you may not see it."
    )


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return 403 for a missing or wrong CSRF token, as a page or as a JSON document."""
    if request.path.startswith(API_PREFIXES):
        return problem(403, "The CSRF token is missing or wrong.", kind="csrf")
    return error_pages.error_page(request, 403, kind=error_pages.STALE)


def _client_error(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if not request.path.startswith(API_PREFIXES):
        return error_pages.error_page(request, status)
    if request.path.startswith(ingest_http.PREFIXES):
        return _ingest_error(request, status, code, message)
    return problem(status, message)


def _ingest_error(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    """Return an error of the wire; pages of other origins, which send events, can read it."""
    return with_cors(request, ErrorResponse(status, code, message).response())


def _accepts_html(request: HttpRequest) -> bool:
    """Return whether the caller is a browser that loads a page; scripts do not accept HTML."""
    is_page = not request.path.startswith(API_PREFIXES)
    return is_page and "text/html" in request.headers.get("accept", "")


# All threads of the process share one breaker, because they share the connection pool.
_circuit_breaker = CircuitBreaker(reset_timeout=1.0, clock=time.monotonic)


class DatabaseUnavailableMiddleware:
    """Answer 503 with Retry-After while the database is unavailable."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A CORS preflight needs no database, and a page does not retry after a failed preflight.
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
            # The view may not have saved its change of the session, so the cookie stays unchanged.
            response.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        # Any other status shows that the database answers again, so the breaker closes.
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
        """Refuse NUL, which Postgres cannot store, and more form fields than Django reads."""
        # Endpoints of `/v1/` name the source of a webhook in their own answer.
        if NUL in request.path_info and not request.path_info.startswith(ingest_http.PREFIXES):
            return not_found(request, Http404())
        # CSRF-exempt views parse their query and body themselves, and check every text for NUL.
        is_page = not getattr(view, "csrf_exempt", False)
        is_form = is_page and request.method == "POST"
        try:
            is_unreadable = _contains_nul(request.GET) or (is_form and _contains_nul(request.POST))
        except TooManyFieldsSent:
            is_unreadable = True
        return bad_request(request, BadRequest()) if is_unreadable else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return 503 for a lost connection, and 500 as JSON for other errors of an API.

        Return None for other errors of pages, so that Django handles them.
        """
        if db.is_connection_error(error):
            return _handle_lost_database(request, error)
        if not request.path.startswith((*ingest_http.PREFIXES, "/api/")):
            return None
        _log.exception("request failed")
        return internal_error(request)


def _contains_nul(fields: QueryDict) -> bool:
    return any(NUL in value for _, values in fields.lists() for value in values)


def _hides_lost_connection(request: HttpRequest, response: HttpResponse) -> bool:
    """Return whether other code caught a lost connection, so that the response may be wrong.

    Django's templates treat an error in a condition as false, and Django's debug page answers
    500. A successful response to a write stays valid, because its transaction was committed.
    """
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE or not db.is_connection_lost():
        return False
    return request.method in SAFE_METHODS or response.status_code >= HTTPStatus.BAD_REQUEST


def _handle_lost_database(request: HttpRequest, error: BaseException) -> HttpResponse:
    _log.warning("database unavailable", exc_info=error)
    if db.is_read_only_error(error):
        db.leave_read_only_server()
    if is_database_timeout(error):
        _circuit_breaker.open()
    return database_unavailable(request)


def _check_pooled_connections() -> None:
    """Make the pool replace its closed connections, because a restart of Postgres closes all."""
    pool = getattr(connection, "pool", None)
    if pool is not None:
        with suppress(*db.CONNECTION_ERRORS):
            pool.check()
