"""Creates databases for the benchmarks, and starts servers like `make run`."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bench.load import BenchmarkFailed
from bench.ports import free_port
from deploy.local.home import Home
from deploy.processes import PROCESSES

ROOT = Path(__file__).resolve().parent.parent
# A secret key with all rights, of a source that exists only in these databases.
# The benchmarks speak as the source of the invented customers, so they use the same user ids.
SOURCE = "generated app"


@dataclass(frozen=True, slots=True)
class Database:
    url: str
    env: Mapping[str, str]

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Return a new connection in autocommit mode; the caller closes it."""
        return psycopg.connect(self.url, autocommit=True)

    def manage(self, *arguments: str) -> str:
        """Run a management command; return its output."""
        return self.run(str(ROOT / "manage.py"), *arguments)

    def run(self, *arguments: str) -> str:
        """Run Python with these arguments on this database; return its output."""
        process = subprocess.run(
            [sys.executable, *arguments],
            env=dict(self.env),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        if process.returncode:
            raise BenchmarkFailed(f"python {' '.join(arguments)} ended with {process.returncode}")
        return process.stdout


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    process: "subprocess.Popen[bytes]"

    def workers(self) -> list[int]:
        """Return the ids of the processes that answer requests."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]


def create_database(name: str, *, settings: str = "config.settings") -> Database:
    """Return the database with this name; create it if it is missing."""
    base_url = os.environ["DATABASE_URL"]
    with psycopg.connect(base_url, autocommit=True) as connection:
        exists = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if exists.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = urlunsplit(urlsplit(base_url)._replace(path=f"/{name}"))
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": settings,
        "BUTLER_EXAMPLE": "",
        # The settings of a process in production.
        "DEBUG": "0",
        "BUTLER_ALLOW_RESERVED_DOMAINS": "1",
        "BUTLER_EVENTS_PER_MINUTE": "0",
    }
    return Database(url, env)


def check_durability(database: Database) -> None:
    """Raise BenchmarkFailed if Postgres may lose acknowledged commits."""
    with database.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            (value,) = connection.execute(sql.SQL("SHOW {}").format(sql.SQL(name))).fetchone() or ()
            if value != "on":
                raise BenchmarkFailed(
                    f"{name} is {value}: what is measured here is durable or nothing"
                )


def create_key(database: Database) -> str:
    """Create the source of the benchmarks, or rotate its key."""
    with database.connect() as connection:
        existing = connection.execute("SELECT FROM customers_source WHERE name = %s", [SOURCE])
        command = (
            ("rotate_key",)
            if existing.fetchone() is not None
            else ("create_source", "--channel", "app")
        )
    printed = database.manage(*command, SOURCE, "--secret").splitlines()[-1]
    return str(json.loads(printed)["key"])


def vacuum(database: Database) -> None:
    """Run VACUUM ANALYZE now, so that autovacuum does not run during a round."""
    with database.connect() as connection:
        connection.execute("VACUUM (ANALYZE)")


@contextlib.contextmanager
def running_server(name: str, database: Database, *, application: str = "") -> Iterator[Server]:
    """Run web or live with the flags of `make run`; `application` replaces the served one."""
    port = free_port()
    environment = {**database.env, "PORT": str(port), "LIVE_PORT": str(port)}
    home = Home(Path(tempfile.mkdtemp(prefix="butler-bench-")))
    command = PROCESSES[name](environment)
    if application:
        command = (*command[:-1], application)
    log = home.path / "log"
    with log.open("wb") as log_file:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            stdout=log_file,
            stderr=log_file,
            start_new_session=True,
        )
    try:
        _wait_until_up(port, process, log)
        yield Server(port, process)
    finally:
        stop_process(process)
        home.remove()


def _wait_until_up(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=2) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise BenchmarkFailed(f"a server did not start:\n{log.read_text(errors='replace')[-4000:]}")


def stop_process(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its whole group."""
    for signal_number, timeout in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
            return


def resident_memory(pids: Sequence[int]) -> list[float]:
    """Return the resident memory of processes, in MB."""
    megabytes = []
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        kilobytes = int(status.partition("VmRSS:")[2].split()[0])
        megabytes.append(kilobytes / 1000)
    return megabytes
