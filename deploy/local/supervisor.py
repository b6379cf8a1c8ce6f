"""Starts programs, prints their output, restarts them, and ends all of them."""

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
from deploy.local.errors import SetupError
from deploy.local.home import Home

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_RESTART_DELAY, MAX_RESTART_DELAY, STABLE_SECONDS = 0.2, 15.0, 30.0
COLORS = (36, 33, 32, 35, 34, 96, 93, 92)
PR_SET_CHILD_SUBREAPER = 36


class Interrupted(Exception):
    """Raised while waiting when the supervisor receives a signal to stop."""


class Supervisor:
    """Runs programs as child processes. Use it as a context manager."""

    def __init__(self, home: Home, *, is_verbose: bool = True) -> None:
        self.home = home
        self.is_verbose = is_verbose
        self.children: dict[str, Child] = {}
        self.stop_signal = 0
        self._guarded_pids: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._restarts: dict[str, int] = {}
        self._pending_restarts: list[tuple[float, Program]] = []
        self._colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._parent = os.getppid()
        # In the background of a script, make may ignore SIGINT from the start.
        self._make_catches_sigint = _has_handler(self._parent, signal.SIGINT)

    def __enter__(self) -> Self:
        self._wakeup_reader, wakeup_writer = socket.socketpair()
        self._wakeup_reader.setblocking(False)
        wakeup_writer.setblocking(False)
        self._wakeup_writer = wakeup_writer
        self._selector.register(self._wakeup_reader, selectors.EVENT_READ)
        signal.set_wakeup_fd(wakeup_writer.fileno(), warn_on_full_buffer=False)
        for signal_number in SIGNALS:
            # Under nohup, SIGHUP is ignored, so a closed terminal does not end the supervisor.
            if signal_number != signal.SIGHUP or signal.getsignal(signal_number) != signal.SIG_IGN:
                signal.signal(signal_number, self._on_signal)
        _adopt_orphans()
        self._start_watchdog()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Ignore a second Ctrl-C, which would leave processes running.
        for signal_number in SIGNALS:
            signal.signal(signal_number, signal.SIG_IGN)
        self.stop()
        signal.set_wakeup_fd(-1)
        self._stop_watchdog()
        self._kill_strays()

    def _on_signal(self, signal_number: int, _: FrameType | None) -> None:
        self.stop_signal = signal_number

    # Starting and waiting ---------------------------------------------------------------

    def start(self, program: Program) -> Child:
        """Start a program, and tell the watchdog about it. Raises SetupError."""
        try:
            child = Child.start(program)
        except OSError as error:
            raise SetupError(f"Butler cannot start {program.name}: {error}") from error
        self.children[program.name] = child
        self._selector.register(child.fd, selectors.EVENT_READ, child)
        self._send_to_watchdog(f"add {child.process.pid} {int(program.stop_signal)}")
        return child

    def wait_until(
        self, is_ready: Callable[[], bool], *, description: str, timeout: float = 300
    ) -> None:
        """Wait for a condition while printing output. Raise SetupError if a child ends."""
        deadline = time.monotonic() + timeout
        while not is_ready():
            self.read_output(0.05)
            for child in self.children.values():
                if child.has_ended:
                    self._show(child)
                    raise SetupError(self._exit_report(child))
            if time.monotonic() > deadline:
                raise SetupError(
                    f"{description} was not ready after {timeout:.0f} s. See the lines above."
                )

    def run_to_end(self, program: Program) -> list[str]:
        """Run a program to its end; return the last lines of its output."""
        child = self.start(program)
        while not child.has_ended:
            self.read_output(0.1)
        self._remove_child(child)
        if child.process.returncode != 0:
            raise SetupError(self._exit_report(child))
        return list(child.output)

    def watch(self) -> None:
        """Restart ended children until a signal asks the supervisor to stop."""
        while True:
            self.restart_ended(0.25)

    def restart_ended(self, timeout: float) -> None:
        """Print output for `timeout` seconds, and restart ended children."""
        self.read_output(timeout)
        for child in [child for child in self.children.values() if child.has_ended]:
            self._remove_child(child)
            self._schedule_restart(child)
        due = [
            program
            for restart_at, program in self._pending_restarts
            if restart_at <= time.monotonic()
        ]
        self._pending_restarts = [
            restart for restart in self._pending_restarts if restart[1] not in due
        ]
        for program in due:
            self.start(program)
        self._reap_adopted()

    def add_to_watchdog(self, process: "subprocess.Popen[bytes]") -> None:
        """Let the watchdog also end a process that the supervisor did not start itself."""
        self._guarded_pids.add(process.pid)
        self._send_to_watchdog(f"add {process.pid} {int(signal.SIGTERM)}")

    def _schedule_restart(self, child: Child) -> None:
        name = child.program.name
        if time.monotonic() - child.started_at > STABLE_SECONDS:
            self._restarts.pop(name, None)
        tries = self._restarts.get(name, 0)
        self._restarts[name] = tries + 1
        delay = min(FIRST_RESTART_DELAY * 2**tries, MAX_RESTART_DELAY)
        self._pending_restarts.append((time.monotonic() + delay, child.program))
        self.print_line(f"{self._exit_report(child)}\nbutler: restarting {name} in {delay:.1f} s")

    def read_output(self, timeout: float) -> None:
        """Print output for at most `timeout` seconds. Raise Interrupted after a stop signal."""
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Child):
                self._show(key.data)
            else:
                with contextlib.suppress(BlockingIOError):
                    self._wakeup_reader.recv(4096)
        if self.stop_signal or self._has_make_stopped():
            raise Interrupted

    def _has_make_stopped(self) -> bool:
        """Tell whether the `make` that started this process has ended or got SIGINT.

        Make forwards SIGTERM. On SIGINT it only waits for this process, which does not receive the
        signal. But make removes its handler first, and Linux shows this in /proc.
        """
        if "MAKELEVEL" not in os.environ:
            return False
        if os.getppid() != self._parent:
            return True
        return self._make_catches_sigint and not _has_handler(self._parent, signal.SIGINT)

    # Output -----------------------------------------------------------------------------

    def print_line(self, text: str) -> None:
        """Print a line, unless the supervisor runs quietly."""
        if self.is_verbose:
            self._print(text)

    def _show(self, child: Child) -> None:
        for line in child.lines():
            if self.is_verbose and not any(part in line for part in child.program.hidden_texts):
                self._print(f"{self._prefix(child.program.name)} {line}")
        self._unregister(child)

    def _unregister(self, child: Child) -> None:
        # A closed pipe is always readable, so the loop would never wait.
        if child.is_output_closed and child.fd in self._selector.get_map():
            self._selector.unregister(child.fd)

    def _print(self, text: str) -> None:
        try:
            print(text, flush=True)
        except OSError:
            # The reader of the output is gone: the terminal was closed, or `| head` has ended.
            self.is_verbose = False
            self.stop_signal = signal.SIGHUP

    def _prefix(self, name: str) -> str:
        label = f"{name:<10}|"
        if not self._colored:
            return label
        return f"\033[{COLORS[sum(name.encode()) % len(COLORS)]}m{label}\033[0m"

    def _exit_report(self, child: Child) -> str:
        last = [line for line in child.output if line][-(3 if self.is_verbose else 20) :]
        lines = "".join(f"\n    {line}" for line in last)
        output_text = f". Its last lines:{lines}" if lines else "."
        return f"butler: {child.program.name} {child.exit_description}{output_text}"

    # Ending -----------------------------------------------------------------------------

    def stop(self) -> None:
        """End the programs, then the services that they use."""
        for is_foundation in (False, True):
            children = [
                child
                for child in self.children.values()
                if child.program.is_service is is_foundation
            ]
            self._stop_children(children)

    def _stop_children(self, children: list[Child]) -> None:
        for child in children:
            child.send_stop_signal()
        signalled_at = time.monotonic()
        for child in children:
            while (
                not child.has_ended and time.monotonic() < signalled_at + child.program.stop_timeout
            ):
                self._show_output(0.05)
            if not child.has_ended:
                self.print_line(f"butler: {child.program.name} did not end and was killed")
            self._remove_child(child)

    def _show_output(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Child):
                self._show(key.data)

    def _remove_child(self, child: Child) -> None:
        child.kill_group()
        child.process.wait()
        self._show(child)
        child.is_output_closed = True
        self._unregister(child)
        child.close()
        self.children.pop(child.program.name, None)
        self._send_to_watchdog(f"remove {child.process.pid}")

    # Watchdog and orphans ---------------------------------------------------------------

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
            self._send_to_watchdog(f"add {child.process.pid} {int(child.program.stop_signal)}")

    def _send_to_watchdog(self, line: str) -> None:
        assert self._watchdog.stdin is not None
        try:
            self._watchdog.stdin.write(f"{line}\n")
            self._watchdog.stdin.flush()
        except BrokenPipeError:
            self._watchdog.wait()
            self._start_watchdog()

    def _stop_watchdog(self) -> None:
        assert self._watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._watchdog.stdin.close()
        self._watchdog.wait()

    def _reap_adopted(self) -> None:
        """Reap ended orphans, whose parent is now the supervisor."""
        own_pids = {child.process.pid for child in self.children.values()} | self._guarded_pids
        own_pids.add(self._watchdog.pid)
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        with contextlib.suppress(ChildProcessError):
            while (child := os.waitid(os.P_ALL, 0, options)) and child.si_pid not in own_pids:
                os.waitpid(child.si_pid, 0)

    def _kill_strays(self) -> None:
        """Kill processes that left their group. On Linux the supervisor is now their parent."""
        for path in Path("/proc/self/task").glob("*/children"):
            for pid in path.read_text().split():
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(int(pid), signal.SIGKILL)
                    os.waitpid(int(pid), 0)


def _adopt_orphans() -> None:
    """Become the parent of orphaned grandchildren, so that the supervisor can end them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _has_handler(pid: int, signal_number: signal.Signals) -> bool:
    """Tell whether a process has a handler for a signal; False if the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal_number - 1) & 1)
