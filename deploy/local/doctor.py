"""`make doctor`: looks at everything Butler needs here, and says how to mend what is wrong."""

import os
import re
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
from deploy.local.home import ENOUGH_SPACE, Home
from deploy.local.refusal import Refusal
from deploy.local.supervisor import ROOT

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    what: str
    mend: str = ""


def ok(what: str) -> Finding:
    return Finding(Level.OK, what)


def warn(what: str, mend: str) -> Finding:
    return Finding(Level.WARN, what, mend)


def fail(what: str, mend: str) -> Finding:
    return Finding(Level.FAIL, what, mend)


def doctor() -> int:
    """Print one line a finding; return 1 when something has to be mended first."""
    worst = 0
    for check in CHECKS:
        for finding in _found(check):
            print(f"{finding.level:<5} {finding.what}", flush=True)
            if finding.mend:
                print(f"      -> {finding.mend}", flush=True)
            worst |= finding.level is Level.FAIL
    return worst


def _found(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except Refusal as refusal:
        yield fail(check.__name__.replace("_", " "), str(refusal))


def python_and_packages() -> Iterator[Finding]:
    yield ok(f"Python {sys.version.split()[0]}")
    stamp = Path(sys.prefix) / environment.STAMP_NAME
    if stamp.exists() and stamp.read_text() == environment.fingerprint():
        yield ok(f"the environment {sys.prefix} is what requirements.txt names")
    else:
        yield fail(f"the environment {sys.prefix} is not what requirements.txt names", "make .venv")
    wanted = set(re.findall(r"^[\w.-]+", (ROOT / "requirements.in").read_text(), re.MULTILINE))
    if missing := {environment.normal(name) for name in wanted} - environment.locked():
        yield fail(f"requirements.txt lacks {', '.join(sorted(missing))}", "make lock")
    try:
        distribution("channels")
    except PackageNotFoundError:
        return
    yield fail("Django Channels is installed and collides with our channels/", "make clean .venv")


def ports() -> Iterator[Finding]:
    chosen = run.Ports.chosen()
    told = _told()
    for name, port in (("PORT", chosen.web), ("LIVE_PORT", chosen.live)):
        if told.get(name) == str(port):
            yield ok(f"port {port} ({name}) is used by this Butler")
        elif reason := run.why_not_bindable(port):
            yield fail(f"port {port} ({name}) {reason}", f"make run {name}=…")
        else:
            yield ok(f"port {port} ({name}) is free")


def home_folder() -> Iterator[Finding]:
    path = services.chosen_home()
    there = next(step for step in (path, *path.parents) if step.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield fail(f"{there} cannot be written to", "set BUTLER_HOME to a folder of yours")
        return
    yield ok(f"data {'is' if path.exists() else 'will be'} in {path}")
    account = Home(path).account if path.exists() else Account.for_services()
    if barrier := account.barrier(there):
        yield warn(
            f"{account.name}, who runs PostgreSQL, cannot enter {barrier}",
            f"nothing has to be done: its files are kept outside, and {path} links to them",
        )
    else:
        yield ok(f"PostgreSQL and Valkey run as {account.name}")
    for folder in {there, Path(tempfile.gettempdir())}:
        yield _room(folder)


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    what = f"{folder} has {free / 2**30:.1f} GB left"
    if free < ENOUGH_SPACE:
        return fail(what, "make room, or set BUTLER_HOME (for tests: TMPDIR) to a larger disk")
    if free < 8 * ENOUGH_SPACE:
        return warn(what, "enough to look around; benchmarks want 20 GB")
    return ok(what)


def embedded_programs() -> Iterator[Finding]:
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        yield ok("DATABASE_URL and REDIS_URL are set; nothing embedded is used")
        return
    with services.temporary_home() as home:
        for program in (programs.postgres(home) / "postgres", programs.valkey(home)):
            yield ok((home.account.run([str(program), "--version"]) or "").strip())


def running_services() -> Iterator[Finding]:
    told = _told()
    database = os.environ.get("DATABASE_URL") or told.get("DATABASE_URL")
    ring = os.environ.get("REDIS_URL") or told.get("REDIS_URL")
    if not database or not ring:
        yield ok("no services are running; `make run` starts them")
        return
    yield from _database(database)
    try:
        redis.from_url(ring, socket_timeout=2, socket_connect_timeout=2).ping()
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
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--check"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode == 0:
        yield ok("all migrations are applied")
    else:
        lines = (done.stderr or done.stdout).strip().splitlines()
        yield fail(
            f"migrations are missing: {lines[-1] if lines else '?'}",
            f"{sys.executable} manage.py migrate",
        )


def _durability(connection: psycopg.Connection) -> Iterator[Finding]:
    for name in DURABLE:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        value = row[0] if row else "?"
        if value == "off" or (name == "synchronous_commit" and value == "local"):
            yield fail(f"{name} is {value}: an acknowledgement could be lost", f"set {name} = on")
        else:
            yield ok(f"{name} is {value}")


def _clock(connection: psycopg.Connection) -> Finding:
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    apart = abs(time.time() - row[0]) if row else 0.0
    if apart > 1:
        return fail(f"the database's clock is {apart:.1f} s apart from ours", "run ntpd or chrony")
    return ok("the database's clock agrees with ours")


def clock() -> Iterator[Finding]:
    # Without time synchronization a small computer starts in the past.
    newest = max(path.stat().st_mtime for path in (ROOT / "requirements.txt", Path(__file__)))
    if time.time() < newest:
        yield fail("the clock is behind the files of this project", "set it, or run ntpd or chrony")
    else:
        yield ok(f"the clock says {time.strftime('%Y-%m-%d %H:%M %Z')}")


def browser() -> Iterator[Finding]:
    if found := next(filter(None, map(shutil.which, BROWSERS)), None):
        yield ok(f"browser tests and screenshots use {found}")
    else:
        yield warn("no Chromium: browser tests are skipped", "apt install chromium")


def name_of_this_machine() -> Iterator[Finding]:
    try:
        socket.getaddrinfo("localhost", None)
        yield ok("localhost resolves")
    except OSError:
        yield fail("localhost does not resolve", "add '127.0.0.1 localhost' to /etc/hosts")


def _told() -> dict[str, str]:
    """Return what a running supervisor said about itself, when it still runs."""
    path = services.chosen_home()
    if not (path / "lock").exists():
        return {}
    home = Home(path)
    return home.told() if home.is_taken() else {}


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
