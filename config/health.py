"""Whether this process lives, and whether it is ready for requests."""

import logging
from collections.abc import Callable

import msgspec
import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from butler.queries.worker_health import worker_health
from config import metrics
from config.checks import settings_without_durability
from customers import db

_log = logging.getLogger(__name__)

# Seconds after which to ask again.
RETRY_AFTER = 2


class HealthMiddleware:
    """Answer /livez, /readyz and /metrics before anything else is looked at.

    A probe calls by network address, which is not among the allowed hosts, and has to get
    an answer when everything below is broken.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = _VIEWS.get(request.path_info)
        return view() if view else self.get_response(request)


def livez() -> HttpResponse:
    """Say that this process answers; it looks at nothing else."""
    return _json_response({"status": "alive"}, 200)


def readyz() -> HttpResponse:
    """Say whether requests may come; without Redis they may, streams just learn later."""
    checks = {"database": _database_status(), "redis": _redis_status()}
    if checks["database"] == "ok":
        # Nobody sends requests elsewhere because messages are late, but somebody should look.
        checks |= _work_status()
    if checks["database"] != "ok":
        response = _json_response({"status": "unavailable", "checks": checks}, 503)
        response["Retry-After"] = str(RETRY_AFTER)
        return response
    status = "ready" if set(checks.values()) == {"ok"} else "degraded"
    return _json_response({"status": status, "checks": checks}, 200)


def _database_status() -> str:
    try:
        if unsafe_settings := settings_without_durability():
            return f"{', '.join(unsafe_settings)} off"
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations missing"
    except db.CONNECTION_ERRORS:
        return "away"
    return "ok"


def _work_status() -> dict[str, str]:
    try:
        now = timezone.now()  # noqa: TID251  this is an edge
        return {"work": "late" if worker_health(now=now).is_late else "ok"}
    except db.CONNECTION_ERRORS:
        return {"database": "away"}


def _redis_status() -> str:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5, retry=None
    )
    try:
        client.ping()
    except (redis.RedisError, OSError):
        return "away"
    finally:
        client.close()
    return "ok"


def _json_response(document: object, status: int) -> HttpResponse:
    response = HttpResponse(
        msgspec.json.encode(document), status=status, content_type="application/json"
    )
    response["Cache-Control"] = "no-store"
    return response


_VIEWS: dict[str, Callable[[], HttpResponse]] = {
    "/livez": livez,
    "/readyz": readyz,
    "/metrics": metrics.metrics_response,
}
