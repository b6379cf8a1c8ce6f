"""A customer who is signed in clicks, and the desk sees it on the open page of her record.

The page of the shop is on another host, and runs Segment's published client for browsers.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from customers.models import Event, Identifier, Source
from tests import size
from tests.clients.pages import serve_page
from tests.identity_tokens import identity_secret, sign
from tests.journeys import console

pytestmark = pytest.mark.slow

BOX = "noor@example.com"
# How the client sends: each event at once, or several together.
STRATEGIES = ["standard", "batching"] if size.IS_LONG else ["standard"]
CLIENT = Path(__file__).parents[2] / "node_modules/@segment/analytics-next/dist/umd"
PAGE = """<!doctype html><title>Shop</title>
<button id="map">Open the map</button>
<script src="/client/index.js"></script>
<script>
  const settings = %s;
  const strategy = new URLSearchParams(location.search).get("strategy");
  let customer = {};
  const headers = () => customer.session ? { "X-Session-Token": customer.session } : {};
  const analytics = AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: settings.key, cdnURL: settings.butler },
    { integrations: { "Segment.io": {
        apiHost: settings.butler.replace("http://", "") + "/v1",
        protocol: "http",
        deliveryStrategy: { strategy, config: { headers, size: 1, timeout: 10 } },
    } } },
  );
  analytics.addSourceMiddleware(({ payload, next }) => {
    if (customer.identityToken) payload.obj.context.identityToken = customer.identityToken;
    next(payload);
  });
  document.getElementById("map").onclick = () => analytics.track("Map Opened");
</script>"""


@pytest.fixture
def shop(park, keys, visit, node) -> Iterator[Callable[[str], Page]]:
    """Open the page of the shop, with the publishable key of the app."""
    settings = {"key": keys["app"]["publishable"], "butler": park.web}
    with serve_page(PAGE % json.dumps(settings), CLIENT) as url:

        def open_shop(strategy: str) -> Page:
            page = visit(f"{url}?strategy={strategy}")
            page.wait_for_function("analytics.instance")
            return page

        yield open_shop


def _session(page: Page, butler: str) -> str:
    """Sign in with the code of the mail, as the shop's program does; return the session token."""
    request = page.request.post(f"{butler}/api/sign-in/", data={"email": BOX}).json()["request"]
    mail = page.request.get(f"{butler}/dev/outbox.json").json()[0]
    code = re.search(r"\b\d{6}\b", mail["text"])
    assert code
    answer = page.request.post(
        f"{butler}/api/sign-in/", data={"request": request, "code": code.group()}
    )
    token: str = answer.json()["session_token"]
    return token


def _identity_token() -> str:
    """Return the token that the shop's server makes for the customer who is signed in there."""
    app = Source.objects.get(name="app")
    mailbox = Identifier.objects.get(kind="email", value=BOX, evidence=2)
    account = Identifier.objects.get(
        kind="user_id", customer=mailbox.customer, value__startswith=f"{app.pk}/"
    )
    return sign(app, identity_secret(app), account.value.partition("/")[2])


def _phone_batch(key: str, identity_token: str) -> str:
    """Return a batch as the Swift client writes it, with an enrichment that adds the token."""
    event = {
        "type": "track",
        "event": "Ride Liked",
        "messageId": str(uuid.uuid4()).upper(),
        "anonymousId": str(uuid.uuid4()).upper(),
        "timestamp": datetime.now(UTC).isoformat(),
        "integrations": {},
        "properties": {"ride": "comet"},
        "context": {
            "library": {"name": "analytics-swift", "version": "1.9.1"},
            "device": {"id": str(uuid.uuid4()).upper(), "type": "ios"},
            "identityToken": identity_token,
        },
        "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
    }
    sent_at = datetime.now(UTC).isoformat()
    return f'{{ "batch": [{json.dumps(event)}],"sentAt":"{sent_at}","writeKey":"{key}"}}'


@pytest.mark.long
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_events_of_a_signed_in_customer_appear_on_the_open_page_of_the_desk(
    work, desk, park, keys, shop, apart, strategy
):
    desk_page = work("sam", console.noors_page(desk))
    expect(desk_page.locator("#status")).to_have_attribute("data-state", "live")
    desk_page.evaluate("window.isStillThisPage = true")
    clicks = desk_page.locator("#timeline li", has_text="Map Opened")
    page = shop(strategy)
    button = page.get_by_role("button", name="Open the map")

    button.click()
    session_token = _session(page, park.web)
    expect(clicks).to_have_count(0)
    page.evaluate(f"customer = {json.dumps({'session': session_token})}")
    button.click()
    # The click before she signed in joins her record.
    expect(clicks).to_have_count(2)
    identity_token = apart(_identity_token)
    page.evaluate(f"customer = {json.dumps({'identityToken': identity_token})}")
    button.click()
    expect(clicks).to_have_count(3)
    page.request.post(
        f"{park.web}/v1/b",
        data=_phone_batch(keys["app"]["publishable"], identity_token),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )

    expect(desk_page.locator("#timeline li", has_text="Ride Liked")).to_have_count(1)
    assert desk_page.evaluate("window.isStillThisPage") is True
    names = ("Map Opened", "Ride Liked")
    bodies = apart(lambda: list(Event.objects.filter(name__in=names).values_list("body")))
    assert len(bodies) == 4
    assert session_token not in str(bodies)
    assert identity_token not in str(bodies)
