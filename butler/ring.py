"""Rings for a worker after a commit: "look". What there is to see is in Postgres.

A thread of its own does the ringing, so that no request waits for Redis, and everything that
was committed within a few milliseconds goes out as one ring a task. A lost ring costs a second:
the ticks look anyway.
"""

import atexit
import logging
import os
import threading
from collections.abc import Mapping
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

# A crowd of commits makes one ring.
_GATHER = 0.02
_PAUSE = 1.0
_PATIENCE = 1.0

_log = logging.getLogger(__name__)
_failures = Counter("butler_wake_failures", "Rings for the workers that Redis did not take.")

# A ring: the name of a task, and its arguments.
type Ring = tuple[str, tuple[tuple[str, str], ...]]


class _Ringer:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self._rings: set[Ring] = set()
        self._wake = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="butler-wake", daemon=True)
        self._thread.start()

    def add(self, ring: Ring) -> None:
        with self._wake:
            self._rings.add(ring)
            self._wake.notify()

    def close(self) -> None:
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join(2 * _PATIENCE)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._rings and not self._is_closing:
                    self._wake.wait()
                is_closing = self._is_closing
            if not is_closing:
                threading.Event().wait(_GATHER)
            with self._wake:
                rings, self._rings = self._rings, set()
            failed = sum(not _send(ring) for ring in rings)
            if failed and not is_closing:
                threading.Event().wait(_PAUSE)
            if is_closing:
                return


def _send(ring: Ring) -> bool:
    name, arguments = ring
    try:
        current_app.send_task(name, kwargs=dict(arguments), retry=False, expires=5)
    except Exception:  # noqa: BLE001  # whatever the broker's client raises, a ring is only a ring
        _failures.inc()
        _log.warning("redis does not take rings for the workers")
        return False
    return True


_ringer: _Ringer | None = None
_lock = threading.Lock()


def after_commit(task: str, arguments: Mapping[str, str] | None = None) -> None:
    """Ring for this task once the open transaction has committed, and only then."""
    transaction.on_commit(partial(wake, task, arguments))


def wake(task: str, arguments: Mapping[str, str] | None = None) -> None:
    """Ask a worker to look. Never raises, never waits."""
    global _ringer
    if not settings.BUTLER_WAKES:
        return
    # A forked child inherits the object but not its thread.
    if _ringer is None or _ringer.pid != os.getpid():
        with _lock:
            if _ringer is None or _ringer.pid != os.getpid():
                _ringer = _Ringer()
                atexit.register(_ringer.close)
    _ringer.add((task, tuple(sorted((arguments or {}).items()))))
