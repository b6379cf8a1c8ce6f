import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICE_VARIABLES = ("DATABASE_URL", "REDIS_URL", "BUTLER_HOME", "SECRET_KEY", "SECRET_KEY_FILE")


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
        sighup_handler: signal.Handlers = signal.SIG_DFL,
        **environment: str,
    ) -> subprocess.Popen[str]:
        inherited = {
            name: value for name, value in os.environ.items() if name not in SERVICE_VARIABLES
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", *arguments],
            cwd=ROOT,
            env={**inherited, "BUTLER_HOME": str(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Or else what a test sees would hang on whether somebody started it under nohup.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, sighup_handler),
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
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _mentions(entry, folder)
    }


def command_of(pid: int) -> bytes:
    """Return the command line, or nothing when the process has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _mentions(process: Path, folder: Path) -> bool:
    try:
        command = (process / "cmdline").read_bytes()
        environment = (process / "environ").read_bytes()
        cwd = os.fsencode((process / "cwd").readlink())
    except OSError:
        return False
    folder_name = os.fsencode(str(folder))
    # A zombie has an empty command line: it holds nothing any more.
    return bool(command) and folder_name in b"\0".join((command, environment, cwd))
