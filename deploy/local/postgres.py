"""The embedded PostgreSQL, with the same durability as PostgreSQL on a server."""

import contextlib
import os
import shutil
import signal
import time
from itertools import chain
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from deploy.local import programs
from deploy.local.children import Program
from deploy.local.errors import SetupError
from deploy.local.home import Home

ROLE = DATABASE = "butler"
MEGABYTE = 2**20


class Postgres:
    def __init__(self, home: Home, *, temporary: bool = False) -> None:
        self.home = home
        self.programs = programs.postgres(home)
        self.socket_folder = home.socket_folder()
        self.data_folder = home.service_folder("postgres") / "data"
        self.temporary = temporary

    @property
    def url(self) -> str:
        """The database URL, through the socket of the server."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.socket_folder))}"

    def prepare(self) -> None:
        """Create the data folder if it is missing, and clean up after a crash."""
        self.home.lock_folder(self.data_folder.parent)
        self.home.check_free_space(self.data_folder.parent)
        if not self.data_folder.exists():
            self._initialize()
        self._check_version()
        self._stop_orphan()

    def _initialize(self) -> None:
        # The folder is renamed when it is complete, so an interrupted start leaves no incomplete
        # cluster.
        draft = self.data_folder.with_name("draft")
        shutil.rmtree(draft, ignore_errors=True)
        command = [
            *(str(self.programs / "initdb"), "--pgdata", str(draft), "--username=postgres"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
            # Only accounts that can enter the folder of the socket can connect.
            *("--auth=trust", "--no-instructions"),
            # Only the initial files of a temporary cluster are not flushed to disk.
            *(["--no-sync"] if self.temporary else []),
        ]
        if self.home.account.run(command) is None:
            raise SetupError(
                f"PostgreSQL could not create its data folder in {self.data_folder.parent}. "
                f"To see the reason, run as {self.home.account.name}: {' '.join(command)}"
            )
        draft.rename(self.data_folder)

    def _check_version(self) -> None:
        program_version = (
            self.home.account.run([str(self.programs / "postgres"), "--version"]) or ""
        )
        data_version = (self.data_folder / "PG_VERSION").read_text().strip()
        if program_version.split()[-1].partition(".")[0] != data_version:
            raise SetupError(
                f"The data in {self.data_folder} is of PostgreSQL {data_version}, the program is {program_version.strip()}. "
                "Export the data with its own pg_dump, or set BUTLER_HOME to another folder."
            )

    def _stop_orphan(self) -> None:
        """Stop a server that still runs without a supervisor; remove the pidfile of a dead one."""
        pidfile = self.data_folder / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(pidfile.read_text().split()[0])
            if _is_server(pid, self.data_folder):
                _stop_server(pid)
            else:
                # After a power cut, another program may have this process number.
                pidfile.unlink()

    def program(self) -> Program:
        """Return the server as a program that the supervisor starts."""
        settings = (("-c", f"{name}={value}") for name, value in self.settings().items())
        return Program(
            name="postgres",
            command=(
                str(self.programs / "postgres"),
                "-D",
                str(self.data_folder),
                *chain(*settings),
            ),
            environment={"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self.data_folder.parent)},
            account=self.home.account,
            cwd=self.data_folder.parent,
            # SIGINT is a fast shutdown. SIGTERM would wait until all clients disconnect.
            stop_signal=signal.SIGINT,
            is_service=True,
        )

    def settings(self) -> dict[str, str]:
        """Return settings for high throughput that never lose an acknowledged row."""
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "shared_buffers": f"{_shared_buffers() // MEGABYTE}MB",
            "huge_pages": "try",
            # Containers often have only 64 MB of /dev/shm. Parallel queries use this memory
            # instead.
            "min_dynamic_shared_memory": "64MB",
            "max_wal_size": "4GB",
            "checkpoint_timeout": "15min",
            # Compression with pglz takes more time than all other work for an event.
            "wal_compression": "off",
            "random_page_cost": "1.1",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%q%a:",
            "log_min_messages": "warning",
            "log_checkpoints": "off",
            # Statements and details would quote data of customers in the log. The log contains
            # only the kind of an error.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
        }

    def is_ready(self) -> bool:
        """Tell whether the server is ready, from its pidfile.

        Connecting before it is ready would fill its log with refused connections.
        """
        try:
            return (self.data_folder / "postmaster.pid").read_text().split("\n")[
                7
            ].strip() == "ready"
        except (OSError, IndexError):
            return False

    def create_role_and_database(self) -> None:
        """Create the application's role, which is not a superuser, and its database."""
        with self._connect() as connection:
            role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]
            ).fetchone():
                # CREATEDB: tests create their own databases.
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(role))
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.socket_folder),
            user="postgres",
            dbname="postgres",
            autocommit=True,
            connect_timeout=2,
        )


def _shared_buffers() -> int:
    """Return a quarter of the memory, at least 128 MB, at most 1 GB, in bytes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(128 * MEGABYTE, min(memory // 4, 1024 * MEGABYTE))


def _stop_server(pid: int) -> None:
    """Shut a server down, or kill it after 10 seconds; raise ProcessLookupError when it ends."""
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        os.kill(pid, 0)
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)


def _is_server(pid: int, data_folder: Path) -> bool:
    """Tell by its command line whether a process is the PostgreSQL of this data folder."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
    return str(data_folder).encode() in command.split(b"\0")
