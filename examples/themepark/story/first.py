"""The second part: the butler speaks before anybody asks, and stays silent where it is told to."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2

from examples.themepark.rides import zone
from examples.themepark.story.plot import NOOR, Park, Stop

RIDE = "ride:night-mail"
TOPIC = "rides"
TABLE = "The Long Table"
# As long as we wait for what must come, and for what must not.
PATIENCE = 15.0
SILENCE = 3.0


@dataclass
class Guest:
    """Somebody with a record, and what of it the story knows."""

    name: str
    language: str
    email: str
    customer: str = ""
    # The number of the order that was made in this telling.
    order: str = ""
    # Ids of the messages that were there before.
    heard: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that had to happen, and whether it did."""

    text: str
    is_right: bool


class First:
    """A table is late, a ride closes and opens again; who is told, and who is not."""

    def __init__(self, park: Park, noor: str, token: dict[str, str]) -> None:
        self.park = park
        self.app = httpx2.Client(base_url=park.web, headers=token, timeout=30)
        tag = secrets.token_hex(3)
        self.noor = Guest("Noor", "en", NOOR, noor)
        self.here = [
            self.noor,
            *(
                Guest(name, language, f"{name.lower()}.{tag}@example.net")
                for name, language in (("Astrid", "da"), ("Elin", "sv"), ("Bram", "nl"))
            ),
        ]
        self.tomorrow = Guest("Jonas", "nl", f"jonas.{tag}@example.net")

    def tell(self) -> Iterator[Line]:
        """Play it; yield what was seen, as it is seen."""
        yield from self.set_out()
        yield from self.serve()
        yield from self.close()
        yield from self.mute()
        yield from self.open_again()
        yield from self.explain()

    def set_out(self) -> Iterator[Line]:
        """Everybody orders by phone: four for today, one for tomorrow."""
        self._status("open")
        # Whose today it is: a guest's visit is on a day of the park.
        today = datetime.now(zone()).date()
        for guest in (*self.here, self.tomorrow):
            if not guest.customer:
                self._introduce(guest)
            day = today + timedelta(days=guest is self.tomorrow)
            self._order(guest, day.isoformat())
        for guest in (*self.here, self.tomorrow):
            receipt = self._await(guest, lambda one: one["topic"] == "orders")
            yield Line(f"{guest.name} has a receipt{_after(receipt)}", receipt is not None)
            guest.heard = frozenset(one["id"] for one in self._messages(guest))

    def serve(self) -> Iterator[Line]:
        """The kitchen's till says that Noor's table is late, and then that it is ready."""
        now = datetime.now(zone())
        ready, held = now + timedelta(minutes=20), now + timedelta(minutes=35)
        late = {"planned_at": now.isoformat(), "ready_at": ready.isoformat()}
        yield self._kitchen("Table Delayed", late, "subject", f"{ready:%H:%M}")
        yield self._kitchen(
            "Table Ready", {"held_until": held.isoformat()}, "text", f"{held:%H:%M}"
        )

    def close(self) -> Iterator[Line]:
        yield from self._change("down", "The Night Mail closes", self.here, [self.tomorrow])

    def mute(self) -> Iterator[Line]:
        """Noor has heard enough of rides, and says so on her phone."""
        change = {"name": "allow", "value": False, "topic": TOPIC}
        started = time.monotonic()
        heard = _good(self.app.patch("/api/me/preferences/", json={"changes": [change]}))
        took = (time.monotonic() - started) * 1000
        receipt = _good(self.app.get(httpx2.URL(heard["receipts"][0]).path))
        left = len(heard["left"])
        text = f"Noor mutes rides: heard after {took:.0f} ms, {left} had left, receipt signed"
        yield Line(text, bool(receipt.get("signature")))

    def open_again(self) -> Iterator[Line]:
        others = [guest for guest in self.here if guest is not self.noor]
        silent = [self.noor, self.tomorrow]
        yield from self._change("open", "It opens again", others, silent)

    def explain(self) -> Iterator[Line]:
        """She can read why the last word did not come, and the setting that decided."""
        found = _good(self.app.get("/api/me/why/?sent=no&limit=5"))["results"]
        codes = [one["code"] for occasion in found[:1] for one in occasion["decisions"]]
        with httpx2.Client(base_url=self.park.web, timeout=10) as anybody:
            nobody = anybody.get("/api/me/why/").status_code
        text = f"Noor reads why: {', '.join(codes) or 'nothing'}; anybody else gets {nobody}"
        yield Line(text, codes != [] and set(codes) == {"topic_off"} and nobody == 401)
        clear = {"name": "allow", "topic": TOPIC, "clear": True}
        _good(self.app.patch("/api/me/preferences/", json={"changes": [clear]}))

    # How it is done ----------------------------------------------------------------------

    def _kitchen(self, event: str, facts: dict[str, str], where: str, needle: str) -> Line:
        """Let the till tell of Noor's table; she reads the time on her own clock."""
        properties = {"order_id": self.noor.order, "place": TABLE, **facts}
        body = {"event": event, "userId": self.park.noor.key, "properties": properties}
        started = time.monotonic()
        _good(self.park.till.post("/v1/track", json=body))
        message = self._await(self.noor, lambda one: one["topic"] == "visits")
        took = (time.monotonic() - started) * 1000
        said = message["subject"] if message else "NOTHING"
        self.noor.heard = frozenset(one["id"] for one in self._messages(self.noor))
        text = f"{event}: Noor reads {said!r}, {took:.0f} ms"
        return Line(text, message is not None and needle in message[where])

    def _change(
        self, status: str, title: str, told: list[Guest], silent: list[Guest]
    ) -> Iterator[Line]:
        started = time.monotonic()
        self._status(status)
        subjects = set()
        for guest in told:
            message = self._await(guest, lambda one: one["topic"] == TOPIC)
            took = (time.monotonic() - started) * 1000
            said = message["subject"] if message else "NOTHING"
            in_words = message is not None and message["language"] == guest.language
            subjects.add(said)
            text = f"{title}: {guest.name} ({guest.language}) reads {said!r}, {took:.0f} ms"
            yield Line(text, in_words)
        yield Line(
            f"{title}: told in {len(subjects)} languages",
            len(subjects) == len({guest.language for guest in told}),
        )
        time.sleep(SILENCE)
        for guest in silent:
            news = [one for one in self._news(guest) if one["topic"] == TOPIC]
            yield Line(f"{title}: {guest.name} is left in peace", not news)
        for guest in told:
            guest.heard = frozenset(one["id"] for one in self._messages(guest))

    def _status(self, status: str) -> None:
        body = {"status": status, "facts": {"name": "The Night Mail"}}
        _good(self.park.till.post(f"/api/topics/{RIDE}/", json=body))

    def _introduce(self, guest: Guest) -> None:
        traits = {"email": guest.email, "first_name": guest.name, "language": guest.language}
        self.park.site.identify(f"story-{guest.email}", traits)
        query = {"identifier": f"email:{guest.email}"}
        (found,) = _good(self.park.desk.get("/api/customers/", params=query))["results"]
        guest.customer = found["id"]

    def _order(self, guest: Guest, day: str) -> None:
        line = {"product": "day-ticket", "name": "Day ticket", "quantity": 2, "unit_price": "39.00"}
        order = {"name": "A day at Larkmoor", "currency": "EUR", "lines": [line]}
        order["visit_date"] = day
        guest.heard = frozenset(one["id"] for one in self._messages(guest))
        path = f"/api/customers/{guest.customer}/orders/"
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        guest.order = _good(self.park.desk.post(path, json=order, headers=headers))["number"]

    def _messages(self, guest: Guest) -> list[dict[str, Any]]:
        path = f"/api/customers/{guest.customer}/messages/"
        results: list[dict[str, Any]] = _good(self.park.desk.get(path))["results"]
        return results

    def _news(self, guest: Guest) -> list[dict[str, Any]]:
        return [one for one in self._messages(guest) if one["id"] not in guest.heard]

    def _await(
        self, guest: Guest, is_it: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any] | None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for one in self._news(guest):
                if is_it(one) and one["state"] in ("accepted", "delivered"):
                    return one
            time.sleep(0.05)
        return None


def _after(message: dict[str, Any] | None) -> str:
    return f" by {message['channel']}: {message['subject']!r}" if message else ": NOTHING"


def _good(answer: httpx2.Response) -> Any:
    if answer.status_code >= 400:
        raise Stop(f"{answer.request.url}: {answer.status_code} {answer.text[:300]}")
    return answer.json()
