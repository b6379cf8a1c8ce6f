"""Notifies workers after a commit that there is work in Postgres.

No request waits for Redis. Commits within 20 milliseconds send one notification per task. If a
notification is lost, a tick finds the work within a second.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

from customers.events.background_publisher import BackgroundPublisher

# In seconds. Commits within this time send one notification.
_BATCH_WINDOW = 0.02
_TIMEOUT = 1.0

_log = logging.getLogger(__name__)
_failures = Counter(
    "butler_worker_notify_failures", "Notifications of workers that Redis did not accept."
)

# The name of a task, and its arguments.
type Notification = tuple[str, tuple[tuple[str, str], ...]]


def after_commit(task: str, arguments: Mapping[str, str] | None = None) -> None:
    """Notify a worker of this task after the commit of the open transaction."""
    transaction.on_commit(partial(notify_worker, task, arguments))


def notify_worker(task: str, arguments: Mapping[str, str] | None = None) -> None:
    """Notify a worker in the background. Never raises and never waits."""
    if settings.BUTLER_NOTIFY_WORKERS:
        _publisher.add({(task, tuple(sorted((arguments or {}).items()))): 0})


def _send_all(notifications: Iterable[Notification]) -> bool:
    failed = [notification for notification in notifications if not _send(notification)]
    return not failed


def _send(notification: Notification) -> bool:
    name, arguments = notification
    try:
        current_app.send_task(name, kwargs=dict(arguments), retry=False, expires=5)
    except Exception:  # noqa: BLE001  # a tick finds the work without the notification
        _failures.inc()
        _log.warning("redis does not accept notifications of workers")
        return False
    return True


_publisher = BackgroundPublisher(
    "butler-worker-notify", _send_all, timeout=_TIMEOUT, batch_window=_BATCH_WINDOW
)
