"""The embedded Valkey. It carries notifications and tasks, and contains no facts."""

import contextlib
import os
import socket
from urllib.parse import quote

from deploy.local import programs
from deploy.local.children import Program
from deploy.local.home import Home


class Valkey:
    def __init__(self, home: Home) -> None:
        self.home = home
        self.server = programs.valkey(home)
        self.socket = home.socket_folder() / "valkey.sock"

    @property
    def url(self) -> str:
        """The URL of the server, through its socket."""
        return f"unix://{quote(str(self.socket))}?db=0"

    def prepare(self) -> None:
        """Stop a server that still runs without a supervisor."""
        with contextlib.suppress(OSError):
            self._send_command(b"SHUTDOWN NOSAVE")

    def program(self) -> Program:
        """Return the server as a program that the supervisor starts."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.socket.parent),
            "save": "",
            "appendonly": "no",
            # Valkey refuses new tasks when its memory is full. Evicting queued tasks silently would
            # be worse.
            "maxmemory": "512mb",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        return Program(
            name="valkey",
            command=(
                str(self.server),
                *(part for name, value in settings.items() for part in (f"--{name}", value)),
            ),
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            account=self.home.account,
            cwd=self.socket.parent,
            is_service=True,
            # The warning is irrelevant, because overcommit only affects background saves.
            hidden_texts=("Memory overcommit must be enabled",),
        )

    def is_ready(self) -> bool:
        """Return whether Valkey answers a PING."""
        try:
            return self._send_command(b"PING").startswith(b"+PONG")
        except OSError:
            return False

    def _send_command(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(self.socket))
            client.sendall(command + b"\r\n")
            return client.recv(16)
