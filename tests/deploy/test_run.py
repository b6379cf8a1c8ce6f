"""`make run` as a developer sees it: ready, healing, findable, gone, and back with its data."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from bench.ports import free_port
from tests import size
from tests.deploy.conftest import (
    ROOT,
    SERVICE_VARIABLES,
    command_of,
    processes_of,
)
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc"),
]


def test_run_starts_restarts_stops_and_keeps_its_data(start, home):
    ports = {"PORT": str(free_port()), "LIVE_PORT": str(free_port())}
    web, live = (f"http://localhost:{port}" for port in ports.values())

    first = start("run", **ports, BUTLER_DEMO="0", DEBUG="1")
    assert _until_ready(first) == f"butler: ready on {web}\n"
    assert _answers(f"{web}/readyz")
    assert _answers(f"{live}/livez")

    # Another terminal finds what runs here.
    assert json.loads((home / "services.json").read_text())["WEB_URL"] == web
    source = json.loads(_manage(home, "create_source", "app", "--channel", "app"))
    assert source["name"] == "app"

    # A web server that is killed, workers and all, is back soon.
    os.kill(_master(home, "config.wsgi:application"), signal.SIGKILL)
    wait_until(lambda: not _answers(f"{web}/livez"))
    wait_until(lambda: _answers(f"{web}/readyz"))

    first.terminate()
    first.communicate(timeout=40)
    assert processes_of(home) == set()
    assert not (home / "services.json").exists()

    # The source is still there, so its name is taken. `make test` starts only the services.
    if size.IS_LONG:
        second = start("run", **ports, BUTLER_DEMO="0", DEBUG="1")
        _until_ready(second)
        with pytest.raises(subprocess.CalledProcessError):
            _manage(home, "create_source", "app", "--channel", "app")
        second.terminate()
        second.communicate(timeout=40)
    else:
        command = (sys.executable, "manage.py", "create_source", "app", "--channel", "app")
        output, _ = start("with-services", "--", *command).communicate(timeout=60)
        assert "The source 'app' already exists" in output
    assert processes_of(home) == set()


def _until_ready(process):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("butler: ready"):
            return line
    raise AssertionError("".join(lines))


def _manage(home, *arguments):
    inherited = {name: value for name, value in os.environ.items() if name not in SERVICE_VARIABLES}
    inherited.pop("DEBUG", None)
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**inherited, "BUTLER_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def _master(home, application):
    """Return the process that leads its group: its workers have the same command line."""
    return next(
        pid
        for pid in processes_of(home)
        if application.encode() in command_of(pid) and os.getpgid(pid) == pid
    )


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False
