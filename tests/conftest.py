"""Fixtures for all tests. Postgres, Valkey and the servers are real processes."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import django
import pytest
from hypothesis import HealthCheck, settings

from bench.ports import free_port
from tests import own_services

# The settings need the addresses of the services when they are imported.
own_services.start()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

ROOT = Path(__file__).parent.parent
# Tests that need packages of requirements-dev.txt.
BROWSER_TESTS = ("tests/journeys", "tests/security/test_scripts.py")
BROWSER_TESTS += ("tests/security/test_scripts_internal.py",)
HAS_BROWSER_DRIVER = find_spec("playwright") is not None

# No deadlines, because the duration of an example depends on the load of the machine.
settings.register_profile(
    "butler", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("butler")

# These tests take minutes, so they start first.
LONGEST = ("tests/bench/test_bench.py", "tests/chaos/test_run.py", "tests/deploy/test_run.py")

# The number of characters of a server's log that the report of a failed test contains.
_LOG_CHARACTERS = 6_000

# Tables with rows of migrations, which no test changes. customers_source has one such row, for
# Butler itself.
TABLES_WITH_MIGRATED_ROWS = {
    "auth_permission",
    "django_content_type",
    "customers_source",
    "customers_space",
    "auth_group",
}
TABLES_WITH_MIGRATED_ROWS |= {"auth_group_permissions"}
OTHER_ROWS = [
    f"DELETE FROM {name} WHERE id <> 1" for name in ("customers_source", "customers_space")
]
# Append-only tables. Even tests cannot delete single rows, but can truncate the whole table.
APPEND_ONLY_TABLES = {
    "butler_automationversion",
    "butler_decision",
    "customers_ledgerentry",
    "customers_event",
    "customers_accesslogentry",
    "customers_notice",
    "customers_erasure",
    "customers_tombstone",
}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Skip the browser tests without a browser driver."""
    path = str(collection_path.relative_to(ROOT))
    return True if path in BROWSER_TESTS and not HAS_BROWSER_DRIVER else None


def pytest_report_header() -> str | None:
    """Return a report line with the skipped tests and the packages that they need."""
    if HAS_BROWSER_DRIVER:
        return None
    return f"skipped without requirements-dev.txt: {', '.join(BROWSER_TESTS)}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the longest tests, so that no test process waits for another one at the end.

    Within each of the three groups, the random order does not change.
    """
    items.sort(
        key=lambda test: (
            not test.nodeid.startswith(LONGEST),
            test.get_closest_marker("slow") is None,
        )
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Add the end of the servers' logs to the report of each failed test that used them."""
    report = yield
    running = getattr(item, "funcargs", {}).get("servers")
    if report.failed and running is not None:
        for name in ("web.log", "live.log"):
            log = (Path(running.env["BUTLER_HOME"]) / name).read_text(errors="replace")
            report.sections.append((name, log[-_LOG_CHARACTERS:]))
    return report


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Remove the time limits of statements, because a busy machine answers slowly.

    The servers that tests start have the limits of production.
    """
    from django.db import connection

    from config import db_timeouts

    db_timeouts.ANSWER_TIMEOUT = 120

    # A test without a database may have opened the pool for the database of the settings. Its
    # connections would then use another database than the servers.
    connection.close_pool()
    options = connection.settings_dict["OPTIONS"]
    options["options"] = re.sub(r"statement_timeout=\d+", "statement_timeout=0", options["options"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> None:
    """Make the test database, and check that tests and servers use the same one."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == (connection.settings_dict["NAME"],)


@pytest.fixture(scope="session", autouse=True)
def _delete_what_tests_left() -> Iterator[None]:
    """Empty tables with DELETE, and keep the rows of migrations.

    Django would truncate all tables, which makes new files on disk for each, and then write all
    permissions again. This would take a third of a second after each test that commits.
    """
    from django.core.management.commands import flush
    from django.db import connection

    # Disable the triggers that forbid this, until the end of this transaction.
    ignoring = "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true)"
    ignoring += " FROM pg_trigger WHERE tgname LIKE 'pgtrigger%never_emptied%'"

    def sql_flush(style, tables, **options):
        full = [name for name in tables if name not in TABLES_WITH_MIGRATED_ROWS]
        looks = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in full]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(looks))
            # Foreign keys are checked at the commit, so the order does not matter.
            filled_tables = [name for (name,) in cursor.fetchall()]
        emptied = [
            f'TRUNCATE "{name}" CASCADE' for name in filled_tables if name in APPEND_ONLY_TABLES
        ]
        deletes = [
            f'DELETE FROM "{name}"' for name in filled_tables if name not in APPEND_ONLY_TABLES
        ]
        return [ignoring, *emptied, *deletes, *OTHER_ROWS]

    patch = pytest.MonkeyPatch()
    patch.setattr(connection.ops, "sql_flush", sql_flush)
    patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **options: None)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _nobody_to_wake() -> Iterator[None]:
    """Turn off notifications of workers and caches: tests tick, and new versions start at once."""
    from django.conf import settings

    from butler.decisions import inputs

    patch = pytest.MonkeyPatch()
    patch.setattr(inputs, "CACHE_SECONDS", 0.0)
    patch.setattr(settings, "BUTLER_NOTIFY_WORKERS", False)
    patch.setattr(settings, "BUTLER_ACTIVATION_SECONDS", 0)
    yield
    patch.undo()


@dataclass(frozen=True)
class Running:
    """Real processes on the test database: `web` answers requests, `live` serves streams."""

    web: str
    live: str
    web_pid: int
    live_pid: int
    env: dict[str, str]


@pytest.fixture(scope="session")
def servers(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Running]:
    """Start the web and the live server, as `make run` does, once for the whole test session."""
    from django.db import connection

    home = tmp_path_factory.mktemp("home")
    with django_db_blocker.unblock():
        settings = connection.settings_dict
    env = {
        **os.environ,
        "DATABASE_URL": database_url(settings),
        "BUTLER_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "1",
        "BUTLER_EXAMPLE": "themepark",
        "BUTLER_NOTIFY_WORKERS": "0",
        "BUTLER_ACTIVATION_SECONDS": "0",
    }
    web_port, live_port = free_port(), free_port()
    env |= {"LIVE_URL": f"http://localhost:{live_port}", "LIVE_PORT": str(live_port)}
    env["BUTLER_PASSKEY_ORIGINS"] = f"http://localhost:{web_port}"
    # The page of a shop on another origin, which a test serves.
    env["BUTLER_API_ORIGINS"] = f"http://127.0.0.1:{free_port()}"
    web = _granian("wsgi", "config.wsgi:application", web_port, env, home / "web.log")
    live = _granian("asgi", "config.asgi:application", live_port, env, home / "live.log")
    running = Running(
        f"http://localhost:{web_port}", f"http://localhost:{live_port}", web.pid, live.pid, env
    )
    try:
        _await(running.web + "/livez", web, home / "web.log")
        _await(running.live + "/livez", live, home / "live.log")
        yield running
    finally:
        for process in (web, live):
            _end(process)


@pytest.fixture(scope="session")
def shared_chromium():
    # Imported here, because the driver of the browser is not installed everywhere.
    from tests.browser import SharedChromium

    chromium = SharedChromium()
    yield chromium
    chromium.stop()


@pytest.fixture
def running(servers: Running, transactional_db: None) -> Running:
    """Return the running servers, with a database whose committed rows they can read."""
    return servers


def database_url(settings: dict) -> str:
    """Return the URL of a database from its settings; the host may be a folder with a socket."""
    host, name = str(settings["HOST"]), quote(str(settings["NAME"]))
    user = quote(str(settings["USER"]))
    password = f":{quote(str(settings['PASSWORD']))}" if settings["PASSWORD"] else ""
    if host.startswith("/"):
        port = f"&port={settings['PORT']}" if settings["PORT"] else ""
        return f"postgres://{user}{password}@/{name}?host={quote(host)}{port}"
    return f"postgres://{user}{password}@{host}:{settings['PORT'] or 5432}/{name}"


def _granian(interface: str, target: str, port: int, env: dict[str, str], log: Path):
    command = [sys.executable, "-m", "granian", "--interface", interface, "--port", str(port)]
    command += ["--host", "127.0.0.1", "--workers", "1", "--no-ws", target]
    if interface == "wsgi":
        command += ["--blocking-threads", "4"]
    with log.open("wb") as out:
        return subprocess.Popen(
            command, env=env, cwd=ROOT, stdout=out, stderr=out, start_new_session=True
        )


def _await(url: str, process: subprocess.Popen, log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not come up:\n{log.read_text()[-4000:]}")


def _end(process: subprocess.Popen) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


@pytest.fixture
def count_statements(monkeypatch):
    """Return a context manager that lists the statements to Postgres, also those in a pipeline.

    Our own statements appear as the names of their files. Savepoints are left out, because a test
    runs in one. So is read_triggers, which each process repeats every two seconds.
    """
    from contextlib import contextmanager

    import psycopg

    from customers.sql import body

    names = {body(path): path.stem for path in ROOT.glob("*/sql/*.sql")}
    executed: list[str] = []
    execute = psycopg.Cursor.execute

    def record_and_execute(cursor, query, *args, **kwargs):
        name = names.get(query, query)
        if "SAVEPOINT" not in query and name != "read_triggers":
            executed.append(name)
        return execute(cursor, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", record_and_execute)

    @contextmanager
    def counting():
        statements: list[str] = []
        start = len(executed)
        yield statements
        statements += executed[start:]

    return counting


@pytest.fixture(autouse=True)
def _without_known_identifiers() -> None:
    """Forget the identifiers of earlier tests: their rows are rolled back or truncated."""
    if cache := sys.modules.get("customers.identity.known_identifiers"):
        cache.clear()


@pytest.fixture
def unlimited_codes(settings):
    """Let each customer ask for as many codes as a test needs."""
    settings.BUTLER_CODES_PER_ADDRESS = settings.BUTLER_CODES_PER_NETWORK = 1000


@pytest.fixture
def quick_hashes(settings):
    """Hash passwords with MD5, because the real hasher takes a large part of a second."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sent_texts(settings):
    """Return the list of the texts that Butler sends by SMS at once, instead of sending them."""
    # Imported here, because not all tests need the application.
    from tests import texts

    settings.BUTLER_TEXT_SENDER = texts.SENDER
    texts.sent.clear()
    return texts.sent


@pytest.fixture
def without_version_cache(settings, monkeypatch):
    """Read automations and rules anew at each use, because tests change them all the time."""
    # Imported here, because not all tests need the application.
    from butler.decisions import inputs

    settings.BUTLER_ACTIVATION_SECONDS = 0
    monkeypatch.setattr(inputs, "_cached_rules", None)
