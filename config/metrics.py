"""The Prometheus metrics of the web processes: requests, durations, outcomes of events."""

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
    "butler_request_seconds", "Time to answer a request.", ["route"], buckets=_BUCKETS
)
event_count = Counter("butler_events", "Received events by outcome.", ["outcome"])

# Read from Postgres for each request of /metrics, so that they hold for all processes.
oldest_due_seconds = Gauge(
    "butler_oldest_due_seconds",
    "Age of the oldest due row in seconds.",
    multiprocess_mode="mostrecent",
)
worker_heartbeat_overdue_seconds = Gauge(
    "butler_worker_heartbeat_overdue_seconds",
    "Seconds by which the heartbeat of the workers is overdue.",
    multiprocess_mode="mostrecent",
)

# Ingest reports the outcomes of a batch in response headers. Counting the headers keeps the
# metrics out of the code that stores events.
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
    """Return the metrics of all web processes of this server, and of the due work."""
    _update_work_gauges()
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _update_work_gauges() -> None:
    try:
        now = worker_health(now=timezone.now())  # noqa: TID251  this is an edge
    # During an outage of the database, the other metrics are still useful.
    except db.CONNECTION_ERRORS:
        return
    oldest_due_seconds.set(now.oldest_due_age or 0)
    worker_heartbeat_overdue_seconds.set(now.heartbeat_overdue or 0)
