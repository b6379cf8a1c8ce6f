"""A whole system for a chaos run, started like `make run`, in a separate folder."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.carrier import Carrier
from bench.ports import free_port
from bench.sink import Sink

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class System:
    """A running Butler, with the pids and addresses that faults need."""

    home: Path
    port: int
    live_port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    sink: Sink
    carrier: Carrier

    @property
    def services(self) -> dict[str, str]:
        """The settings of the running services, as `make run` lists them in its home."""
        return dict(json.loads((self.home / "services.json").read_text()))

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of a command that uses this system."""
        return {**_clean_environment(), "BUTLER_HOME": str(self.home)}

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of manage.py on this system; return the finished process."""
        return self.python("manage.py", *arguments)

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run Python with these arguments on this system; return the finished process."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )

    # Processes -------------------------------------------------------------------------

    def pids(self, *parts: str) -> list[int]:
        """Return the pids of descendants whose command line has all these parts."""
        return [
            pid
            for pid, command in _descendants(self.process.pid)
            if all(part in command for part in parts)
        ]

    def web_master(self) -> int:
        """Return the pid of the master of the web processes."""
        return self._granian("config.wsgi")[0]

    def web_workers(self) -> list[int]:
        """Return the pids of the web processes that answer requests."""
        return self._granian("config.wsgi")[1]

    def live_worker(self) -> int:
        """Return the pid of a worker of the live processes."""
        return self._granian("config.asgi")[1][-1]

    def _granian(self, application: str, *, timeout: float = 30) -> tuple[int, list[int]]:
        """Find a granian master and its workers. Process numbers do not tell which is older."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for pid in self.pids("granian", application):
                if workers := [child for child, _ in _children(pid)]:
                    return pid, workers
            time.sleep(0.1)
        raise RuntimeError(f"no process serves {application}")

    def worker(self) -> int:
        """Return the pid of the master of the Celery workers."""
        return self._workers()[0]

    def worker_children(self) -> list[int]:
        """Return the pids of the processes in which the Celery worker runs tasks."""
        return self._workers()[1]

    def has_worker(self) -> bool:
        """Return whether a Celery worker with child processes runs."""
        return any(children for _, children in self._find_workers())

    def _workers(self, *, timeout: float = 30) -> tuple[int, list[int]]:
        """Find the worker and its child processes; wait if it is about to start."""
        deadline = time.monotonic() + timeout
        while not (workers := self._find_workers()):
            if time.monotonic() > deadline:
                raise RuntimeError("there is no worker")
            time.sleep(0.2)
        return workers[-1]

    def _find_workers(self) -> list[tuple[int, list[int]]]:
        # A killed worker may have left children. These have no children themselves.
        workers = []
        for pid in sorted(self.pids("celery", " worker ")):
            children = [child for child, command in _children(pid) if " worker " in command]
            workers += [(pid, children)] if children else []
        return workers

    def beat(self) -> int:
        """Return the pid of Celery beat. Raises ValueError if it does not run."""
        return min(self.pids("celery", " beat "))

    def postgres(self) -> int:
        """Return the pid of the main process of Postgres. Raises ValueError if it does not run."""
        return min(self.pids("postgres", "-D"))

    def valkey(self) -> int:
        """Return the pid of Valkey. Raises ValueError if it does not run."""
        return min(self.pids("valkey-server"))

    def metric(self, name: str) -> float:
        """Return a metric of the live process; 0 if it does not answer."""
        url = f"http://127.0.0.1:{self.live_port}/metrics"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[-1])
        return float("nan")


@contextlib.contextmanager
def running_system(
    folder: Path, sink: Sink, carrier: Carrier, *, timeout: float = 120
) -> Iterator[System]:
    """Start the whole system, wait until it is ready, and stop it afterwards."""
    home, log = folder / "home", folder / "log"
    port, live_port = free_port(), free_port()
    environment = {
        **_clean_environment(),
        "BUTLER_HOME": str(home),
        "PORT": str(port),
        "LIVE_PORT": str(live_port),
        "BUTLER_DEMO": "0",
        "MAIL_URL": sink.url,
        "SMS_URL": carrier.url,
    }
    with log.open("wb") as log_file:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    system = System(home, port, live_port, process, log, sink, carrier)
    try:
        _await_ready(system, timeout)
        yield system
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _clean_environment() -> dict[str, str]:
    """Return the current environment without the variables that name other services."""
    prefixes = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "BUTLER_", "MAKE", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def _await_ready(system: System, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while b"butler: ready on" not in system.log.read_bytes():
        if system.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the system did not start:\n" + system.log.read_text()[-3000:])
        time.sleep(0.1)


def _descendants(pid: int) -> Iterator[tuple[int, str]]:
    for child, command in _children(pid):
        yield child, command
        yield from _descendants(child)


def _children(pid: int) -> list[tuple[int, str]]:
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of a program is in parentheses and may contain any character.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                children.append((int(stat.parent.name), command))
    return children
