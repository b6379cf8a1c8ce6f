"""A background thread that publishes to Redis, so that requests do not wait for Redis."""

import atexit
import os
import threading
import time
from collections.abc import Callable, Mapping

# Seconds to wait after a failed attempt to publish.
_PAUSE = 1.0
# The publisher drops further keys if this many are pending. Listeners poll for changes, too.
_MAX_PENDING = 50_000


class BackgroundPublisher[K]:
    """Collects keys with their highest numbers, and publishes the pending ones in one batch.

    publish: publishes a batch and returns whether it succeeded
    batch_window: seconds to wait for more keys before `publish` is called
    timeout: seconds that `publish` may take when the process ends
    """

    def __init__(
        self,
        name: str,
        publish: Callable[[Mapping[K, int]], bool],
        *,
        timeout: float,
        batch_window: float = 0.0,
    ) -> None:
        self._name, self._publish = name, publish
        self._timeout, self._batch_window = timeout, batch_window
        self._lock = threading.Lock()
        self._pid = 0

    def add(self, numbers: Mapping[K, int]) -> None:
        """Publish these numbers soon. Never raises an error and never waits."""
        # A forked child process inherits this object without its thread.
        if self._pid != os.getpid():
            self._start()
        with self._condition:
            for key, number in numbers.items():
                if number > self._pending.get(key, -1) and len(self._pending) < _MAX_PENDING:
                    self._pending[key] = number
            self._condition.notify()

    def close(self) -> None:
        """Publish the pending keys, within the timeout, and stop the thread."""
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        self._thread.join(2 * self._timeout)

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pending: dict[K, int] = {}
            self._condition = threading.Condition()
            self._is_closing = False
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
            atexit.register(self.close)
            self._pid = os.getpid()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._pending and not self._is_closing:
                    self._condition.wait()
                is_closing = self._condition.wait_for(lambda: self._is_closing, self._batch_window)
                batch, self._pending = self._pending, {}
            if batch and not self._publish(batch) and not is_closing:
                time.sleep(_PAUSE)
            if is_closing:
                return
