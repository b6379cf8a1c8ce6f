"""The embedded services: they start, they promise, they end, and nothing is left."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.deploy.conftest import command_of, processes_of
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc"),
]

READ_SETTINGS = """
import json, os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    show = lambda name: connection.execute(f"SHOW {name}").fetchone()[0]
    print(json.dumps({
        "settings": {name: show(name) for name in ("fsync", "synchronous_commit",
            "full_page_writes", "server_encoding", "is_superuser", "listen_addresses",
            "log_error_verbosity", "log_min_error_statement", "log_min_duration_statement")},
        "collation": connection.execute("SELECT datlocale FROM pg_database"
            " WHERE datname = current_database()").fetchone()[0],
        "may_create": connection.execute("SELECT rolcreatedb FROM pg_roles"
            " WHERE rolname = current_user").fetchone()[0],
        "redis": redis.from_url(os.environ["REDIS_URL"]).config_get("maxmemory-policy"),
    }))
"""
COUNT_VISITS = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS visit (at timestamptz DEFAULT now())")
    connection.execute("INSERT INTO visit DEFAULT VALUES")
    print(connection.execute("SELECT count(*) FROM visit").fetchone()[0])
"""
WAIT = "print('waiting', flush=True); import time; time.sleep(60)"


def python(code):
    return ("with-services", "--", sys.executable, "-c", code)


def test_embedded_services_have_durable_settings(start):
    output, _ = start(*python(READ_SETTINGS)).communicate(timeout=60)

    settings = json.loads(output.splitlines()[-1])
    assert settings == {
        "settings": {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "server_encoding": "UTF8",
            "is_superuser": "off",
            "listen_addresses": "",
            # Else its log would quote what customers gave.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_min_duration_statement": "-1",
        },
        "collation": "C.UTF-8",
        "may_create": True,
        "redis": {"maxmemory-policy": "noeviction"},
    }


def test_second_start_finds_its_data_and_nothing_runs_between(start, home):
    visits = []
    for _ in range(2):
        output, _ = start(*python(COUNT_VISITS)).communicate(timeout=60)
        visits.append(output.split()[-1])
        assert processes_of(home) == set()

    assert visits == ["1", "2"]


def test_temporary_home_is_removed_and_the_exit_status_passed_on(start):
    code = "import os, sys; print(os.environ['BUTLER_HOME']); sys.exit(7)"
    process = start("with-services", "--temporary", "--", sys.executable, "-c", code)

    output, _ = process.communicate(timeout=60)

    assert process.returncode == 7
    assert not os.path.exists(output.split()[-1])


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_every_process(start, home, signal_number):
    process = start(*python(WAIT))
    assert process.stdout.readline() == "waiting\n"

    process.send_signal(signal_number)
    process.communicate(timeout=30)

    assert processes_of(home) == set()
    assert process.returncode not in (0, -signal_number)


def test_ignored_sighup_stops_nothing(start, home):
    process = start(*python(WAIT), sighup_handler=signal.SIG_IGN)
    assert process.stdout.readline() == "waiting\n"

    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)

    process.terminate()
    process.communicate(timeout=30)
    assert processes_of(home) == set()


def test_watchdog_stops_what_a_killed_supervisor_left(start, home):
    process = start(*python(WAIT))
    assert process.stdout.readline() == "waiting\n"
    assert len(processes_of(home)) > 3

    process.kill()

    wait_until(lambda: processes_of(home) == set())


def test_services_that_outlived_supervisor_and_watchdog_are_replaced(start, home):
    first = start(*python(COUNT_VISITS + WAIT))
    # Committed before it is said: the block of the connection has ended by then.
    assert [first.stdout.readline() for _ in range(2)] == ["1\n", "waiting\n"]
    before = processes_of(home)
    for pid in (first.pid, *before):
        if pid == first.pid or b"watchdog" in command_of(pid):
            os.kill(pid, signal.SIGKILL)
    assert processes_of(home)

    output, _ = start(*python(COUNT_VISITS)).communicate(timeout=60)

    assert output.split()[-1] == "2"
    commands = [command_of(pid) for pid in processes_of(home)]
    assert [command for command in commands if b"postgres" in command or b"valkey" in command] == []


def test_start_right_after_a_kill_recovers(start, home):
    first = start(*python(COUNT_VISITS + WAIT))
    # Committed before it is said: the block of the connection has ended by then.
    assert [first.stdout.readline() for _ in range(2)] == ["1\n", "waiting\n"]
    first.kill()

    output, _ = start(*python(COUNT_VISITS)).communicate(timeout=60)

    assert output.split()[-1] == "2"


def test_killed_postgres_is_restarted(start, home):
    code = """
import os, signal, time, psycopg
from pathlib import Path
pidfile = Path(os.environ["BUTLER_HOME"]).resolve() / "postgres/data/postmaster.pid"
before = int(pidfile.read_text().split()[0])
os.kill(before, signal.SIGKILL)
for _ in range(100):
    try:
        psycopg.connect(os.environ["DATABASE_URL"]).close()
        if int(pidfile.read_text().split()[0]) != before:
            print("healed")
            break
    except (psycopg.OperationalError, OSError, IndexError):
        pass
    time.sleep(0.1)
"""
    output, _ = start(*python(code)).communicate(timeout=60)

    assert output.split()[-1:] == ["healed"], output


def test_second_start_in_one_home_gets_a_clear_message(start, home):
    first = start("with-services", "--", sys.executable, "-c", WAIT)
    assert first.stdout.readline() == "waiting\n"
    (home / "services.json").write_text(json.dumps({"SUPERVISOR_PID": str(first.pid)}))

    second = start(*python("print('never')"))
    output, _ = second.communicate(timeout=60)

    assert second.returncode == 1
    assert output.startswith(f"butler: Butler already runs in {home}.")
    assert "BUTLER_HOME=" in output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can close a folder to an account it uses")
def test_closed_parent_folder_stays_closed_and_services_work(start, home):
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    inside = closed / "home"

    output, _ = start(*python(READ_SETTINGS), BUTLER_HOME=str(inside)).communicate(timeout=60)
    links = {name: (inside / name).readlink() for name in ("postgres", "run")}

    assert json.loads(output.splitlines()[-1])["settings"]["fsync"] == "on"
    assert closed.stat().st_mode & 0o777 == 0o700
    assert all(target.stat().st_mode & 0o777 == 0o700 for target in links.values())
    for target in links.values():
        target.rename(inside / f"{target.name}-moved")


@pytest.mark.parametrize("name", ["with space", "long" * 30])
def test_home_with_a_long_path_or_spaces_works(start, home, name):
    inside = home.parent / name

    output, _ = start(*python(READ_SETTINGS), BUTLER_HOME=str(inside)).communicate(timeout=60)
    (inside / "run").resolve().rmdir()

    assert json.loads(output.splitlines()[-1])["settings"]["fsync"] == "on"


def test_missing_command_is_named(start):
    output, _ = start("with-services", "--", "/no/such/command").communicate(timeout=60)

    assert output.startswith("butler: Butler cannot start /no/such/command: No such file")
