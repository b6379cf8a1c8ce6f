"""The runner refuses an impossible start before it starts a service, with a useful text."""

import os
import socket
import subprocess
import sys

import pytest

from bench.ports import free_port
from tests.deploy.conftest import ROOT

FIND_PYTHON = ROOT / "deploy" / "local" / "find-python"


@pytest.mark.parametrize("name", ["PORT", "LIVE_PORT"])
def test_taken_port_is_named_before_anything_starts(start, home, name):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ports = {"PORT": str(free_port()), "LIVE_PORT": str(free_port()), name: str(port)}

        process = start("run", **ports)
        output, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert (
        output
        == f"butler: Port {port} ({name}) is in use. Choose another port: make run {name}=…\n"
    )
    assert not home.exists()


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        pytest.param({"PORT": "http"}, "PORT is 'http'", id="a-word"),
        pytest.param({"PORT": "70000"}, "PORT is '70000'", id="too-high"),
        pytest.param({"PORT": "8123", "LIVE_PORT": "8123"}, "both 8123", id="the-same-twice"),
    ],
)
def test_invalid_port_is_refused(start, environment, reason):
    process = start("run", **environment)
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert reason in output


def test_failing_python_shim_is_skipped(tmp_path):
    _write_program(tmp_path / "python3.13", "echo 'version not installed' >&2; exit 127")
    (tmp_path / "python3.12").symlink_to(sys.executable)

    process = _find_python(tmp_path)

    assert process.stdout == f"{tmp_path}/python3.12\n"


def test_only_older_python_is_one_clear_error_line(tmp_path):
    for name in ("python3", "python3.13"):
        _write_program(tmp_path / name, "exit 1")

    process = _find_python(tmp_path)

    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr.count("\n") == 1
    assert process.stderr.startswith("butler: found no Python 3.12 or newer")


def test_python_from_the_environment_is_the_only_candidate(tmp_path):
    (tmp_path / "python3.13").symlink_to(sys.executable)

    process = _find_python(tmp_path, PYTHON="/no/such/python")

    assert process.returncode == 1
    assert "/no/such/python" in process.stderr


def _find_python(path, **environment):
    return subprocess.run(
        ["/bin/sh", str(FIND_PYTHON)],
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
    )


def _write_program(path, body):
    path.write_text(f"#!/bin/sh\n{body}\n")
    os.chmod(path, 0o755)
