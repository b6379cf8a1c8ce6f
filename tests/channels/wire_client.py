"""Send requests of clients, byte by byte, to the running server."""

import base64
import http.client
import json
import socket
import uuid
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from customers.actions import sources
from customers.models import Source


class Response(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return the numbers of accepted, duplicate and quarantined events from the headers."""
        names = ("butler-accepted", "butler-duplicates", "butler-quarantined")
        accepted, duplicates, quarantined = (int(self.headers[name]) for name in names)
        return accepted, duplicates, quarantined


def send(
    base: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    key: str = "",
) -> Response:
    """Send a request: bytes unchanged, other bodies as JSON, `key` in Authorization."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = dict(headers or {})
    if key:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response_headers = {name.lower(): value for name, value in response.getheaders()}
        return Response(response.status, response.read(), response_headers)
    finally:
        connection.close()


def send_raw(base: str, request: bytes, *, half_close: bool = False) -> bytes:
    """Send raw bytes, which no client library would send, and return the whole response."""
    address = urlsplit(base)
    with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
        sock.sendall(request)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        parts = []
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


def track(**fields: Any) -> dict[str, Any]:
    """Return an event, by default of a new customer."""
    event = {"type": "track", "event": "Ride Entered", "messageId": str(uuid.uuid4())}
    return event | {"userId": f"guest-{uuid.uuid4()}"} | fields


def source(*, is_secret: bool = False, **facts: Any) -> tuple[Source, str]:
    """Create a new source, and return it with its key."""
    facts = {"name": f"source {uuid.uuid4()}", "channel": "app"} | facts
    return sources.create_source(is_secret=is_secret, **facts)
