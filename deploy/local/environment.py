"""Build the virtual environment from the lock. Runs before anything is installed."""

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
LOCK_FILE = ROOT / "requirements.txt"
STAMP_NAME = ".built-from"
PREINSTALLED = {"pip"}


def main(target: Path) -> int:
    """Make the environment hold exactly what the lock names; quick when it already does."""
    # The lock file is also the lock: two builds at once would tear each other's files.
    with LOCK_FILE.open() as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        return _build(target)


def _build(target: Path) -> int:
    stamp = target / STAMP_NAME
    current_fingerprint = fingerprint()
    built_fingerprint = stamp.read_text() if stamp.exists() else ""
    is_working = _has_working_python(target)
    if is_working and built_fingerprint == current_fingerprint:
        stamp.touch()
        return 0
    # A new lock updates the environment in place, so that running processes keep most of
    # their files; anything else (fresh, interrupted, another Python) starts clean.
    stamp.unlink(missing_ok=True)
    if (
        not is_working
        or built_fingerprint.partition(" ")[0] != current_fingerprint.partition(" ")[0]
    ):
        print(f"butler: making {target.name} with Python {sys.version.split()[0]}", flush=True)
        venv.create(target, clear=True, with_pip=True, symlinks=True)
    started = time.monotonic()
    status = _install(target) or _uninstall_unlocked(target)
    if status == 0:
        stamp.write_text(current_fingerprint)
        print(f"butler: {target.name} is ready ({time.monotonic() - started:.0f} s)", flush=True)
    return status


def _has_working_python(target: Path) -> bool:
    """Tell whether the Python that the environment was made with is still there."""
    try:
        return subprocess.run([target / "bin" / "python", "-c", ""]).returncode == 0
    except OSError:
        return False


def fingerprint() -> str:
    """Name the Python and the lock that an environment is built from."""
    digest = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
    return f"{sysconfig.get_python_version()} {digest}\n"


def locked_packages() -> set[str]:
    """Return the normalized names of all distributions in the lock."""
    return {
        normalize_name(name)
        for name in re.findall(r"^([\w.-]+)==", LOCK_FILE.read_text(), re.MULTILINE)
    }


def normalize_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(target: Path, *arguments: str) -> list[str]:
    pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    return [*pip, "--no-input", *arguments]


def _install(target: Path) -> int:
    # The lock is complete, so no resolver has to think about it: --no-deps.
    command = _pip(
        target,
        *("install", "--require-hashes", "--no-deps", "--progress-bar=off"),
        *("--requirement", str(LOCK_FILE)),
    )
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout is not None
    output = list(_progress(process.stdout, total=len(locked_packages())))
    if process.wait() != 0:
        print("\n".join(output[-25:]), file=sys.stderr)
        print(
            "butler: pip could not install the pinned packages; its last lines are above."
            " Nothing else was changed; run the same command again once that is mended.",
            file=sys.stderr,
        )
    return process.returncode


def _progress(lines: Iterator[str], *, total: int) -> Iterator[str]:
    """Pass the lines on and show how far they got: one moving line, or a few in a log."""
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


def _uninstall_unlocked(target: Path) -> int:
    listing = subprocess.run(
        _pip(target, "list", "--format=freeze"), capture_output=True, text=True, check=True
    ).stdout
    installed = {normalize_name(line.partition("==")[0]) for line in listing.split()}
    if unlocked := sorted(installed - locked_packages() - PREINSTALLED):
        print(f"butler: removing what the lock no longer names: {', '.join(unlocked)}")
        return subprocess.run(_pip(target, "uninstall", "--quiet", "--yes", *unlocked)).returncode
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]).resolve()))
    except KeyboardInterrupt:
        sys.exit("\nbutler: interrupted; the next `make` starts this anew")
