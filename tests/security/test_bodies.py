"""However much is sent to whatever address, a web process keeps little of it, in memory or on disk.

What is packed, and what `/v1/` takes: tests/channels/ingest/test_bodies.py.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from customers.models import Customer
from tests import factories
from tests.channels.sending import source
from tests.config.test_access import TABLE as API
from tests.security import test_routes as routes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HUGE = 256 * 1024 * 1024
# In kB. Four threads may each hold a body of 4 MB, twice, and what was made of it.
MOST = 80 * 1024
MOST_WRITTEN = 16 * 1024
FORM = (
    "multipart/form-data; boundary=x",
    b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\na\r\n'
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n',
)
JSON = ("application/json", b'{"email": "')
URLENCODED = ("application/x-www-form-urlencoded", b"email=")


class Process:
    """What the kernel counted of the one process that answers."""

    def __init__(self, parent: int) -> None:
        [pid] = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        self._folder = Path(f"/proc/{pid}")
        # The highest mark begins anew.
        (self._folder / "clear_refs").write_text("5")
        self._before = self._figure("status", "VmRSS"), self._figure("io", "wchar")

    def grew(self) -> int:
        """Return by how many kB it was ever larger than at the start."""
        return self._figure("status", "VmHWM") - self._before[0]

    def wrote(self) -> int:
        """Return how many kB it wrote into files, and said."""
        return (self._figure("io", "wchar") - self._before[1]) // 1024

    def _figure(self, file: str, name: str) -> int:
        lines = (self._folder / file).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


def pour(base: str, path: str, kind: tuple[str, bytes], key: str = "", size: int = HUGE) -> bytes:
    """Send a body that hardly ends; return the status line of whatever is answered."""
    content_type, begin = kind
    headers = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
    headers += f"Authorization: Bearer {key}\r\n" if key else ""
    address = urlsplit(base)
    with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
        sock.sendall(f"{headers}Content-Length: {size}\r\n\r\n".encode() + begin)
        left, part = size - len(begin), b"a" * 262_144
        try:
            while left > 0:
                left -= sock.send(part[:left])
        except ConnectionError:
            # It heard enough; what it said of it may be there all the same.
            pass
        try:
            return sock.recv(4096).partition(b"\r\n")[0]
        except ConnectionError:
            return b""


@pytest.fixture
def noor() -> Customer:
    return factories.customer(("email", "noor@example.com"), first_name="Noor")


def forms() -> Iterator[str]:
    for route in sorted(routes.OPEN | routes.OWN | routes.SIGNED | routes.TABLES["console"]):
        path = routes._path(route).replace("^", "").replace("/?$", "/")
        yield path.replace("(?P/", "x/").replace("[^/]+)", "")


def test_no_form_takes_what_no_form_holds(running):
    kinds = [(path, kind) for path in forms() for kind in (FORM, URLENCODED)]
    for path, kind in kinds:
        # What a process loads when it is first asked is not what is measured.
        pour(running.web, path, kind, size=300)
    web = Process(running.web_pid)

    said = {(path, kind[0]): pour(running.web, path, kind) for path, kind in kinds}

    assert web.grew() < MOST
    assert web.wrote() < MOST_WRITTEN
    assert [place for place, line in said.items() if line and line[9:10] not in b"234"] == []


def test_no_program_is_read_to_its_end_before_it_is_refused(running, noor):
    _, key = source(is_secret=True, scopes=["ingest", "read", "write"])
    web = Process(running.web_pid)

    said = {}
    for operation in API:
        method, route = operation.split(" ", 1)
        path = routes._path(route).replace(routes.FILLED["uuid"], str(noor.pk))
        if method == "POST":
            said[path] = pour(running.web, path, JSON, key)
    said["nobody"] = pour(running.web, "/api/sign-in/", JSON)

    assert web.grew() < MOST
    assert web.wrote() < MOST_WRITTEN
    assert {line[9:10] for line in said.values() if line} == {b"4"}
    assert said["nobody"] in (b"", b"HTTP/1.1 413 Payload Too Large")
