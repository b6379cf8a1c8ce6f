"""Starts embedded PostgreSQL and Valkey for a home, unless the environment names others."""

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
    """Return the folder in BUTLER_HOME, or `.butler` in the project's folder."""
    return Path(os.environ.get("BUTLER_HOME") or ROOT / ".butler").expanduser().absolute()


@contextlib.contextmanager
def temporary_home() -> Iterator[Home]:
    """Create a temporary home and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="butler-"))
    folder.chmod(0o711)
    home = Home(folder)
    try:
        yield home
    finally:
        home.remove()


def start(supervisor: Supervisor, *, temporary: bool = False) -> dict[str, str]:
    """Start the services that the environment does not name; return their URLs by variable."""
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
    """Return the environment variables of Butler's processes."""
    # The folder of collected files. WhiteNoise warns if it is missing.
    (home.path / "static").mkdir(exist_ok=True)
    variables = {**os.environ, **urls, "BUTLER_HOME": str(home.path), "PYTHONUNBUFFERED": "1"}
    variables.setdefault("DEBUG", "1")
    # The processes must find the programs of the virtual environment even if it is not activated.
    programs = str(Path(sys.executable).parent)
    variables["PATH"] = f"{programs}{os.pathsep}{variables.get('PATH', os.defpath)}"
    if not _is_set("SECRET_KEY"):
        variables["SECRET_KEY_FILE"] = str(home.secret_key_file())
    if not _is_set("RECEIPT_KEY"):
        variables["RECEIPT_KEY_FILE"] = str(home.receipt_key_file())
    return variables


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
