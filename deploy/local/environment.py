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
LOCK = ROOT / "requirements.txt"
STAMP_NAME = ".built-from"
SEEDED = {"pip"}


def main(target: Path) -> int:
    """Make the environment hold exactly what the lock names; quick when it already does."""
    # The lock file is also the lock: two builds at once would tear each other's files.
    with LOCK.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        return _build(target)


def _build(target: Path) -> int:
    stamp = target / STAMP_NAME
    wanted = fingerprint()
    built = stamp.read_text() if stamp.exists() else ""
    is_whole = _runs(target)
    if is_whole and built == wanted:
        stamp.touch()
        return 0
    # A new lock updates the environment in place, so that running processes keep most of
    # their files; anything else (fresh, interrupted, another Python) starts clean.
    stamp.unlink(missing_ok=True)
    if not is_whole or built.partition(" ")[0] != wanted.partition(" ")[0]:
        print(f"butler: making {target.name} with Python {sys.version.split()[0]}", flush=True)
        venv.create(target, clear=True, with_pip=True, symlinks=True)
    started = time.monotonic()
    status = _install(target) or _uninstall_strangers(target)
    if status == 0:
        stamp.write_text(wanted)
        print(f"butler: {target.name} is ready ({time.monotonic() - started:.0f} s)", flush=True)
    return status


def _runs(target: Path) -> bool:
    """Tell whether the Python that the environment was made with is still there."""
    try:
        return subprocess.run([target / "bin" / "python", "-c", ""]).returncode == 0
    except OSError:
        return False


def fingerprint() -> str:
    """Name the Python and the lock that an environment is built from."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{sysconfig.get_python_version()} {digest}\n"


def locked() -> set[str]:
    """Return the normalized names of all distributions in the lock."""
    return {normal(name) for name in re.findall(r"^([\w.-]+)==", LOCK.read_text(), re.MULTILINE)}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(target: Path, *arguments: str) -> list[str]:
    pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    return [*pip, "--no-input", *arguments]


def _install(target: Path) -> int:
    # The lock is complete, so no resolver has to think about it: --no-deps.
    command = _pip(
        target,
        *("install", "--require-hashes", "--no-deps", "--progress-bar=off"),
        *("--requirement", str(LOCK)),
    )
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout is not None
    output = list(_progress(process.stdout, total=len(locked())))
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
    moving = sys.stdout.isatty()
    done = 0
    for line in lines:
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            done += 1
            if moving:
                print(f"\rbutler: fetching packages {done}/{total} ", end="", flush=True)
            elif done % 40 == 0:
                print(f"butler: fetching packages {done}/{total}", flush=True)
        if line.startswith("Installing collected packages"):
            print(f"{'\r' if moving else ''}butler: installing {total} packages", flush=True)
        yield line.rstrip()


def _uninstall_strangers(target: Path) -> int:
    listing = subprocess.run(
        _pip(target, "list", "--format=freeze"), capture_output=True, text=True, check=True
    ).stdout
    installed = {normal(line.partition("==")[0]) for line in listing.split()}
    if strangers := sorted(installed - locked() - SEEDED):
        print(f"butler: removing what the lock no longer names: {', '.join(strangers)}")
        return subprocess.run(_pip(target, "uninstall", "--quiet", "--yes", *strangers)).returncode
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]).resolve()))
    except KeyboardInterrupt:
        sys.exit("\nbutler: interrupted; the next `make` starts this anew")
