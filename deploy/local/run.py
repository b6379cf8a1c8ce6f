"""`make run`: everything Butler needs, in one terminal."""

import errno
import json
import os
import socket
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from typing import Any

from deploy.local import services
from deploy.local.children import Program
from deploy.local.home import Home
from deploy.local.refusal import Refusal
from deploy.local.supervisor import ROOT, Interrupted, Supervisor
from deploy.processes import PROCESSES, raise_file_limit

# The line in which the example says who can sign in.
SUMMARY = '{"park": '


@dataclass(frozen=True, slots=True)
class Ports:
    web: int
    live: int

    @classmethod
    def chosen(cls) -> "Ports":
        web = _port("PORT", 8000)
        ports = cls(web=web, live=_port("LIVE_PORT", web + 1))
        if ports.web == ports.live:
            raise Refusal(f"PORT and LIVE_PORT are both {web}; they have to differ.")
        return ports

    def check(self) -> None:
        """Refuse before anything is started when somebody else has a port."""
        for name, port in (("PORT", self.web), ("LIVE_PORT", self.live)):
            if reason := why_not_bindable(port):
                raise Refusal(f"Port {port} ({name}) {reason}; choose another: make run {name}=…")


def run() -> int:
    """Start everything, say when it is ready, keep it running until told to stop."""
    ports = Ports.chosen()
    ports.check()
    raise_file_limit()
    home = Home(services.chosen_home())
    home.lock()
    with Supervisor(home) as supervisor:
        try:
            _start(supervisor, ports)
            supervisor.watch()
        except Interrupted:
            supervisor.say("butler: stopping")
        finally:
            home.untell()
    return 0


def _start(supervisor: Supervisor, ports: Ports) -> None:
    home = supervisor.home
    supervisor.say(f"butler: data in {home.path}")
    urls = services.start(supervisor)
    web, live = f"http://localhost:{ports.web}", f"http://localhost:{ports.live}"
    told = {**urls, "WEB_URL": web, "LIVE_URL": live}
    environment = {
        **services.environment(home, told),
        "PORT": str(ports.web),
        "LIVE_PORT": str(ports.live),
    }
    kept = ("SECRET_KEY_FILE", "RECEIPT_KEY_FILE", "DEBUG", "PORT", "LIVE_PORT")
    home.tell({**told, **{name: environment[name] for name in kept if name in environment}})

    supervisor.finish(_manage("migrate", environment, "migrate", "--verbosity=1"))
    summary = _load_example(supervisor, environment)
    for program in _programs(environment):
        supervisor.start(program)
    supervisor.until(lambda: _answers(f"{web}/readyz"), what=f"{web}/readyz")
    supervisor.until(lambda: _answers(f"{live}/livez"), what=f"{live}/livez")
    _introduce(supervisor, web, live, summary)
    supervisor.say(f"butler: ready on {web}")


def _load_example(supervisor: Supervisor, environment: dict[str, str]) -> dict[str, Any]:
    """Load the theme park; what it says about its people is its last line, in JSON."""
    if os.environ.get("BUTLER_DEMO") == "0":
        return {}
    command = _manage("themepark", environment, "load_themepark", "--summary")
    said = supervisor.finish(replace(command, hides=(SUMMARY,)))
    return next((dict(json.loads(line)) for line in reversed(said) if SUMMARY in line), {})


def _introduce(supervisor: Supervisor, web: str, live: str, summary: dict[str, Any]) -> None:
    addresses = {
        "Live page": f"{web}/",
        "API pages": f"{web}/api/docs/",
        "Console": f"{web}/console/",
        "Admin": f"{web}/admin/",
        "Outbox": f"{web}/dev/outbox/",
        "Streams": f"{live}/live/me",
    }
    lines = [f"  {name:<16}{address}" for name, address in addresses.items()]
    for login in summary.get("logins", []):
        who, address, *rest = (str(part) for part in login.values())
        lines.append(f"  {who:<16}{address:<26}{'  '.join(rest)}")
    supervisor.say("\n".join(["", *lines, ""]))


def _programs(environment: dict[str, str]) -> list[Program]:
    return [
        Program(name=name, command=process(environment), environment=environment, cwd=ROOT)
        for name, process in PROCESSES.items()
    ]


def _manage(name: str, environment: dict[str, str], *arguments: str) -> Program:
    command = (sys.executable, str(ROOT / "manage.py"), *arguments)
    return Program(name=name, command=command, environment=environment, cwd=ROOT)


def _port(name: str, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise Refusal(f"{name} is {value!r}; use a number from 1 to 65535.")
    return int(value)


def why_not_bindable(port: int) -> str | None:
    with socket.socket() as probe:
        # A port whose last connections are still closing is free; SO_REUSEPORT would go too
        # far and share it with another server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("HOST", "127.0.0.1"), port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EACCES:
                return "is reserved for root"
            return "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
    return None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
