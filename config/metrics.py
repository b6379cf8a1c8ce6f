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

from butler.queries.work import work
from customers import db

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

requests = Counter("butler_requests", "Requests answered.", ["route", "method", "status"])
seconds = Histogram("butler_request_seconds", "Time to answer.", ["route"], buckets=_SECONDS)
events = Counter("butler_events", "What became of events that were sent.", ["outcome"])

# Read from Postgres when the page is asked for, so that they speak for all processes.
oldest_due = Gauge(
    "butler_oldest_due_seconds",
    "For how long the oldest row has been due.",
    multiprocess_mode="mostrecent",
)
worker_silence = Gauge(
    "butler_worker_silence_seconds",
    "For how long the workers have owed a sign of life.",
    multiprocess_mode="mostrecent",
)

# The wire says in headers what became of a batch; they are where it can be counted without
# a word in the code that stores it.
_OUTCOMES = {
    "Butler-Accepted": events.labels("accepted"),
    "Butler-Duplicates": events.labels("duplicate"),
    "Butler-Quarantined": events.labels("quarantined"),
}


def count(response: HttpResponse, *, route: str, method: str, took: float) -> None:
    """Count one answered request."""
    requests.labels(route, method, response.status_code).inc()
    seconds.labels(route).observe(took)
    for header, outcome in _OUTCOMES.items():
        number = response.headers.get(header)
        if number and number != "0":
            outcome.inc(int(number))


def page() -> HttpResponse:
    """Answer with the counts of every process of this server, and how the work stands."""
    _look_at_work()
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _look_at_work() -> None:
    try:
        now = work(now=timezone.now())  # noqa: TID251  this is an edge
    # The counts are what one wants to see just then.
    except db.LOST:
        return
    oldest_due.set(now.oldest_due or 0)
    worker_silence.set(now.silent or 0)
