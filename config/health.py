"""The health pages /livez and /readyz."""

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

# Seconds after which a client may ask again.
RETRY_AFTER = 2


class HealthMiddleware:
    """Answer /livez, /readyz and /metrics before any other middleware runs.

    A probe uses a network address that is not in ALLOWED_HOSTS, and needs an answer even if the
    other middlewares fail.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = _VIEWS.get(request.path_info)
        return view() if view else self.get_response(request)


def livez() -> HttpResponse:
    """Return 200, which shows that this process answers; it checks nothing else."""
    return _json_response({"status": "alive"}, 200)


def readyz() -> HttpResponse:
    """Return 200 if this process can serve requests, otherwise 503.

    Without Redis the status is `degraded`: requests work, and streams show changes later.
    """
    checks = {"database": _database_status(), "redis": _redis_status()}
    if checks["database"] == "ok":
        # Late workers need the attention of an operator, but do not make this process unready.
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
        if _is_read_only():
            db.leave_read_only_server()
            return "read-only"
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations missing"
    except db.CONNECTION_ERRORS:
        return "away"
    return "ok"


def _is_read_only() -> bool:
    """Return whether this server of Postgres refuses writes, for example after a failover."""
    row = db.row("SELECT current_setting('transaction_read_only')::bool", {})
    return row is not None and bool(row[0])


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
