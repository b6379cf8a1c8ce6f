"""The account that embedded services run as. PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from deploy.local.errors import SetupError

CANDIDATES = ("postgres", "nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int

    @classmethod
    def for_services(cls, *, owner: int | None = None) -> Self:
        """Return the account for the services: the current one, or an unprivileged one for root.

        owner: the uid that existing data belongs to. For root, this account is preferred.
        """
        if os.geteuid() != 0:
            return cls._with_uid(os.geteuid())
        if owner:
            return cls._with_uid(owner)
        for name in CANDIDATES:
            try:
                return cls._verified(cls._from_entry(pwd.getpwnam(name)))
            except KeyError:
                continue
        raise SetupError(
            "PostgreSQL does not run as root, and this machine has no account named "
            f"{' or '.join(CANDIDATES)}. Run as an ordinary user, or set DATABASE_URL."
        )

    @classmethod
    def _with_uid(cls, uid: int) -> Self:
        try:
            return cls._from_entry(pwd.getpwuid(uid))
        except KeyError:
            raise SetupError(
                f"User id {uid} has no name in the user database, but PostgreSQL needs one. "
                "Run as a user with a name, or set DATABASE_URL."
            ) from None

    @classmethod
    def _from_entry(cls, entry: pwd.struct_passwd) -> Self:
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @classmethod
    def _verified(cls, account: Self) -> Self:
        # In a restricted container, root may not be able to switch to another account.
        if account.run(["/bin/sh", "-c", "exit 0"]) is None:
            raise SetupError(
                f"PostgreSQL does not run as root, and root cannot switch to {account.name} here. "
                "Run as an ordinary user, or set DATABASE_URL."
            )
        return account

    @property
    def popen_arguments(self) -> dict[str, Any]:
        """Return the arguments with which subprocess starts a program as this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def run(self, command: Sequence[str]) -> str | None:
        """Return the output of a short command, or None if it cannot run or fails."""
        try:
            process = subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C"},
                timeout=20,
                **self.popen_arguments,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return process.stdout if process.returncode == 0 else None

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this account can enter a folder.

        The function tries it, because access lists and mounts matter as well as modes.
        """
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]) is not None

    def first_closed_folder(self, folder: Path) -> Path | None:
        """Return the first folder on the path that this account cannot enter, or None."""
        folders = [*reversed(folder.parents), folder]
        return next((step for step in folders if not self.can_enter(step)), None)

    def take_ownership(self, path: Path) -> None:
        """Make this account the owner of a path that Butler has just created."""
        if self.popen_arguments:
            os.chown(path, self.uid, self.gid)
