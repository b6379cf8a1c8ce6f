"""What an operator sees, for Prometheus: how many requests, how long, what became of events."""

import os

from django.http import HttpResponse
from django.utils import timezone
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from butler.queries.worker_health import worker_health
from customers import db

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

request_count = Counter("butler_requests", "Requests answered.", ["route", "method", "status"])
request_seconds = Histogram(
    "butler_request_seconds", "Time to answer.", ["route"], buckets=_BUCKETS
)
event_count = Counter("butler_events", "What became of events that were sent.", ["outcome"])

# Read from Postgres when the page is asked for, so that they speak for all processes.
oldest_due_seconds = Gauge(
    "butler_oldest_due_seconds",
    "For how long the oldest row has been due.",
    multiprocess_mode="mostrecent",
)
worker_heartbeat_overdue_seconds = Gauge(
    "butler_worker_heartbeat_overdue_seconds",
    "For how long the workers have owed a sign of life.",
    multiprocess_mode="mostrecent",
)

# The wire says in headers what became of a batch; they are where it can be counted without
# a word in the code that stores it.
_OUTCOMES = {
    "Butler-Accepted": event_count.labels("accepted"),
    "Butler-Duplicates": event_count.labels("duplicate"),
    "Butler-Quarantined": event_count.labels("quarantined"),
}


def count_request(response: HttpResponse, *, route: str, method: str, duration: float) -> None:
    """Count one answered request."""
    request_count.labels(route, method, response.status_code).inc()
    request_seconds.labels(route).observe(duration)
    for header, outcome in _OUTCOMES.items():
        number = response.headers.get(header)
        if number and number != "0":
            outcome.inc(int(number))


def metrics_response() -> HttpResponse:
    """Return the metrics of every process of this server, and those of the due work."""
    _update_work_gauges()
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _update_work_gauges() -> None:
    try:
        now = worker_health(now=timezone.now())  # noqa: TID251  this is an edge
    # The counts are what one wants to see just then.
    except db.CONNECTION_ERRORS:
        return
    oldest_due_seconds.set(now.oldest_due_age or 0)
    worker_heartbeat_overdue_seconds.set(now.heartbeat_overdue or 0)
