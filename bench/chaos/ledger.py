"""What the client knows: every attempt, before it is made, and every answer.

The file is append-only and written line by line, so that it tells the truth about the moment
at which anything stopped. Everything the checker claims rests on it.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self


class Sent(NamedTuple):
    """One event the client made up."""

    message_id: str
    # Whose event it is, by a name that is also inside the event's body.
    owner: str
    # False for what has to be kept apart: it names nobody, or its id was used before.
    is_fit: bool = True


class Told(NamedTuple):
    """What an acknowledgement said became of the events of a request."""

    accepted: int
    duplicates: int
    apart: int


class Request:
    """A number of events sent together, again and again with the same ids, until told."""

    __slots__ = ("attempts", "events", "number", "rejections", "told")

    def __init__(self, number: int, events: Sequence[Sent]) -> None:
        self.number = number
        self.events = tuple(events)
        self.attempts = 0
        self.told: list[Told] = []
        self.rejections = 0

    @property
    def is_acknowledged(self) -> bool:
        return bool(self.told)

    @property
    def is_unknown(self) -> bool:
        return not self.told and not self.rejections


class Ledger:
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

    def request(self, events: Sequence[Sent]) -> Request:
        request = Request(len(self.requests), events)
        self.requests.append(request)
        return request

    def attempt(self, request: Request, at: float) -> None:
        """Write that a request is about to be sent."""
        events = request.events if not request.attempts else None
        request.attempts += 1
        self._write("attempt", request, at, events=events)

    def ack(self, request: Request, at: float, told: Told) -> None:
        request.told.append(told)
        self._write("ack", request, at, told=told)

    def reject(self, request: Request, at: float, status: int) -> None:
        """Write that the server refused: it will not change its mind."""
        request.rejections += 1
        self._write("reject", request, at, status=status)

    def unknown(self, request: Request, at: float, why: str) -> None:
        """Write that nobody can tell whether the request was stored."""
        self._write("unknown", request, at, why=why)

    def unknown_requests(self) -> list[Request]:
        return [request for request in self.requests if request.attempts and request.is_unknown]

    def acknowledged(self) -> Iterator[Sent]:
        """Yield every event that was acknowledged, each once."""
        for request in self.requests:
            if request.is_acknowledged:
                yield from request.events

    def _write(self, what: str, request: Request, at: float, **facts: Any) -> None:
        line = {"what": what, "request": request.number, "at": round(at, 4), **facts}
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")


def read(path: Path) -> list[Request]:
    """Read a ledger back, for instance one that another process was writing when it died."""
    requests: dict[int, Request] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        number = entry["request"]
        if entry["what"] == "attempt" and entry["events"] is not None:
            requests[number] = Request(number, [Sent(*event) for event in entry["events"]])
        request = requests[number]
        if entry["what"] == "attempt":
            request.attempts += 1
        elif entry["what"] == "ack":
            request.told.append(Told(*entry["told"]))
        elif entry["what"] == "reject":
            request.rejections += 1
    return list(requests.values())
