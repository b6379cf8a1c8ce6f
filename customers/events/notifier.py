"""A thread that rings: whoever has something to tell never waits for who is told."""

import atexit
import os
import threading
import time
from collections.abc import Callable, Mapping

# After a ring that nobody took, nobody tries for a while.
_PAUSE = 1.0
# More keys than this in one pause are not remembered: who is rung for looks anyway.
_MOST = 50_000


class Ringer[K]:
    """Collects keys with their highest numbers, and rings for all that came meanwhile at once.

    `ring` takes them and tells whether they were taken; `gather` is how many seconds to wait
    for more before it is called, `patience` how many it may take when the process ends.
    """

    def __init__(
        self,
        name: str,
        ring: Callable[[Mapping[K, int]], bool],
        *,
        patience: float,
        gather: float = 0.0,
    ) -> None:
        self._name, self._ring = name, ring
        self._patience, self._gather = patience, gather
        self._lock = threading.Lock()
        self._pid = 0

    def add(self, found: Mapping[K, int]) -> None:
        """Ring for these soon. Never raises, never waits."""
        # A forked child inherits this object, but not its thread.
        if self._pid != os.getpid():
            self._start()
        with self._wake:
            for key, number in found.items():
                if number > self._waiting.get(key, -1) and len(self._waiting) < _MOST:
                    self._waiting[key] = number
            self._wake.notify()

    def close(self) -> None:
        """Ring for what is left, within the patience for it."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join(2 * self._patience)

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._waiting: dict[K, int] = {}
            self._wake = threading.Condition()
            self._is_closing = False
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
            atexit.register(self.close)
            self._pid = os.getpid()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._is_closing:
                    self._wake.wait()
                is_closing = self._wake.wait_for(lambda: self._is_closing, self._gather)
                found, self._waiting = self._waiting, {}
            if found and not self._ring(found) and not is_closing:
                time.sleep(_PAUSE)
            if is_closing:
                return
