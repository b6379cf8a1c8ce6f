"""BUTLER_HOME: the folder with the files that Butler needs after a restart on this machine.

Butler does not change the mode and owner of folders that already exist. If the account of the
services cannot enter the home, Butler creates a folder outside, and a link to it in the home.
"""

import base64
import fcntl
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from deploy.local.account import Account
from deploy.local.errors import SetupError

# The path of a socket has at most 108 bytes (104 on macOS), including the terminating zero.
MAX_SOCKET_PATH = 103
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"
REQUIRED_SPACE = 512 * 1024 * 1024


class Home:
    def __init__(self, path: Path) -> None:
        """Create the folder if it is missing. Raise SetupError if it cannot be used."""
        self.path = path
        try:
            if not path.exists():
                path.mkdir(parents=True)
                # The account of the services may pass through the folder, but not list it.
                path.chmod(0o711)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise SetupError(
                f"Butler cannot use the folder {path} ({error.strerror}). "
                "Set BUTLER_HOME to a folder that you can write to."
            ) from error

    @cached_property
    def account(self) -> Account:
        """Return the account of the services. For root, the owner of existing data is preferred."""
        try:
            owner = (self.path / "postgres").stat().st_uid
        except OSError:
            owner = None
        return Account.for_services(owner=owner)

    # Locks ---------------------------------------------------------------------------

    @property
    def lock_fd(self) -> int:
        """The file descriptor of the lock, which the watchdog inherits."""
        return self._lock

    def lock(self, *, timeout: float = 15) -> None:
        """Lock the home for this process and the processes that inherit the lock.

        The watchdog of a killed supervisor holds the lock until all processes have ended. Raises
        SetupError if another supervisor holds it.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if self._has_live_supervisor() or time.monotonic() > deadline:
                    raise SetupError(
                        f"Butler already runs in {self.path}. Stop it, or use another folder "
                        "and another port: BUTLER_HOME=… PORT=… make run"
                    ) from None
                time.sleep(0.1)

    def is_locked(self) -> bool:
        """Tell whether another process holds the lock."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        return False

    def lock_folder(self, folder: Path) -> None:
        """Lock a folder until this process ends. Raise SetupError if another Butler uses it.

        The lock of the home is not enough: a copy of a home contains links to the same data.
        """
        lock_folder = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock_folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock_folder)
            raise SetupError(
                f"A Butler with another BUTLER_HOME uses {folder}. If {self.path} is a copy of "
                "that BUTLER_HOME, remove the links in the copy. It then starts with new data."
            ) from None

    def _has_live_supervisor(self) -> bool:
        """Tell whether the holder of the lock is a supervisor that still runs."""
        try:
            os.kill(int(self.read_services()["SUPERVISOR_PID"]), 0)
        except (KeyError, ValueError, ProcessLookupError):
            return False
        except PermissionError:
            return True
        return True

    # Files for other commands --------------------------------------------------------

    def write_services(self, settings: Mapping[str, str]) -> None:
        """Write the addresses of the services. Readers never see an incomplete file."""
        target = self.path / "services.json"
        draft = self.path / f".services.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**settings, "SUPERVISOR_PID": str(os.getpid())}, file, indent=2)
        draft.replace(target)

    def read_services(self) -> dict[str, str]:
        """Return the settings of the running services; an empty dictionary if none run."""
        try:
            return dict(json.loads((self.path / "services.json").read_text()))
        except (OSError, ValueError):
            return {}

    def remove_services(self) -> None:
        """Remove the file with the addresses of the running services."""
        (self.path / "services.json").unlink(missing_ok=True)

    def secret_key_file(self) -> Path:
        """Return the file of SECRET_KEY, created once, so that sessions survive a restart."""
        return self._create_secret_file("secret_key", secrets.token_urlsafe(64))

    def receipt_key_file(self) -> Path:
        """Return the file of the key that signs receipts, created once."""
        return self._create_secret_file(
            "receipt_key", base64.b64encode(secrets.token_bytes(32)).decode()
        )

    def _create_secret_file(self, name: str, secret: str) -> Path:
        """Return a private file. It contains this secret, or an earlier one if it exists."""
        path = self.path / name
        if not path.exists():
            draft = path.with_suffix(".draft")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(secret)
            draft.replace(path)
        return path

    # Folders of the services ----------------------------------------------------------

    def service_folder(self, name: str) -> Path:
        """Return a private folder of the account of the services, created if it is missing."""
        path = self.path / name
        if path.is_symlink() and not path.exists():
            raise SetupError(
                f"{path} points to {path.readlink()}, which does not exist any more. The data is "
                f"lost. Remove the link to start with new data: rm '{path}'"
            )
        if not path.exists():
            return self._create_folder(path)
        folder = path.resolve()
        if folder.stat().st_uid != self.account.uid:
            raise SetupError(
                f"{folder} belongs to user id {folder.stat().st_uid}, not to {self.account.name}. "
                "Run as the owner of the folder, or set BUTLER_HOME to another folder."
            )
        if closed_folder := self.account.first_closed_folder(folder):
            raise SetupError(
                f"PostgreSQL runs as {self.account.name}, which cannot enter {closed_folder}. So "
                f"Butler cannot use the data in {folder}. Move BUTLER_HOME out of that folder, or "
                f"allow access: chmod o+x '{closed_folder}'"
            )
        return folder

    def _create_folder(self, path: Path) -> Path:
        if self.account.can_enter(self.path):
            path.mkdir(mode=0o700)
            self.account.take_ownership(path)
            return path.resolve()
        return self._create_folder_outside(path, (Path("/var/lib"), Path("/var/tmp")))

    def _create_folder_outside(self, path: Path, bases: tuple[Path, ...]) -> Path:
        for base in (*bases, Path(tempfile.gettempdir())):
            if os.access(base, os.W_OK) and self.account.can_enter(base):
                folder = Path(tempfile.mkdtemp(prefix="butler-", dir=base))
                self.account.take_ownership(folder)
                path.symlink_to(folder)
                return folder
        raise SetupError(
            f"PostgreSQL runs as {self.account.name}, which cannot enter "
            f"{self.account.first_closed_folder(self.path)}, and Butler found no other folder. "
            "Set BUTLER_HOME to a folder that all users may enter, such as /srv/butler."
        )

    def socket_folder(self) -> Path:
        """Return a private folder with a short path and only plain characters, for sockets."""
        path = self.path / "run"
        if path.is_symlink() and not path.exists():
            path.unlink()
        if not path.exists() and not self._is_socket_folder(path):
            return self._create_folder_outside(path, (Path("/tmp"), Path("/var/tmp")))
        folder = self.service_folder("run")
        return folder if self._is_socket_folder(folder) else self._recreate_socket_folder(path)

    def _is_socket_folder(self, folder: Path) -> bool:
        path = f"{folder}{LONGEST_SOCKET_NAME}"
        plain = re.fullmatch(r"[\w/.-]+", path, re.ASCII)
        return plain is not None and len(path) <= MAX_SOCKET_PATH

    def _recreate_socket_folder(self, path: Path) -> Path:
        # The project was moved to a longer path. The old sockets are not needed.
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
        return self._create_folder_outside(path, (Path("/tmp"), Path("/var/tmp")))

    # Free space and removal -----------------------------------------------------------

    def check_free_space(self, folder: Path) -> None:
        """Raise a SetupError if the disk of this folder is almost full."""
        free = shutil.disk_usage(folder).free
        if free < REQUIRED_SPACE:
            raise SetupError(
                f"{folder} has {free // 2**20} MB left; Butler needs {REQUIRED_SPACE // 2**20} MB. "
                "Free some space, or set BUTLER_HOME (for tests: TMPDIR) to a larger disk."
            )

    def remove(self) -> None:
        """Remove a temporary home and its folders outside."""
        for link in self.path.iterdir():
            if link.is_symlink() and link.exists():
                shutil.rmtree(link.resolve(), ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)
