"""The second part of the story: Butler sends messages by itself, and obeys a muted topic."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2

from examples.themepark.rides import zone
from examples.themepark.story.park import NOOR, Park, checked

RIDE = "ride:night-mail"
TOPIC = "rides"
TABLE = "The Long Table"
# Seconds to wait for a message that must come, and for messages that must not come.
TIMEOUT = 15.0
SILENCE_SECONDS = 3.0


@dataclass
class StoryGuest:
    """A guest with a record, and the facts that the story needs."""

    name: str
    language: str
    email: str
    customer: str = ""
    # The number of the order of this run.
    order: str = ""
    # The ids of earlier messages.
    known_messages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, and whether it was met."""

    text: str
    is_correct: bool


class ProactiveStory:
    """A table is late, and a ride closes and opens again. Some guests get messages, some none."""

    def __init__(self, park: Park, noor: str, token: dict[str, str]) -> None:
        self.park = park
        self.app = httpx2.Client(base_url=park.web, headers=token, timeout=30)
        tag = secrets.token_hex(3)
        self.noor = StoryGuest("Noor", "en", NOOR, noor)
        self.visiting_today = [
            self.noor,
            *(
                StoryGuest(name, language, f"{name.lower()}.{tag}@example.net")
                for name, language in (("Astrid", "da"), ("Elin", "sv"), ("Bram", "nl"))
            ),
        ]
        self.visiting_tomorrow = StoryGuest("Jonas", "nl", f"jonas.{tag}@example.net")

    def run(self) -> Iterator[Check]:
        """Run all parts, and yield each check when it is made."""
        yield from self.place_orders()
        yield from self.report_table()
        yield from self.close_ride()
        yield from self.mute_rides()
        yield from self.reopen_ride()
        yield from self.read_reasons()

    def place_orders(self) -> Iterator[Check]:
        """Place orders by phone: four guests for today, one for tomorrow."""
        # A source of somebody else may have changed it: the later statement counts.
        self.park.app.identify(self.park.noor.key, {"language": self.noor.language})
        self._set_ride_status("open")
        # Today in the park's time zone, because visits are on days of the park.
        today = datetime.now(zone()).date()
        for guest in (*self.visiting_today, self.visiting_tomorrow):
            if not guest.customer:
                self._create_customer(guest)
            day = today + timedelta(days=guest is self.visiting_tomorrow)
            self._order(guest, day.isoformat())
        for guest in (*self.visiting_today, self.visiting_tomorrow):
            receipt = self._wait_for_message(guest, lambda message: message["topic"] == "orders")
            yield Check(f"{guest.name} has a receipt{_receipt_text(receipt)}", receipt is not None)
            guest.known_messages = frozenset(message["id"] for message in self._messages(guest))

    def report_table(self) -> Iterator[Check]:
        """Let the till of the kitchen send that Noor's table is late, and then that it is ready."""
        now = datetime.now(zone())
        ready_at, held_until = now + timedelta(minutes=20), now + timedelta(minutes=35)
        late = {"planned_at": now.isoformat(), "ready_at": ready_at.isoformat()}
        yield self._send_table_event("Table Delayed", late, "subject", f"{ready_at:%H:%M}")
        yield self._send_table_event(
            "Table Ready", {"held_until": held_until.isoformat()}, "text", f"{held_until:%H:%M}"
        )

    def close_ride(self) -> Iterator[Check]:
        yield from self._change_ride(
            "down", "The Night Mail closes", self.visiting_today, [self.visiting_tomorrow]
        )

    def mute_rides(self) -> Iterator[Check]:
        """Let Noor mute the topic of rides in her app."""
        change = {"name": "allow", "value": False, "topic": TOPIC}
        started = time.monotonic()
        answer = checked(self.app.patch("/api/me/preferences/", json={"changes": [change]}))
        milliseconds = (time.monotonic() - started) * 1000
        receipt = checked(self.app.get(httpx2.URL(answer["receipts"][0]).path))
        sent_count = len(answer["sent_messages"])
        text = (
            f"Noor mutes rides: stored after {milliseconds:.0f} ms, {sent_count} sent before,"
            " receipt signed"
        )
        yield Check(text, bool(receipt.get("signature")))

    def reopen_ride(self) -> Iterator[Check]:
        others = [guest for guest in self.visiting_today if guest is not self.noor]
        silent = [self.noor, self.visiting_tomorrow]
        yield from self._change_ride("open", "It opens again", others, silent)

    def read_reasons(self) -> Iterator[Check]:
        """Check that Noor, and no other caller, can read why she got no message."""
        occasions = checked(self.app.get("/api/me/why/?sent=no&limit=5"))["results"]
        codes = [
            decision["code"] for occasion in occasions[:1] for decision in occasion["decisions"]
        ]
        with httpx2.Client(base_url=self.park.web, timeout=10) as anonymous:
            status = anonymous.get("/api/me/why/").status_code
        text = f"Noor reads why: {', '.join(codes) or 'no reason'}; others get {status}"
        yield Check(text, codes != [] and set(codes) == {"topic_off"} and status == 401)
        clear = {"name": "allow", "topic": TOPIC, "clear": True}
        checked(self.app.patch("/api/me/preferences/", json={"changes": [clear]}))

    # Helpers -----------------------------------------------------------------------------

    def _send_table_event(
        self, event: str, facts: dict[str, str], field: str, expected_text: str
    ) -> Check:
        """Let the till send an event about Noor's table; her message has the time in her zone."""
        properties = {"order_id": self.noor.order, "place": TABLE, **facts}
        # The till has numbers of its own, so it names Noor by her address.
        context = {"traits": {"email": self.noor.email}}
        body = {"event": event, "context": context, "properties": properties}
        started = time.monotonic()
        checked(self.park.till.post("/v1/track", json=body))
        message = self._wait_for_message(self.noor, lambda message: message["topic"] == "visits")
        milliseconds = (time.monotonic() - started) * 1000
        subject = message["subject"] if message else "NOTHING"
        self.noor.known_messages = frozenset(message["id"] for message in self._messages(self.noor))
        text = f"{event}: Noor reads {subject!r}, {milliseconds:.0f} ms"
        return Check(text, message is not None and expected_text in message[field])

    def _change_ride(
        self, status: str, title: str, notified: list[StoryGuest], silent: list[StoryGuest]
    ) -> Iterator[Check]:
        started = time.monotonic()
        self._set_ride_status(status)
        subjects = set()
        for guest in notified:
            message = self._wait_for_message(guest, lambda message: message["topic"] == TOPIC)
            milliseconds = (time.monotonic() - started) * 1000
            subject = message["subject"] if message else "NOTHING"
            is_in_language = message is not None and message["language"] == guest.language
            subjects.add(subject)
            text = (
                f"{title}: {guest.name} ({guest.language}) reads {subject!r}, {milliseconds:.0f} ms"
            )
            yield Check(text, is_in_language)
        yield Check(
            f"{title}: messages in {len(subjects)} languages",
            len(subjects) == len({guest.language for guest in notified}),
        )
        time.sleep(SILENCE_SECONDS)
        for guest in silent:
            new_messages = [
                message for message in self._new_messages(guest) if message["topic"] == TOPIC
            ]
            yield Check(f"{title}: {guest.name} gets no message", not new_messages)
        for guest in notified:
            guest.known_messages = frozenset(message["id"] for message in self._messages(guest))

    def _set_ride_status(self, status: str) -> None:
        body = {"status": status, "facts": {"name": "The Night Mail"}}
        checked(self.park.till.post(f"/api/topics/{RIDE}/", json=body))

    def _create_customer(self, guest: StoryGuest) -> None:
        traits = {"email": guest.email, "first_name": guest.name, "language": guest.language}
        self.park.site.identify(f"story-{guest.email}", traits)
        query = {"identifier": f"email:{guest.email}"}
        (customer,) = checked(self.park.desk.get("/api/customers/", params=query))["results"]
        guest.customer = customer["id"]

    def _order(self, guest: StoryGuest, day: str) -> None:
        line = {"product": "day-ticket", "name": "Day ticket", "quantity": 2, "unit_price": "39.00"}
        order = {"name": "A day at Larkmoor", "currency": "EUR", "lines": [line]}
        order["visit_date"] = day
        guest.known_messages = frozenset(message["id"] for message in self._messages(guest))
        path = f"/api/customers/{guest.customer}/orders/"
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        guest.order = checked(self.park.desk.post(path, json=order, headers=headers))["number"]

    def _messages(self, guest: StoryGuest) -> list[dict[str, Any]]:
        path = f"/api/customers/{guest.customer}/messages/"
        results: list[dict[str, Any]] = checked(self.park.desk.get(path))["results"]
        return results

    def _new_messages(self, guest: StoryGuest) -> list[dict[str, Any]]:
        return [
            message
            for message in self._messages(guest)
            if message["id"] not in guest.known_messages
        ]

    def _wait_for_message(
        self, guest: StoryGuest, matches: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any] | None:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            for message in self._new_messages(guest):
                if matches(message) and message["state"] in ("accepted", "delivered"):
                    return message
            time.sleep(0.05)
        return None


def _receipt_text(message: dict[str, Any] | None) -> str:
    return f" by {message['channel']}: {message['subject']!r}" if message else ": NOTHING"
