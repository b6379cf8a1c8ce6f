"""A web process stores little of a large body, in memory or on disk, at every address.

Tests of compressed bodies and of `/v1/`: tests/channels/ingest/test_bodies.py.
"""

import gzip
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from customers.models import Customer
from tests import factories
from tests.channels.wire_client import send, source
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
    """The memory and disk use of the web process, as the kernel counts them."""

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
    """Send a very long body; return the status line of the response."""
    content_type, begin = kind
    headers = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
    headers += f"Authorization: Bearer {key}\r\n" if key else ""
    address = urlsplit(base)
    with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
        sock.sendall(f"{headers}Content-Length: {size}\r\n\r\n".encode() + begin)
        remaining, part = size - len(begin), b"a" * 262_144
        try:
            while remaining > 0:
                remaining -= sock.send(part[:remaining])
        except ConnectionError:
            # The server closed the connection; its response may still be readable.
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


def test_huge_form_body_is_neither_held_nor_written(running):
    kinds = [(path, kind) for path in forms() for kind in (FORM, URLENCODED)]
    for path, kind in kinds:
        # Modules that the first request loads are not part of the measurement.
        pour(running.web, path, kind, size=300)
    web = Process(running.web_pid)

    status_lines = {(path, kind[0]): pour(running.web, path, kind) for path, kind in kinds}

    assert web.grew() < MOST
    assert web.wrote() < MOST_WRITTEN
    assert [
        place for place, line in status_lines.items() if line and line[9:10] not in b"234"
    ] == []


def test_huge_api_body_is_refused_before_it_is_read(running, noor):
    _, key = source(is_secret=True, scopes=["ingest", "read", "write"])
    web = Process(running.web_pid)

    status_lines = {}
    for operation in API:
        method, route = operation.split(" ", 1)
        path = routes._path(route).replace(routes.FILLED["uuid"], str(noor.pk))
        if method == "POST":
            status_lines[path] = pour(running.web, path, JSON, key)
    status_lines["nobody"] = pour(running.web, "/api/sign-in/", JSON)

    assert web.grew() < MOST
    assert web.wrote() < MOST_WRITTEN
    assert {line[9:10] for line in status_lines.values() if line} == {b"4"}
    assert status_lines["nobody"] in (b"", b"HTTP/1.1 413 Payload Too Large")


def bombs() -> dict[str, tuple[str, bytes]]:
    """Bodies that are small as they come; 256 MB for who unpacks them."""
    zeros = bytes(1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    once = b"".join(packer.compress(zeros) for _ in range(256)) + packer.flush()
    plain = gzip.compress(b'{"batch":[]}')
    return {
        "large": ("gzip", once),
        "packed twice": ("gzip", gzip.compress(once)),
        "packed twice and said so": ("gzip, gzip", gzip.compress(once)),
        "without a word": ("", once),
        "in another name": ("br", once),
        "raw": ("deflate", zlib.compress(zeros)),
        "zstd": ("zstd", b"\x28\xb5\x2f\xfd" + zeros[:64]),
        "cut": ("gzip", plain[:-5]),
        "many": ("gzip", plain * 500),
    }


def test_compressed_bodies_are_refused_without_unpacking_them(running):
    _, key = source(is_secret=True)
    paths = [
        "batch",
        "track",
        "events",
        "store/scans",
        "store/batches",
        "phone/calls",
        "sms/inbound",
    ]
    paths += ["sms/status", "email/reports", "webhooks/x", "phone/twilio/x"]
    web, statuses = Process(running.web_pid), {}
    for name, (encoding, body) in bombs().items():
        headers = {"Content-Encoding": encoding} if encoding else {}
        headers |= {"Content-Type": "application/json"}
        for path in [*(f"/v1/{endpoint}" for endpoint in paths), "/api/sign-in/", "/sign-in/"]:
            answer = send(running.web, path, body, headers, key=key if "/v1/" in path else "")
            statuses[name, path] = answer.status

    assert {place: status for place, status in statuses.items() if not 400 <= status < 500} == {}
    assert web.grew() < MOST
    assert web.wrote() < MOST_WRITTEN
