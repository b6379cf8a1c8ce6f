"""The steps of the story of one order, and the check that all channels show each step."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from examples.themepark import orders
from examples.themepark.story.park import NOOR, Park, StoryError, checked
from examples.themepark.story.reader import Reader
from examples.themepark.story.stream_listener import StreamListener

# Seconds to wait until a channel shows a step.
TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """An acknowledged change, with its time and a function that recognizes its event."""

    title: str
    seconds: float
    acknowledged_at: float
    matches: Callable[[dict[str, Any]], bool]
    # The page of the record that a reader reads, and the text that it must contain.
    page: str
    expected_text: str


@dataclass(frozen=True, slots=True)
class Observation:
    """A place that shows a step, and the seconds after the acknowledgement (None: never)."""

    place: str
    after: float | None
    stale: int = 0


class OrderStory:
    """One run of the story. Each run makes a new order, so the story can be repeated."""

    def __init__(self, park: Park) -> None:
        self.park = park
        self.call_id = f"call-{secrets.token_hex(4)}"
        self.number = f"LK-{secrets.token_hex(4).upper()}"
        self.customer = ""
        self.line = ""

    def find_noor(self) -> str:
        """Return the id of Noor's record, which the desk finds by her mail address."""
        matches = checked(self.park.desk.get(f"/api/customers/?identifier=email:{NOOR}"))["results"]
        if len(matches) != 1:
            raise StoryError(f"{len(matches)} records have Noor's address: load the park first")
        self.customer = matches[0]["id"]
        return self.customer

    def steps(self) -> list[Callable[[], Step]]:
        return [
            self.open_app,
            self.start_call,
            self.answer_call,
            self.order,
            self.end_call,
            self.move,
            self.cancel_line,
            self.scan,
        ]

    def open_app(self) -> Step:
        message_id = f"app-{secrets.token_hex(8)}"

        def send() -> None:
            self.park.app.screen(self.park.noor.key, "", "Home", message_id=message_id)

        title = "Noor opens her app (published Segment client)"
        return self._measured_call(title, send, message_id, "timeline/?kind=screen", message_id)

    def start_call(self) -> Step:
        return self._phone_event(
            "newCall", "Noor calls, and the desk's screen pops up", self._check_one_match
        )

    def answer_call(self) -> Step:
        return self._phone_event("answer", "Sam picks up")

    def end_call(self) -> Step:
        return self._phone_event("hangup", "They hang up")

    def _check_one_match(self, answer: dict[str, Any]) -> None:
        if answer["matches"] != "one":
            raise StoryError(f"the desk found {answer['matches']} for Noor's number")

    def _phone_event(
        self, event: str, title: str, check: Callable[[dict[str, Any]], None] | None = None
    ) -> Step:
        body = {
            "event": event,
            "callId": self.call_id,
            "from": self.park.noor.phone,
            "direction": "in",
            "user": "sam" if event != "newCall" else None,
        }
        step, answer = self._measured_post(title, self.park.desk, "/v1/phone/calls", body)
        if check:
            check(answer)
        message_id = f"{self.call_id}:{event}"
        return step(_field_starts_with("message_id", message_id), "timeline/", message_id)

    def order(self) -> Step:
        """Let Sam place Noor's order with the API, as a program of the desk would."""
        day = datetime.now(UTC).date() + timedelta(days=12 + secrets.randbelow(200))
        properties = orders.completed(
            self.number, key="lantern-night", family=self.park.noor, day=day, channel="phone"
        )
        self.line = properties["products"][-1]["line_id"]
        body = {
            "number": self.number,
            "currency": properties["currency"],
            "visit_date": properties["visit_date"],
            "visit_time": f"{properties['visit_time']}:00",
            "party": properties["party"],
            "name": properties["name"],
            "lines": [
                {
                    "id": product["line_id"],
                    "product": product["product_id"],
                    "name": product["name"],
                    "quantity": product["quantity"],
                    "unit_price": product["price"],
                }
                for product in properties["products"]
            ],
        }
        path = f"/api/customers/{self.customer}/orders/"
        title = f"Sam orders {properties['name']} for her, {self.number}, € {properties['total']}"
        step, answer = self._measured_post(title, self.park.desk, path, body)
        return step(
            _field_equals("version", answer["version"]),
            f"orders/{self.number}/",
            f'"{self.number}"',
        )

    def move(self) -> Step:
        """Let the server of the website send Noor's new time of arrival."""
        message_id = f"site-{secrets.token_hex(8)}"
        change = {"order_id": self.number, "visit_time": "11:45"}

        def send() -> None:
            self.park.site.track(self.park.noor.key, "Order Amended", change, message_id=message_id)

        title = "Noor moves her arrival to 11:45 on the website (published Segment client)"
        return self._measured_call(title, send, message_id, f"orders/{self.number}/", "11:45")

    def cancel_line(self) -> Step:
        path = f"/api/customers/{self.customer}/orders/{self.number}/lines/{self.line}/cancel/"
        title = "Breakfast is cancelled, and nothing else"
        step, answer = self._measured_post(title, self.park.desk, path, {})
        return step(
            _field_equals("version", answer["version"]), f"orders/{self.number}/", '"cancelled"'
        )

    def scan(self) -> Step:
        """Let Iris scan the code on the day of the visit; the response names the guest."""
        path = f"/api/customers/{self.customer}/orders/{self.number}/"
        today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
        checked(self.park.desk.patch(path, json={"visit_date": today.isoformat()}))
        [ticket] = checked(self.park.desk.get(f"{path}tickets/"))["tickets"]
        scan_id = secrets.token_hex(6)
        body = {
            "code": ticket["code"],
            "till": "gate-2",
            "staff": "iris",
            "device": "gate-2",
            "id": scan_id,
        }
        title = f"Iris scans the ticket of {self.number} at the gate"
        step, answer = self._measured_post(title, self.park.till, "/v1/store/scans", body)
        if self.number not in str(answer):
            raise StoryError(f"the gate refuses the ticket of {self.number}: {answer}")
        message_id = f"gate-2:{scan_id}"
        return step(_field_equals("message_id", message_id), "timeline/", message_id)

    # Helpers -----------------------------------------------------------------------------

    def _measured_call(
        self, title: str, send: Callable[[], None], message_id: str, page: str, expected_text: str
    ) -> Step:
        started = time.monotonic()
        send()
        acknowledged_at = time.monotonic()
        matches = _field_equals("message_id", message_id)
        return Step(title, acknowledged_at - started, acknowledged_at, matches, page, expected_text)

    def _measured_post(
        self, title: str, client: httpx2.Client, path: str, body: dict[str, Any]
    ) -> tuple[Callable[[Callable[[dict[str, Any]], bool], str, str], Step], dict[str, Any]]:
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        started = time.monotonic()
        response = client.post(path, json=body, headers=headers)
        acknowledged_at = time.monotonic()
        answer = checked(response)

        def step(matches: Callable[[dict[str, Any]], bool], page: str, expected_text: str) -> Step:
            return Step(
                title, acknowledged_at - started, acknowledged_at, matches, page, expected_text
            )

        return step, answer


def observe(
    step: Step, listeners: list[StreamListener], readers: list[Reader]
) -> list[Observation]:
    """Wait for a step in all other channels at the same time, and return the observations."""
    for reader in readers:
        reader.start_polling(step.page, step.expected_text, timeout=TIMEOUT)
    observations = [
        Observation(
            listener.name, _seconds_after(listener.wait_for(step.matches, timeout=TIMEOUT), step)
        )
        for listener in listeners
    ]
    for reader in readers:
        match = reader.wait_for_match()
        after = _seconds_after(match.at, step) if match else None
        observations.append(Observation(reader.name, after, match.stale if match else 0))
    return observations


def _field_starts_with(member: str, prefix: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: str(event.get(member, "")).startswith(prefix)


def _field_equals(member: str, value: Any) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event.get(member) == value


def _seconds_after(seen_at: float | None, step: Step) -> float | None:
    return None if seen_at is None else seen_at - step.acknowledged_at
