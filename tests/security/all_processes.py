"""All of our processes on the test database, as in production; and a monitor of Valkey."""

import contextlib
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import connection

from bench.ports import free_port
from tests import conftest
from tests.channels.provider import SID, TOKEN, Provider

_OWN_REDIS = "15"


def _own_database(url: str) -> str:
    """Return the address of a database of Valkey that no other test speaks to."""
    if url.startswith("unix:"):
        return re.sub(r"[?&]db=\d+|$", f"?db={_OWN_REDIS}", url, count=1)
    return re.sub(r"(:\d+)(/\d*)?$", rf"\1/{_OWN_REDIS}", url)


class AllProcesses:
    """All processes on the test database, with a database of Valkey to themselves."""

    def __init__(self, home: Path, relay_port: int, provider: Provider) -> None:
        self.redis_url = _own_database(settings.REDIS_URL)
        self.home, self.provider = home, provider
        self.web, self.live = (f"http://localhost:{free_port()}" for _ in "wl")
        self.env = {
            **{name: value for name, value in os.environ.items() if name != "DEBUG"},
            "DATABASE_URL": conftest.database_url(connection.settings_dict),
            "REDIS_URL": self.redis_url,
            "BUTLER_HOME": str(home),
            "DEBUG": "0",
            "BUTLER_ALLOW_RESERVED_DOMAINS": "1",
            "LOG_LEVEL": "DEBUG",
            "SECRET_KEY": settings.SECRET_KEY,
            "RECEIPT_KEY": settings.RECEIPT_KEY,
            "ALLOWED_HOSTS": "localhost",
            "BUTLER_NOTIFY_WORKERS": "1",
            "BUTLER_ACTIVATION_SECONDS": "0",
            "MAIL_URL": f"smtp://127.0.0.1:{relay_port}",
            "BOUNCE_ADDRESS": "bounce@larkmoor.example",
            "SMS_URL": f"twilio+http://{SID}:{TOKEN}@{urlsplit(provider.url).netloc}?from=%2B31201234567",
            "BUTLER_SITE_URL": self.web,
            "PORT": str(urlsplit(self.web).port),
            "LIVE_PORT": str(urlsplit(self.live).port),
            "WEB_WORKERS": "1",
            "WORKER_CONCURRENCY": "1",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for name in ("web", "live", "worker", "beat"):
            with (self.home / f"{name}.log").open("wb") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "deploy.processes", name],
                    env=self.env,
                    cwd=conftest.ROOT,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            self.processes.append(process)
        for url, name, process in zip(
            (self.web, self.live), ("web", "live"), self.processes, strict=False
        ):
            conftest._await(url + "/livez", process, self.home / f"{name}.log", 60)

    def stop(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                conftest._end(process)

    def logs(self) -> dict[str, str]:
        return {path.name: path.read_text(errors="replace") for path in self.home.glob("*.log")}


class CommandMonitor:
    """Record every command that Valkey receives."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url, socket_timeout=None)
        self.client.flushdb()
        self.commands: list[str] = []
        self._monitor = self.client.monitor()
        self._monitor.__enter__()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        # As they come: what takes them apart stumbles over some.
        with contextlib.suppress(redis.ConnectionError, ValueError, OSError):
            while True:
                command = self._monitor.connection.read_response(disable_decoding=True)
                self.commands.append(bytes(command).decode(errors="replace"))

    def close(self) -> None:
        self._monitor.connection.disconnect()
        self.client.flushdb()
        self.client.close()

    def stored_values(self) -> dict[str, str]:
        return {str(key): str(self.client.dump(key)) for key in self.client.scan_iter()}
