"""The commands of Butler's processes: `python -m deploy.processes web|live|worker|beat`."""

import os
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Command = tuple[str, ...]


def web(settings: Mapping[str, str]) -> Command:
    """Return the command of the web process: pages, REST API and ingest API, on threads."""
    cores = os.cpu_count() or 1
    return (
        *_granian(settings, "wsgi", settings.get("PORT", "8000")),
        *("--workers", settings.get("WEB_WORKERS", str(max(2, cores)))),
        # More threads would only wait for the interpreter lock.
        *("--blocking-threads", settings.get("WEB_THREADS", str(min(8, 2 * cores + 1)))),
        *("--workers-kill-timeout", "5", "config.wsgi:application"),
    )


def live(settings: Mapping[str, str]) -> Command:
    """Return the command of the live process: streams, on one event loop for each worker."""
    return (
        *_granian(settings, "asgi", settings.get("LIVE_PORT", "8001")),
        *("--workers", settings.get("LIVE_WORKERS", "1"), "--loop", "uvloop"),
        # An open stream counts as a request in progress. The default limit would refuse the
        # thousandth stream.
        *("--backlog", "16384", "--backpressure", "16384"),
        *("--workers-kill-timeout", "3", "config.asgi:application"),
    )


def worker(settings: Mapping[str, str]) -> Command:
    """Return the command of the worker, which runs due jobs when a task notifies it."""
    return (
        *_celery("worker"),
        *("--concurrency", settings.get("WORKER_CONCURRENCY", "3")),
        *("--hostname", f"butler-{settings.get('PORT', '8000')}@%h"),
        *("--without-gossip", "--without-mingle"),
    )


def beat(settings: Mapping[str, str]) -> Command:
    """Return the command of beat, which sends the tick task. Several may run at the same time."""
    schedule = Path(settings.get("BUTLER_HOME", ".")) / "beat-schedule"
    return (*_celery("beat"), "--pidfile=", "--schedule", str(schedule))


PROCESSES: Mapping[str, Callable[[Mapping[str, str]], Command]] = {
    process.__name__: process for process in (web, live, worker, beat)
}


def _granian(settings: Mapping[str, str], interface: str, port: str) -> Command:
    return (
        *(sys.executable, "-m", "granian", "--interface", interface, "--no-ws"),
        *("--host", settings.get("HOST", "127.0.0.1"), "--port", port, "--log-level", "warning"),
        *("--respawn-failed-workers", "--respawn-interval", "0.2"),
    )


def _celery(command: str) -> Command:
    # As root, Celery prints a long warning. Butler runs as root only in development containers.
    warning_filter = ("-W", "ignore:You're running the worker with superuser privileges")
    name = ("-m", "celery", "--app", "config", "--quiet", command, "--loglevel", "warning")
    return (sys.executable, *warning_filter, *name)


def raise_file_limit() -> None:
    """Raise the limit of open files to the system's maximum. Each stream needs one."""
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PROCESSES:
        sys.exit(f"usage: python -m deploy.processes {'|'.join(PROCESSES)}")
    raise_file_limit()
    command = PROCESSES[sys.argv[1]](os.environ)
    os.execv(command[0], command)
