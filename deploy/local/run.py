"""`make run`: starts all services and processes of Butler in one terminal."""

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
from deploy.local.errors import SetupError
from deploy.local.home import Home
from deploy.local.supervisor import ROOT, Interrupted, Supervisor
from deploy.processes import PROCESSES, raise_file_limit

# The beginning of the line in which the example lists its logins.
SUMMARY = '{"park": '


@dataclass(frozen=True, slots=True)
class Ports:
    web: int
    live: int

    @classmethod
    def from_environment(cls) -> "Ports":
        """Return the ports of PORT and LIVE_PORT, by default 8000 and the next one.

        Raises SetupError if a port is invalid or both are equal.
        """
        web = _port_from_environment("PORT", 8000)
        ports = cls(web=web, live=_port_from_environment("LIVE_PORT", web + 1))
        if ports.web == ports.live:
            raise SetupError(f"PORT and LIVE_PORT are both {web}. Choose different ports.")
        return ports

    def check_free(self) -> None:
        """Raise SetupError if a port cannot be used."""
        for name, port in (("PORT", self.web), ("LIVE_PORT", self.live)):
            if reason := port_problem(port):
                raise SetupError(
                    f"Port {port} ({name}) {reason}. Choose another port: make run {name}=…"
                )


def run() -> int:
    """Start all services and processes, print their addresses, and run until a signal.

    Return the exit status.
    """
    ports = Ports.from_environment()
    ports.check_free()
    raise_file_limit()
    home = Home(services.home_folder())
    home.lock()
    with Supervisor(home) as supervisor:
        try:
            _start(supervisor, ports)
            supervisor.watch()
        except Interrupted:
            supervisor.print_line("butler: stopping")
        finally:
            home.remove_services()
    return 0


def _start(supervisor: Supervisor, ports: Ports) -> None:
    home = supervisor.home
    supervisor.print_line(f"butler: data in {home.path}")
    urls = services.start(supervisor)
    web, live = f"http://localhost:{ports.web}", f"http://localhost:{ports.live}"
    settings = {**urls, "WEB_URL": web, "LIVE_URL": live}
    environment = {
        **services.environment(home, settings),
        "PORT": str(ports.web),
        "LIVE_PORT": str(ports.live),
    }
    shared_names = ("SECRET_KEY_FILE", "RECEIPT_KEY_FILE", "DEBUG", "PORT", "LIVE_PORT")
    home.write_services(
        {**settings, **{name: environment[name] for name in shared_names if name in environment}}
    )

    supervisor.run_to_end(_manage("migrate", environment, "migrate", "--verbosity=1"))
    summary = _load_example(supervisor, environment)
    for program in _programs(environment):
        supervisor.start(program)
    supervisor.wait_until(lambda: _is_up(f"{web}/readyz"), description=f"{web}/readyz")
    supervisor.wait_until(lambda: _is_up(f"{live}/livez"), description=f"{live}/livez")
    _print_addresses(supervisor, web, live, summary)
    supervisor.print_line(f"butler: ready on {web}")


def _load_example(supervisor: Supervisor, environment: dict[str, str]) -> dict[str, Any]:
    """Load the theme park example; return its summary, the last JSON line of its output."""
    if os.environ.get("BUTLER_DEMO") == "0":
        return {}
    command = _manage("themepark", environment, "load_themepark", "--summary")
    output = supervisor.run_to_end(replace(command, hidden_texts=(SUMMARY,)))
    return next((dict(json.loads(line)) for line in reversed(output) if SUMMARY in line), {})


def _print_addresses(supervisor: Supervisor, web: str, live: str, summary: dict[str, Any]) -> None:
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
        name, address, *details = (str(part) for part in login.values())
        lines.append(f"  {name:<16}{address:<26}{'  '.join(details)}")
    supervisor.print_line("\n".join(["", *lines, ""]))


def _programs(environment: dict[str, str]) -> list[Program]:
    return [
        Program(name=name, command=process(environment), environment=environment, cwd=ROOT)
        for name, process in PROCESSES.items()
    ]


def _manage(name: str, environment: dict[str, str], *arguments: str) -> Program:
    command = (sys.executable, str(ROOT / "manage.py"), *arguments)
    return Program(name=name, command=command, environment=environment, cwd=ROOT)


def _port_from_environment(name: str, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise SetupError(f"{name} is {value!r}; use a number from 1 to 65535.")
    return int(value)


def port_problem(port: int) -> str | None:
    """Return the reason why a port cannot be used, as the end of a sentence, or None."""
    with socket.socket() as probe:
        # SO_REUSEADDR: a port with closing connections counts as free. SO_REUSEPORT would also
        # share the port with another server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("HOST", "127.0.0.1"), port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EACCES:
                return "is reserved for root"
            return "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
    return None


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
