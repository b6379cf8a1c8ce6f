"""PostgreSQL and Valkey for one home, embedded unless the environment names others."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.local.home import Home
from deploy.local.postgres import Postgres
from deploy.local.supervisor import ROOT, Supervisor
from deploy.local.valkey import Valkey


def home_folder() -> Path:
    """Return the folder that BUTLER_HOME names, or the project's own."""
    return Path(os.environ.get("BUTLER_HOME") or ROOT / ".butler").expanduser().absolute()


@contextlib.contextmanager
def temporary_home() -> Iterator[Home]:
    """Make a home that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="butler-"))
    folder.chmod(0o711)
    home = Home(folder)
    try:
        yield home
    finally:
        home.remove()


def start(supervisor: Supervisor, *, temporary: bool = False) -> dict[str, str]:
    """Start what the environment does not name, and return the addresses by variable."""
    home, urls = supervisor.home, {}
    readiness_checks = []
    if not _is_set("DATABASE_URL"):
        postgres = Postgres(home, temporary=temporary)
        postgres.prepare()
        supervisor.start(postgres.program())
        readiness_checks.append(postgres.is_ready)
        urls["DATABASE_URL"] = postgres.url
    if not _is_set("REDIS_URL"):
        valkey = Valkey(home)
        valkey.prepare()
        supervisor.start(valkey.program())
        readiness_checks.append(valkey.is_ready)
        urls["REDIS_URL"] = valkey.url
    supervisor.wait_until(
        lambda: all(is_ready() for is_ready in readiness_checks), description="The database"
    )
    if "DATABASE_URL" in urls:
        postgres.create_role_and_database()
    return urls


def environment(home: Home, urls: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that Butler's own processes run in."""
    # Where collected files go; WhiteNoise complains when it is not there.
    (home.path / "static").mkdir(exist_ok=True)
    variables = {**os.environ, **urls, "BUTLER_HOME": str(home.path), "PYTHONUNBUFFERED": "1"}
    variables.setdefault("DEBUG", "1")
    # A virtual environment that is not activated still has to find its own programs.
    programs = str(Path(sys.executable).parent)
    variables["PATH"] = f"{programs}{os.pathsep}{variables.get('PATH', os.defpath)}"
    if not _is_set("SECRET_KEY"):
        variables["SECRET_KEY_FILE"] = str(home.secret_key_file())
    if not _is_set("RECEIPT_KEY"):
        variables["RECEIPT_KEY_FILE"] = str(home.receipt_key_file())
    return variables


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
