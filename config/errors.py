"""Answers for what goes wrong below the views: the database is away, or too slow."""

import logging
from collections.abc import Callable

import psycopg_pool
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.csrf import csrf_failure

from customers.api.problems import problem

# Seconds after which a client may try again; embedded Postgres recovers in about this time.
RETRY_AFTER = 2

_log = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError, psycopg_pool.PoolTimeout)


def database_away(path: str) -> HttpResponse:
    """Say 503 in the shape that the caller of this path understands."""
    response: HttpResponse
    if path.startswith("/v1/"):
        response = JsonResponse(
            {"code": "unavailable", "message": "Nothing was stored; try again."}, status=503
        )
    else:
        response = problem(503, "The database does not answer; try again.")
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def broken(path: str) -> HttpResponse:
    """Say 500 in the shape that the caller understands, and not a word about what broke."""
    words = "Something went wrong on our side; it was noted."
    if path.startswith("/v1/"):
        return JsonResponse({"code": "internal_error", "message": words}, status=500)
    return problem(500, words)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say 403 in the shape that the caller understands."""
    if request.path.startswith(("/api/", "/_allauth/")):
        return problem(403, "The CSRF token is missing or wrong.", kind="csrf")
    return csrf_failure(request, reason)


class DatabaseAwayMiddleware:
    """Turn a lost database into 503 with Retry-After, and what broke into words for programs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except AWAY:
            return database_away(request.path)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, AWAY):
            return database_away(request.path)
        if not request.path.startswith(("/v1/", "/api/")):
            return None
        _log.exception("request failed")
        return broken(request.path)
