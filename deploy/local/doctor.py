"""`make doctor`: checks what Butler needs on this machine, and prints how to fix problems."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import psycopg
import redis

from deploy.local import environment, programs, run, services
from deploy.local.account import Account
from deploy.local.errors import SetupError
from deploy.local.home import REQUIRED_SPACE, Home
from deploy.local.supervisor import ROOT

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
PREFIX = Path(sys.prefix)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    message: str
    remedy: str = ""


def ok(message: str) -> Finding:
    """Return a finding without a fault."""
    return Finding(Level.OK, message)


def warn(message: str, remedy: str) -> Finding:
    """Return a finding that does not stop Butler, with its remedy."""
    return Finding(Level.WARN, message, remedy)


def fail(message: str, remedy: str) -> Finding:
    """Return a finding that stops Butler, with its remedy."""
    return Finding(Level.FAIL, message, remedy)


def doctor() -> int:
    """Print one line for each finding; return 1 if Butler cannot run, else 0."""
    has_failure = 0
    for check in CHECKS:
        for finding in _run_check(check):
            print(f"{finding.level:<5} {finding.message}", flush=True)
            if finding.remedy:
                print(f"      -> {finding.remedy}", flush=True)
            has_failure |= finding.level is Level.FAIL
    return has_failure


def _run_check(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except SetupError as error:
        yield fail(check.__name__.replace("_", " "), str(error))


def python_and_packages() -> Iterator[Finding]:
    """Yield findings about the version of Python and the installed packages."""
    yield ok(f"Python {sys.version.split()[0]}")
    level = next((level for level in ("dev", "run") if environment.is_built(PREFIX, level)), None)
    if level:
        yield ok(f"the environment {PREFIX} matches requirements-{level}.txt")
    else:
        yield fail(f"the environment {PREFIX} does not match the lock files", "make .venv")
    try:
        distribution("channels")
    except PackageNotFoundError:
        return
    yield fail(
        "Django Channels is installed and conflicts with the folder channels/", "make clean .venv"
    )


def ports() -> Iterator[Finding]:
    """Yield findings about the ports that Butler listens on."""
    ports = run.Ports.from_environment()
    running = _running_settings()
    for name, port in (("PORT", ports.web), ("LIVE_PORT", ports.live)):
        if running.get(name) == str(port):
            yield ok(f"port {port} ({name}) is used by this Butler")
        elif reason := run.port_problem(port):
            yield fail(f"port {port} ({name}) {reason}", f"make run {name}=…")
        else:
            yield ok(f"port {port} ({name}) is free")


def home_folder() -> Iterator[Finding]:
    """Yield findings about access to BUTLER_HOME."""
    path = services.home_folder()
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        yield fail(f"you cannot write to {existing}", "set BUTLER_HOME to a folder of yours")
        return
    yield ok(f"data {'is' if path.exists() else 'will be'} in {path}")
    account = Home(path).account if path.exists() else Account.for_services()
    if closed_folder := account.first_closed_folder(existing):
        yield warn(
            f"PostgreSQL runs as {account.name}, which cannot enter {closed_folder}",
            f"no action needed: Butler stores its files outside, and {path} links to them",
        )
    else:
        yield ok(f"PostgreSQL and Valkey run as {account.name}")
    for folder in {existing, Path(tempfile.gettempdir())}:
        yield _free_space(folder)


def _free_space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    message = f"{folder} has {free / 2**30:.1f} GB left"
    if free < REQUIRED_SPACE:
        return fail(
            message, "free some space, or set BUTLER_HOME (for tests: TMPDIR) to a larger disk"
        )
    if free < 8 * REQUIRED_SPACE:
        return warn(message, "enough to try Butler; benchmarks need 20 GB")
    return ok(message)


def embedded_programs() -> Iterator[Finding]:
    """Yield findings about the PostgreSQL and Valkey that `make run` starts."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        yield ok("DATABASE_URL and REDIS_URL are set; Butler uses no embedded services")
        return
    with services.temporary_home() as home:
        for program in (programs.postgres(home) / "postgres", programs.valkey(home)):
            yield ok((home.account.run([str(program), "--version"]) or "").strip())


def running_services() -> Iterator[Finding]:
    """Yield findings about the Postgres and Redis that Butler uses, if they run."""
    running = _running_settings()
    database = os.environ.get("DATABASE_URL") or running.get("DATABASE_URL")
    redis_url = os.environ.get("REDIS_URL") or running.get("REDIS_URL")
    if not database or not redis_url:
        yield ok("no services are running; `make run` starts them")
        return
    yield from _database(database)
    try:
        redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2).ping()
        yield ok("Redis answers")
    except (redis.RedisError, ValueError) as error:
        yield fail(f"Redis does not answer ({error})", "check REDIS_URL, or restart `make run`")


def _database(url: str) -> Iterator[Finding]:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            version = connection.execute("SHOW server_version").fetchone()
            yield ok(f"PostgreSQL {version[0] if version else '?'} answers")
            yield from _durability(connection)
            yield _clock(connection)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        yield fail(f"PostgreSQL: {reason}", "check DATABASE_URL, or restart `make run`")
        return
    process = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--check"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if process.returncode == 0:
        yield ok("all migrations are applied")
    else:
        lines = (process.stderr or process.stdout).strip().splitlines()
        yield fail(
            f"migrations are missing: {lines[-1] if lines else '?'}",
            f"{sys.executable} manage.py migrate",
        )


def _durability(connection: psycopg.Connection) -> Iterator[Finding]:
    for name in DURABLE:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        value = row[0] if row else "?"
        if value == "off" or (name == "synchronous_commit" and value == "local"):
            yield fail(f"{name} is {value}: acknowledged events could be lost", f"set {name} = on")
        else:
            yield ok(f"{name} is {value}")


def _clock(connection: psycopg.Connection) -> Finding:
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    difference = abs(time.time() - row[0]) if row else 0.0
    if difference > 1:
        return fail(
            f"the clocks of the database and this machine differ by {difference:.1f} s",
            "run ntpd or chrony",
        )
    return ok("the clocks of the database and this machine agree")


def clock() -> Iterator[Finding]:
    # Without time synchronization, the clock of a small computer is behind after a start.
    """Yield a finding about the clock of the machine."""
    newest = max(
        path.stat().st_mtime for path in (*environment.LOCK_FILES.values(), Path(__file__))
    )
    if time.time() < newest:
        yield fail(
            "the clock is earlier than the files of this project",
            "set the clock, or run ntpd or chrony",
        )
    else:
        yield ok(f"the clock shows {time.strftime('%Y-%m-%d %H:%M %Z')}")


def browser() -> Iterator[Finding]:
    """Yield a finding about the browser that the tests use."""
    if path := next(filter(None, map(shutil.which, BROWSERS)), None):
        yield ok(f"browser tests and screenshots use {path}")
    else:
        yield warn("no Chromium: browser tests are skipped", "apt install chromium")


def name_of_this_machine() -> Iterator[Finding]:
    """Yield a finding about the name of the machine."""
    try:
        socket.getaddrinfo("localhost", None)
        yield ok("localhost resolves")
    except OSError:
        yield fail("localhost does not resolve", "add '127.0.0.1 localhost' to /etc/hosts")


def _running_settings() -> dict[str, str]:
    """Return the addresses of the running services; empty if no supervisor runs."""
    path = services.home_folder()
    if not (path / "lock").exists():
        return {}
    home = Home(path)
    return home.read_services() if home.is_locked() else {}


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    python_and_packages,
    ports,
    home_folder,
    embedded_programs,
    running_services,
    clock,
    name_of_this_machine,
    browser,
)
