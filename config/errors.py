"""Answers for what goes wrong below the views: the database is away, or too slow."""

from collections.abc import Callable

import psycopg_pool
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

# Seconds after which a client may try again; embedded Postgres recovers in about this time.
RETRY_AFTER = 2

AWAY = (OperationalError, InterfaceError, psycopg_pool.PoolTimeout)


def database_away(path: str) -> HttpResponse:
    """Say 503 in the shape that the caller of this path understands."""
    if path.startswith("/v1/"):
        response = JsonResponse(
            {"code": "unavailable", "message": "Nothing was stored; try again."}, status=503
        )
    else:
        response = JsonResponse(
            {
                "type": "about:blank",
                "title": "The record cannot be reached",
                "status": 503,
                "detail": "The database does not answer; try again.",
            },
            status=503,
            content_type="application/problem+json",
        )
    response["Retry-After"] = str(RETRY_AFTER)
    return response


class DatabaseAwayMiddleware:
    """Turn a lost database into 503 with Retry-After, whatever the view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except AWAY:
            return database_away(request.path)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return database_away(request.path) if isinstance(error, AWAY) else None
