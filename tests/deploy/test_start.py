"""What is refused before anything is started, in words that help."""

import os
import socket
import subprocess
import sys

import pytest

from tests.deploy.conftest import ROOT, free_port

FIND_PYTHON = ROOT / "deploy" / "local" / "find-python"


@pytest.mark.parametrize("name", ["PORT", "LIVE_PORT"])
def test_a_taken_port_is_named_before_anything_is_started(start, home, name):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        elsewhere = {"PORT": free_port(), "LIVE_PORT": free_port(), name: str(port)}

        process = start("run", **elsewhere)
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert said == f"butler: Port {port} ({name}) is taken; choose another: make run {name}=…\n"
    assert not home.exists()


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        pytest.param({"PORT": "http"}, "PORT is 'http'", id="a-word"),
        pytest.param({"PORT": "70000"}, "PORT is '70000'", id="too-high"),
        pytest.param({"PORT": "8123", "LIVE_PORT": "8123"}, "both 8123", id="the-same-twice"),
    ],
)
def test_an_odd_port_is_refused(start, environment, reason):
    process = start("run", **environment)
    said, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert reason in said


def test_a_shim_that_fails_is_passed_over(tmp_path):
    _program(tmp_path / "python3.13", "echo 'version not installed' >&2; exit 127")
    (tmp_path / "python3.12").symlink_to(sys.executable)

    found = _find_python(tmp_path)

    assert found.stdout == f"{tmp_path}/python3.12\n"


def test_an_older_python_only_is_one_clear_sentence(tmp_path):
    for name in ("python3", "python3.13"):
        _program(tmp_path / name, "exit 1")

    found = _find_python(tmp_path)

    assert found.returncode == 1
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    assert found.stderr.startswith("butler: no Python 3.12 or newer")


def test_a_python_named_by_hand_is_the_only_candidate(tmp_path):
    (tmp_path / "python3.13").symlink_to(sys.executable)

    found = _find_python(tmp_path, PYTHON="/no/such/python")

    assert found.returncode == 1
    assert "/no/such/python" in found.stderr


def _find_python(path, **environment):
    return subprocess.run(
        ["/bin/sh", str(FIND_PYTHON)],
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
    )


def _program(path, body):
    path.write_text(f"#!/bin/sh\n{body}\n")
    os.chmod(path, 0o755)
