"""The clients with which the people of the story use the running system."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx2
from segment.analytics.client import Client as SegmentClient

from examples.themepark import families

NOOR = "noor@example.com"


class StoryError(Exception):
    """The story cannot continue; the message has the reason."""


class Park:
    """The clients of the desk, the till, the app and the website."""

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
        """Return the header that authenticates as this source."""
        return {"Authorization": f"Bearer {self.keys[source]['secret']}"}

    def _segment(self, source: str) -> SegmentClient:
        # The client of the server of an app or site. With sync_mode a call waits for its response.
        return SegmentClient(
            self.keys[source]["secret"], host=self.web, sync_mode=True, on_error=_raise_undelivered
        )

    def sign_in(self) -> str:
        """Sign Noor's app in with the code from her mail, and return the session token."""
        with httpx2.Client(base_url=self.web, timeout=10) as phone:
            sign_in_request = checked(phone.post("/api/sign-in/", json={"email": NOOR}))
            mails = checked(phone.get("/dev/outbox.json"))
            mail = next(mail for mail in mails if mail["to"] == NOOR)
            code = re.search(r"\b\d{6}\b", mail["text"] + mail["subject"])
            if code is None:
                raise StoryError("the mail to Noor has no code in it")
            proof = {"request": sign_in_request["request"], "code": code.group()}
            return str(checked(phone.post("/api/sign-in/", json=proof))["session_token"])


def checked(answer: httpx2.Response) -> Any:
    """Return the JSON of an answer. Raises StoryError if it is an error."""
    if answer.status_code >= 400:
        raise StoryError(f"{answer.request.url}: {answer.status_code} {answer.text[:300]}")
    return answer.json()


def _raise_undelivered(error: Exception, _: object) -> None:
    raise StoryError(f"the published client could not deliver: {error}")
