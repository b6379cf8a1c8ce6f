"""Builds the virtual environment from a lock file. Uses only Python's standard library.

python deploy/local/environment.py FOLDER run|dev
"""

import fcntl
import hashlib
import re
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The lock files of the levels. The lock file of "dev" contains all packages of "run".
LOCK_FILES = {
    "run": ROOT / "requirements-run.txt",
    "dev": ROOT / "requirements-dev.txt",
}
PREINSTALLED = {"pip"}


def main(target: Path, level: str) -> int:
    """Install exactly the packages of this level's lock file; return the exit status.

    An environment of the level "dev" keeps its level, because it also contains the packages of
    "run".
    """
    if _stamp(target, "dev").exists():
        level = "dev"
    # The lock on this file prevents two builds at the same time.
    with LOCK_FILES["run"].open() as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        return _build(target, level)


def _build(target: Path, level: str) -> int:
    current_fingerprint = fingerprint(level)
    is_working = _has_working_python(target)
    if is_working and is_built(target, level):
        _touch_stamps(target, level)
        return 0
    # After a change of the lock file, pip updates the environment in place, so that running
    # processes keep most of their files. In all other cases (new, interrupted, another Python),
    # the environment is created again.
    stamps = list(target.glob(".built-*"))
    python_versions = {stamp.read_text().partition(" ")[0] for stamp in stamps}
    if not is_working or python_versions != {sysconfig.get_python_version()}:
        print(f"butler: creating {target.name} with Python {sys.version.split()[0]}", flush=True)
        venv.create(target, clear=True, with_pip=True, symlinks=True)
    for stamp in stamps:
        stamp.unlink(missing_ok=True)
    started = time.monotonic()
    # In this order: a package that replaces another one may install files of the same names.
    status = _uninstall_unlocked(target, level) or _install(target, level)
    if status == 0:
        _stamp(target, level).write_text(current_fingerprint)
        _touch_stamps(target, level)
        print(f"butler: {target.name} is ready ({time.monotonic() - started:.0f} s)", flush=True)
    return status


def _stamp(target: Path, level: str) -> Path:
    """Return the file with the fingerprint of the lock that this level was built from."""
    return target / f".built-{level}"


def _touch_stamps(target: Path, level: str) -> None:
    """Mark this level, and the level that it includes, as built for make."""
    _stamp(target, level).touch()
    if level == "dev":
        _stamp(target, "run").write_text(fingerprint("run"))


def is_built(target: Path, level: str) -> bool:
    """Tell whether the environment was built from the current lock file of this level."""
    stamp = _stamp(target, level)
    return stamp.exists() and stamp.read_text() == fingerprint(level)


def _has_working_python(target: Path) -> bool:
    """Tell whether the Python of the environment still runs."""
    try:
        return subprocess.run([target / "bin" / "python", "-c", ""]).returncode == 0
    except OSError:
        return False


def fingerprint(level: str) -> str:
    """Return the Python version and the digest of the lock file of this level."""
    digest = hashlib.sha256(LOCK_FILES[level].read_bytes()).hexdigest()
    return f"{sysconfig.get_python_version()} {digest}\n"


def locked_packages(level: str) -> set[str]:
    """Return the normalized names of all packages in the lock file of this level."""
    lock = LOCK_FILES[level].read_text()
    names: list[str] = re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
    return {normalize_name(name) for name in names}


def normalize_name(name: str) -> str:
    """Return the name of a package in the form that PEP 503 compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(target: Path, *arguments: str) -> list[str]:
    pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    return [*pip, "--no-input", *arguments]


def _install(target: Path, level: str) -> int:
    # --no-deps: the lock file is complete, so pip does not have to resolve dependencies.
    command = _pip(
        target,
        *("install", "--require-hashes", "--no-deps", "--no-compile", "--progress-bar=off"),
        *("--requirement", str(LOCK_FILES[level])),
    )
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        output = list(_progress(process.stdout, total=len(locked_packages(level))))
    if process.returncode != 0:
        print("\n".join(output[-25:]), file=sys.stderr)
        print(
            "butler: pip could not install the pinned packages. Its last lines are above."
            " Fix the problem, then run the same command again.",
            file=sys.stderr,
        )
    return process.returncode


def _progress(lines: Iterator[str], *, total: int) -> Iterator[str]:
    """Yield the lines, and print the progress: one changing line, or a few lines in a log."""
    is_terminal = sys.stdout.isatty()
    fetched = 0
    for line in lines:
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            fetched += 1
            if is_terminal:
                print(f"\rbutler: fetching packages {fetched}/{total} ", end="", flush=True)
            elif fetched % 40 == 0:
                print(f"butler: fetching packages {fetched}/{total}", flush=True)
        if line.startswith("Installing collected packages"):
            print(f"{'\r' if is_terminal else ''}butler: installing {total} packages", flush=True)
        yield line.rstrip()


def _uninstall_unlocked(target: Path, level: str) -> int:
    listing = subprocess.run(
        _pip(target, "list", "--format=freeze"), capture_output=True, text=True, check=True
    ).stdout
    installed = {normalize_name(line.partition("==")[0]) for line in listing.split()}
    if unlocked := sorted(installed - locked_packages(level) - PREINSTALLED):
        print(f"butler: removing packages that are not in the lock file: {', '.join(unlocked)}")
        return subprocess.run(_pip(target, "uninstall", "--quiet", "--yes", *unlocked)).returncode
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit("\nbutler: interrupted; the next `make` starts the build again")
