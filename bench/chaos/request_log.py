"""The request log of the client: each attempt, before it is sent, and each answer.

The file is append-only and written line by line, so that it is correct up to the moment at which
the client stops. The checker relies on it.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self


class SentEvent(NamedTuple):
    """One event that the client sent."""

    message_id: str
    # The customer of the event, by a name that the body of the event contains, too.
    owner: str
    # False for an event that belongs in quarantine: no identifier, or a reused id.
    is_valid: bool = True


class Acknowledgement(NamedTuple):
    """The counts of an acknowledged request."""

    accepted: int
    duplicates: int
    quarantined: int


class Request:
    """Events of one request, repeated with the same ids until they are acknowledged."""

    __slots__ = ("acknowledgements", "attempts", "events", "number", "rejections")

    def __init__(self, number: int, events: Sequence[SentEvent]) -> None:
        self.number = number
        self.events = tuple(events)
        self.attempts = 0
        self.acknowledgements: list[Acknowledgement] = []
        self.rejections = 0

    @property
    def is_acknowledged(self) -> bool:
        return bool(self.acknowledgements)

    @property
    def is_unknown(self) -> bool:
        """Whether the request got neither an acknowledgement nor a rejection."""
        return not self.acknowledgements and not self.rejections


class RequestLog:
    """The requests of one run, in memory and in a file."""

    def __init__(self, path: Path) -> None:
        self.requests: list[Request] = []
        self._file = path.open("a", buffering=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def create_request(self, events: Sequence[SentEvent]) -> Request:
        """Return a new request, which is not sent yet, with the next number."""
        request = Request(len(self.requests), events)
        self.requests.append(request)
        return request

    def add_attempt(self, request: Request, at: float) -> None:
        """Write that the client is about to send a request."""
        events = request.events if not request.attempts else None
        request.attempts += 1
        self._write("attempt", request, at, events=events)

    def add_acknowledgement(
        self, request: Request, at: float, acknowledgement: Acknowledgement
    ) -> None:
        """Add an acknowledgement to the request, and write it to the file."""
        request.acknowledgements.append(acknowledgement)
        self._write("ack", request, at, acknowledgement=acknowledgement)

    def add_rejection(self, request: Request, at: float, status: int) -> None:
        """Write that the server refused a request, so that a retry is useless."""
        request.rejections += 1
        self._write("reject", request, at, status=status)

    def add_unknown(self, request: Request, at: float, why: str) -> None:
        """Write that the outcome of a request is unknown."""
        self._write("unknown", request, at, why=why)

    def unknown_requests(self) -> list[Request]:
        """Return the requests that were sent and got no final answer."""
        return [request for request in self.requests if request.attempts and request.is_unknown]

    def acknowledged(self) -> Iterator[SentEvent]:
        """Yield each acknowledged event once."""
        for request in self.requests:
            if request.is_acknowledged:
                yield from request.events

    def _write(self, kind: str, request: Request, at: float, **facts: Any) -> None:
        line = {"what": kind, "request": request.number, "at": round(at, 4), **facts}
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")


def read(path: Path) -> list[Request]:
    """Return the requests of a request log, even if its process died while writing."""
    requests: dict[int, Request] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        number = entry["request"]
        if entry["what"] == "attempt" and entry["events"] is not None:
            requests[number] = Request(number, [SentEvent(*event) for event in entry["events"]])
        request = requests[number]
        if entry["what"] == "attempt":
            request.attempts += 1
        elif entry["what"] == "ack":
            request.acknowledgements.append(Acknowledgement(*entry["acknowledgement"]))
        elif entry["what"] == "reject":
            request.rejections += 1
    return list(requests.values())
