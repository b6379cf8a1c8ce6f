"""Rings for a worker after a commit: "look". What there is to see is in Postgres.

No request waits for Redis, and everything that was committed within a few milliseconds goes
out as one ring a task. A lost ring costs a second: the ticks look anyway.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

from customers.events.background_publisher import BackgroundPublisher

# A crowd of commits makes one ring.
_GATHER = 0.02
_PATIENCE = 1.0

_log = logging.getLogger(__name__)
_failures = Counter("butler_wake_failures", "Rings for the workers that Redis did not take.")

# The name of a task, and its arguments.
type Ring = tuple[str, tuple[tuple[str, str], ...]]


def after_commit(task: str, arguments: Mapping[str, str] | None = None) -> None:
    """Ring for this task once the open transaction has committed, and only then."""
    transaction.on_commit(partial(wake, task, arguments))


def wake(task: str, arguments: Mapping[str, str] | None = None) -> None:
    """Ask a worker to look. Never raises, never waits."""
    if settings.BUTLER_WAKES:
        _publisher.add({(task, tuple(sorted((arguments or {}).items()))): 0})


def _send_all(rings: Iterable[Ring]) -> bool:
    failed = [ring for ring in rings if not _send(ring)]
    return not failed


def _send(ring: Ring) -> bool:
    name, arguments = ring
    try:
        current_app.send_task(name, kwargs=dict(arguments), retry=False, expires=5)
    except Exception:  # noqa: BLE001  # whatever the broker's client raises, a ring is only a ring
        _failures.inc()
        _log.warning("redis does not take rings for the workers")
        return False
    return True


_publisher = BackgroundPublisher("butler-wake", _send_all, timeout=_PATIENCE, batch_window=_GATHER)
