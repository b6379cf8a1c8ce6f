import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GIVEN = ("DATABASE_URL", "REDIS_URL", "BUTLER_HOME", "SECRET_KEY", "SECRET_KEY_FILE")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for BUTLER_HOME; pytest's own is too deep and too private for other accounts."""
    parent = Path(tempfile.mkdtemp(prefix="butler-test-"))
    parent.chmod(0o755)
    yield parent / "home"
    for pid in processes_of(parent):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for link in (parent / "home").glob("*"):
        if link.is_symlink():
            shutil.rmtree(link.resolve(), ignore_errors=True)
    shutil.rmtree(parent)


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `python -m deploy.local …` with the home of this test and no services given."""
    started = []

    def start(
        *arguments: str,
        hangs_up: signal.Handlers = signal.SIG_DFL,
        **environment: str,
    ) -> subprocess.Popen[str]:
        surroundings = {name: value for name, value in os.environ.items() if name not in GIVEN}
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", *arguments],
            cwd=ROOT,
            env={**surroundings, "BUTLER_HOME": str(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Or else what a test sees would hang on whether somebody started it under nohup.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, hangs_up),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        # Not read to the end: an orphan may still hold the other side.
        process.stdout.close()


def processes_of(folder: Path) -> set[int]:
    """Return who works in a folder or was told of it, ourselves apart."""
    return {
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _names(entry, folder)
    }


def command_of(pid: int) -> bytes:
    """Return the command line, or nothing when the process has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _names(process: Path, folder: Path) -> bool:
    try:
        command = (process / "cmdline").read_bytes()
        told = (process / "environ").read_bytes()
        cwd = os.fsencode((process / "cwd").readlink())
    except OSError:
        return False
    needle = os.fsencode(str(folder))
    # A zombie has an empty command line: it holds nothing any more.
    return bool(command) and needle in b"\0".join((command, told, cwd))


def until(condition: Callable[[], object], *, patience: float = 20) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
