"""The command of each process, the same everywhere: `python -m deploy.processes web`."""

import os
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Command = tuple[str, ...]


def web(settings: Mapping[str, str]) -> Command:
    """Pages, REST and ingest, on threads."""
    cores = os.cpu_count() or 1
    return (
        *_granian(settings, "wsgi", settings.get("PORT", "8000")),
        *("--workers", settings.get("WEB_WORKERS", str(max(2, cores)))),
        # Threads beyond this only wait for the interpreter.
        *("--blocking-threads", settings.get("WEB_THREADS", str(min(8, 2 * cores + 1)))),
        *("--workers-kill-timeout", "5", "config.wsgi:application"),
    )


def live(settings: Mapping[str, str]) -> Command:
    """Open streams, on one event loop a worker."""
    return (
        *_granian(settings, "asgi", settings.get("LIVE_PORT", "8001")),
        *("--workers", settings.get("LIVE_WORKERS", "1"), "--loop", "uvloop"),
        # An open stream is a request in progress: the default would refuse the thousandth.
        *("--backlog", "16384", "--backpressure", "16384"),
        *("--workers-kill-timeout", "3", "config.asgi:application"),
    )


def worker(settings: Mapping[str, str]) -> Command:
    """Looks at what is due when it is rung."""
    return (
        *_celery("worker"),
        *("--concurrency", settings.get("WORKER_CONCURRENCY", "3")),
        *("--hostname", f"butler-{settings.get('PORT', '8000')}@%h"),
        *("--without-gossip", "--without-mingle"),
    )


def beat(settings: Mapping[str, str]) -> Command:
    """Ticks; ten of them would do no harm, so nobody has to make sure that it is alone."""
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
    # As root the worker warns at length; there root is a developer in a container.
    warning_filter = ("-W", "ignore:You're running the worker with superuser privileges")
    name = ("-m", "celery", "--app", "config", "--quiet", command, "--loglevel", "warning")
    return (sys.executable, *warning_filter, *name)


def raise_file_limit() -> None:
    """Allow as many open files as the system does: each stream is one."""
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PROCESSES:
        sys.exit(f"usage: python -m deploy.processes {'|'.join(PROCESSES)}")
    raise_file_limit()
    command = PROCESSES[sys.argv[1]](os.environ)
    os.execv(command[0], command)
