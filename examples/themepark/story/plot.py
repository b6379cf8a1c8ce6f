"""Who does what, in which order, and where else it has to be seen."""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from segment.analytics.client import Client as SegmentClient

from examples.themepark import families, orders
from examples.themepark.story.ears import Ear
from examples.themepark.story.reader import Reader

# Longer than anything should take, shorter than anybody's patience.
PATIENCE = 5.0
NOOR = "noor@example.com"


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was acknowledged: when, and how to know it again elsewhere."""

    title: str
    took: float
    acknowledged_at: float
    is_it: Callable[[dict[str, Any]], bool]
    # What a reader has to see: a page of the record, and a text on it.
    page: str
    needle: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where an act was seen, and how long after its acknowledgement (seconds; None: never)."""

    where: str
    after: float | None
    stale: int = 0


class Stop(Exception):
    """The story cannot go on, and why."""


class Park:
    """The running system as each of the park's people reaches it."""

    def __init__(self, web: str, live: str, keys: dict[str, dict[str, str]]) -> None:
        self.web = web
        self.live = live
        self.keys = keys
        self.noor = families.noor(datetime.now(UTC).date())
        self.desk = self._client("call desk")
        self.till = self._client("till")
        self.app = self._segment("app")
        self.site = self._segment("site")

    def _client(self, source: str) -> httpx2.Client:
        return httpx2.Client(base_url=self.web, headers=self.bearer(source), timeout=10)

    def bearer(self, source: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[source]['secret']}"}

    def _segment(self, source: str) -> SegmentClient:
        # As an app's or a site's server uses it; sync_mode returns when it is acknowledged.
        return SegmentClient(
            self.keys[source]["secret"], host=self.web, sync_mode=True, on_error=_give_up
        )

    def sign_in(self) -> str:
        """Sign Noor's app in with the code from her mail; return its token."""
        with httpx2.Client(base_url=self.web, timeout=10) as phone:
            asked = _good(phone.post("/api/sign-in/", json={"email": NOOR}))
            mails = _good(phone.get("/dev/outbox.json"))
            mail = next(mail for mail in mails if mail["to"] == NOOR)
            code = re.search(r"\b\d{6}\b", mail["text"] + mail["subject"])
            if code is None:
                raise Stop("the mail to Noor has no code in it")
            proof = {"request": asked["request"], "code": code.group()}
            return str(_good(phone.post("/api/sign-in/", json=proof))["session_token"])


class Story:
    """One telling: every act makes its own order, so it can be told again and again."""

    def __init__(self, park: Park) -> None:
        self.park = park
        self.call_id = f"call-{secrets.token_hex(4)}"
        self.number = f"LK-{secrets.token_hex(4).upper()}"
        self.customer = ""
        self.line = ""

    def find_noor(self) -> str:
        """Find the record as the desk does: by the number that calls."""
        found = _good(self.park.desk.get(f"/api/customers/?identifier=email:{NOOR}"))["results"]
        if len(found) != 1:
            raise Stop(f"{len(found)} records have Noor's address: load the park first")
        self.customer = found[0]["id"]
        return self.customer

    def acts(self) -> list[Callable[[], Act]]:
        return [
            self.open_app,
            self.ring,
            self.pick_up,
            self.order,
            self.hang_up,
            self.move,
            self.cancel_line,
            self.scan,
        ]

    def open_app(self) -> Act:
        message_id = f"app-{secrets.token_hex(8)}"

        def said() -> None:
            self.park.app.screen(self.park.noor.key, "", "Home", message_id=message_id)

        title = "Noor opens her app (published Segment client)"
        return self._said(title, said, message_id, "timeline/?kind=screen", message_id)

    def ring(self) -> Act:
        return self._phone("newCall", "Noor calls, and the desk's screen pops up", self._popped)

    def pick_up(self) -> Act:
        return self._phone("answer", "Sam picks up")

    def hang_up(self) -> Act:
        return self._phone("hangup", "They hang up")

    def _popped(self, answer: dict[str, Any]) -> None:
        if answer["matches"] != "one":
            raise Stop(f"the desk found {answer['matches']} for Noor's number")

    def _phone(
        self, event: str, title: str, check: Callable[[dict[str, Any]], None] | None = None
    ) -> Act:
        body = {
            "event": event,
            "callId": self.call_id,
            "from": self.park.noor.phone,
            "direction": "in",
            "user": "sam" if event != "newCall" else None,
        }
        act, answer = self._posted(title, self.park.desk, "/v1/phone/calls", body)
        if check:
            check(answer)
        message_id = f"{self.call_id}:{event}"
        return act(_has("message_id", message_id), "timeline/", message_id)

    def order(self) -> Act:
        """Sam orders what Noor asks for, as the desk's own program does."""
        day = datetime.now(UTC).date() + timedelta(days=12 + secrets.randbelow(200))
        said = orders.completed(
            self.number, key="lantern-night", family=self.park.noor, day=day, channel="phone"
        )
        self.line = said["products"][-1]["line_id"]
        body = {
            "number": self.number,
            "currency": said["currency"],
            "visit_date": said["visit_date"],
            "visit_time": f"{said['visit_time']}:00",
            "party": said["party"],
            "name": said["name"],
            "lines": [
                {
                    "id": product["line_id"],
                    "product": product["product_id"],
                    "name": product["name"],
                    "quantity": product["quantity"],
                    "unit_price": product["price"],
                }
                for product in said["products"]
            ],
        }
        path = f"/api/customers/{self.customer}/orders/"
        title = f"Sam orders {said['name']} for her, {self.number}, € {said['total']}"
        act, answer = self._posted(title, self.park.desk, path, body)
        return act(_has("version", answer["version"]), f"orders/{self.number}/", f'"{self.number}"')

    def move(self) -> Act:
        """The website's server says that Noor moved her arrival there."""
        message_id = f"site-{secrets.token_hex(8)}"
        change = {"order_id": self.number, "visit_time": "11:45"}

        def said() -> None:
            self.park.site.track(self.park.noor.key, "Order Amended", change, message_id=message_id)

        title = "Noor moves her arrival to 11:45 on the website (published Segment client)"
        return self._said(title, said, message_id, f"orders/{self.number}/", "11:45")

    def cancel_line(self) -> Act:
        path = f"/api/customers/{self.customer}/orders/{self.number}/lines/{self.line}/cancel/"
        title = "Breakfast is cancelled, and nothing else"
        act, answer = self._posted(title, self.park.desk, path, {})
        return act(_has("version", answer["version"]), f"orders/{self.number}/", '"cancelled"')

    def scan(self) -> Act:
        """Iris scans the code; the gate's answer says who comes."""
        scan_id = secrets.token_hex(6)
        body = {
            "code": self.number,
            "till": "gate-2",
            "staff": "iris",
            "device": "gate-2",
            "id": scan_id,
        }
        title = f"Iris scans {self.number} at the gate"
        act, answer = self._posted(title, self.park.till, "/v1/store/scans", body)
        if self.number not in str(answer):
            raise Stop(f"the gate does not know {self.number}: {answer}")
        message_id = f"gate-2:{scan_id}"
        return act(_has("message_id", message_id), "timeline/", message_id)

    # How it is done ----------------------------------------------------------------------

    def _said(
        self, title: str, say: Callable[[], None], message_id: str, page: str, needle: str
    ) -> Act:
        started = time.monotonic()
        say()
        at = time.monotonic()
        is_it = _has("message_id", message_id)
        return Act(title, at - started, at, is_it, page, needle)

    def _posted(
        self, title: str, client: httpx2.Client, path: str, body: dict[str, Any]
    ) -> tuple[Callable[[Callable[[dict[str, Any]], bool], str, str], Act], dict[str, Any]]:
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        started = time.monotonic()
        response = client.post(path, json=body, headers=headers)
        at = time.monotonic()
        answer = _good(response)

        def act(is_it: Callable[[dict[str, Any]], bool], page: str, needle: str) -> Act:
            return Act(title, at - started, at, is_it, page, needle)

        return act, answer


def sightings(act: Act, ears: list[Ear], readers: list[Reader]) -> list[Sighting]:
    """Look for an act in every other channel, in all of them at once."""
    for reader in readers:
        reader.ask(act.page, act.needle, within=PATIENCE)
    found = [Sighting(ear.name, _after(ear.when(act.is_it, within=PATIENCE), act)) for ear in ears]
    for reader in readers:
        seen = reader.answer()
        after = _after(seen.at, act) if seen else None
        found.append(Sighting(reader.name, after, seen.stale if seen else 0))
    return found


def _has(member: str, value: Any) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event.get(member) == value


def _after(at: float | None, act: Act) -> float | None:
    return None if at is None else at - act.acknowledged_at


def _good(answer: httpx2.Response) -> Any:
    if answer.status_code >= 400:
        raise Stop(f"{answer.request.url}: {answer.status_code} {answer.text[:300]}")
    return answer.json()


def _give_up(error: Exception, _: object) -> None:
    raise Stop(f"the published client could not deliver: {error}")
