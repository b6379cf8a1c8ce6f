"""Starts programs, shows what they say, restarts them, and leaves none behind."""

import contextlib
import ctypes
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from deploy.local.children import Child, Program
from deploy.local.home import Home
from deploy.local.refusal import Refusal

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_PAUSE, LONGEST_PAUSE, STEADY_AFTER = 0.2, 15.0, 30.0
COLORS = (36, 33, 32, 35, 34, 96, 93, 92)
PR_SET_CHILD_SUBREAPER = 36


class Interrupted(Exception):
    """Raised out of a wait when somebody asked us to stop."""


class Supervisor:
    def __init__(self, home: Home, *, shows: bool = True) -> None:
        self.home = home
        self.shows = shows
        self.children: dict[str, Child] = {}
        self.interrupted = 0
        self._guarded: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._restarts: dict[str, int] = {}
        self._due: list[tuple[float, Program]] = []
        self._colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._parent = os.getppid()
        # In the background of a script it may ignore SIGINT from the start.
        self._make_listens = _catches(self._parent, signal.SIGINT)

    def __enter__(self) -> Self:
        self._wakes, waker = socket.socketpair()
        self._wakes.setblocking(False)
        waker.setblocking(False)
        self._waker = waker
        self._selector.register(self._wakes, selectors.EVENT_READ)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            # Under nohup a closed terminal is no reason to end.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        _adopt_orphans()
        self._start_watchdog()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # From here on a second Ctrl-C must not leave anything behind.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self.stop()
        signal.set_wakeup_fd(-1)
        self._end_watchdog()
        self._end_strays()

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self.interrupted = number

    # Starting and waiting ---------------------------------------------------------------

    def start(self, program: Program) -> Child:
        try:
            child = Child.start(program)
        except OSError as error:
            raise Refusal(f"{program.name} cannot be started: {error}") from error
        self.children[program.name] = child
        self._selector.register(child.fd, selectors.EVENT_READ, child)
        self._tell_watchdog(f"add {child.process.pid} {int(program.stop_signal)}")
        return child

    def until(self, is_ready: Callable[[], bool], *, what: str, patience: float = 90) -> None:
        """Wait for something, while showing what is said; a child that ends is an error."""
        deadline = time.monotonic() + patience
        while not is_ready():
            self.pump(0.05)
            for child in self.children.values():
                if child.has_ended:
                    self._show(child)
                    raise Refusal(self._obituary(child))
            if time.monotonic() > deadline:
                raise Refusal(f"{what} was not ready after {patience:.0f} s; see the lines above.")

    def finish(self, program: Program) -> list[str]:
        """Run a program to its end and return the last lines it said."""
        child = self.start(program)
        while not child.has_ended:
            self.pump(0.1)
        self._bury(child)
        if child.process.returncode != 0:
            raise Refusal(self._obituary(child))
        return list(child.said)

    def watch(self) -> None:
        """Keep everything running until somebody asks us to stop."""
        while True:
            self.tend(0.25)

    def tend(self, patience: float) -> None:
        """Show what is said for so many seconds, and start again what has ended."""
        self.pump(patience)
        for child in [child for child in self.children.values() if child.has_ended]:
            self._bury(child)
            self._plan_restart(child)
        due = [program for moment, program in self._due if moment <= time.monotonic()]
        self._due = [item for item in self._due if item[1] not in due]
        for program in due:
            self.start(program)
        self._reap_adopted()

    def guard(self, process: "subprocess.Popen[bytes]") -> None:
        """Have the watchdog end a process too that we did not start as a child of ours."""
        self._guarded.add(process.pid)
        self._tell_watchdog(f"add {process.pid} {int(signal.SIGTERM)}")

    def _plan_restart(self, child: Child) -> None:
        name = child.program.name
        if time.monotonic() - child.started > STEADY_AFTER:
            self._restarts.pop(name, None)
        tries = self._restarts.get(name, 0)
        self._restarts[name] = tries + 1
        pause = min(FIRST_PAUSE * 2**tries, LONGEST_PAUSE)
        self._due.append((time.monotonic() + pause, child.program))
        self.say(f"{self._obituary(child)}\nbutler: {name} is started again in {pause:.1f} s")

    def pump(self, patience: float) -> None:
        """Show what has been said, for at most so many seconds; raise when asked to stop."""
        for key, _ in self._selector.select(patience):
            if isinstance(key.data, Child):
                self._show(key.data)
            else:
                with contextlib.suppress(BlockingIOError):
                    self._wakes.recv(4096)
        if self.interrupted or self._parent_gave_up():
            raise Interrupted

    def _parent_gave_up(self) -> bool:
        """Tell whether the `make` that started us has ended, or was interrupted alone.

        Make passes SIGTERM on, but on SIGINT it only waits for us, who never heard of it. It
        takes its handler off first, which is visible from outside on Linux.
        """
        if "MAKELEVEL" not in os.environ:
            return False
        if os.getppid() != self._parent:
            return True
        return self._make_listens and not _catches(self._parent, signal.SIGINT)

    # What is shown ----------------------------------------------------------------------

    def say(self, text: str) -> None:
        if self.shows:
            self._print(text)

    def _show(self, child: Child) -> None:
        for line in child.lines():
            if self.shows and not any(part in line for part in child.program.hides):
                self._print(f"{self._prefix(child.program.name)} {line}")
        self._forget(child)

    def _forget(self, child: Child) -> None:
        # A closed pipe is readable for ever: kept, it would make the loop spin.
        if child.is_silent and child.fd in self._selector.get_map():
            self._selector.unregister(child.fd)

    def _print(self, text: str) -> None:
        try:
            print(text, flush=True)
        except OSError:
            # Nobody listens any more: the terminal is gone, or `| head` has seen enough.
            self.shows = False
            self.interrupted = signal.SIGHUP

    def _prefix(self, name: str) -> str:
        label = f"{name:<10}|"
        if not self._colored:
            return label
        return f"\033[{COLORS[sum(name.encode()) % len(COLORS)]}m{label}\033[0m"

    def _obituary(self, child: Child) -> str:
        last = [line for line in child.said if line][-(3 if self.shows else 20) :]
        lines = "".join(f"\n    {line}" for line in last)
        said = f"; its last lines:{lines}" if lines else "."
        return f"butler: {child.program.name} {child.ending}{said}"

    # Ending -----------------------------------------------------------------------------

    def stop(self) -> None:
        """End the programs, then what they stood on."""
        for is_foundation in (False, True):
            children = [
                child
                for child in self.children.values()
                if child.program.is_foundation is is_foundation
            ]
            self._end(children)

    def _end(self, children: list[Child]) -> None:
        for child in children:
            child.ask_to_end()
        asked = time.monotonic()
        for child in children:
            while not child.has_ended and time.monotonic() < asked + child.program.patience:
                self._drain(0.05)
            if not child.has_ended:
                self.say(f"butler: {child.program.name} does not end; killed")
            self._bury(child)

    def _drain(self, patience: float) -> None:
        for key, _ in self._selector.select(patience):
            if isinstance(key.data, Child):
                self._show(key.data)

    def _bury(self, child: Child) -> None:
        child.kill_group()
        child.process.wait()
        self._show(child)
        child.is_silent = True
        self._forget(child)
        child.close()
        self.children.pop(child.program.name, None)
        self._tell_watchdog(f"gone {child.process.pid}")

    # Against our own death --------------------------------------------------------------

    def _start_watchdog(self) -> None:
        self._watchdog = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.watchdog"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            pass_fds=[self.home.lock_fd],
            start_new_session=True,
            text=True,
        )
        for child in self.children.values():
            self._tell_watchdog(f"add {child.process.pid} {int(child.program.stop_signal)}")

    def _tell_watchdog(self, line: str) -> None:
        assert self._watchdog.stdin is not None
        try:
            self._watchdog.stdin.write(f"{line}\n")
            self._watchdog.stdin.flush()
        except BrokenPipeError:
            self._watchdog.wait()
            self._start_watchdog()

    def _end_watchdog(self) -> None:
        assert self._watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._watchdog.stdin.close()
        self._watchdog.wait()

    def _reap_adopted(self) -> None:
        """Take leave of orphans that were handed to us and ended: nobody else will."""
        ours = {child.process.pid for child in self.children.values()} | self._guarded
        ours.add(self._watchdog.pid)
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, look)) and ended.si_pid not in ours:
                os.waitpid(ended.si_pid, 0)

    def _end_strays(self) -> None:
        """Kill what left its group: on Linux such orphans were handed to us."""
        for path in Path("/proc/self/task").glob("*/children"):
            for pid in path.read_text().split():
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(int(pid), signal.SIGKILL)
                    os.waitpid(int(pid), 0)


def _adopt_orphans() -> None:
    """Become the parent of grandchildren that lose theirs, so that they can be ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _catches(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has a handler for a signal; False where that cannot be seen."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1)
