"""The published clients for browsers in Chromium, on a page of another origin than Butler."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from playwright.sync_api import ConsoleMessage, Page, Request

from customers.models import Event, Identifier, QuarantinedItem
from tests.channels.wire_client import source
from tests.clients.pages import serve_page
from tests.identity_tokens import identity_secret, sign
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MODULES = Path(__file__).parents[2] / "node_modules"
RUDDERSTACK = MODULES / "@rudderstack/analytics-js/dist/npm/modern"
RUDDERSTACK_PAGE = """<!doctype html><title>Shop</title>
<script src="/client/index.js"></script>
<script>
  const settings = %s;
  const analytics = new rudderanalytics.RudderAnalytics();
  analytics.load(settings.key, settings.butler, { configUrl: settings.butler, ...settings.options });
  analytics.ready(() => { window.isReady = true; });
</script>"""
# The headers that the client adds to a request, as its published source names them.
RUDDERSTACK_HEADERS = [
    "AnonymousId",
    "SentAt",
    "Rsa-Recovered",
    "Rsa-Retry-Attempt",
    "Rsa-Since-Last-Attempt",
    "Rsa-Since-First-Attempt",
    "Rsa-Retry-Reason",
]
CALLS = """
  analytics.identify("noor-1", { email: "noor@example.com" });
  analytics.page("Shop", "Map");
  analytics.track("Map Opened", { ride: "kestrel" });
  analytics.group("family-7");
  analytics.alias("noor-2");
"""


class Visit:
    """An open page, and its faults: failed requests, errors, and requests to a third host."""

    def __init__(self, page: Page, hosts: set[str]) -> None:
        self.page = page
        self.faults: list[str] = []
        self._hosts = tuple(hosts)
        page.on("console", self._check_message)
        page.on("request", self._check_host)

    def _check_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _check_host(self, request: Request) -> None:
        if not request.url.startswith((*self._hosts, "about:")):
            self.faults.append(request.url)


@pytest.fixture
def visit(running, node, shared_chromium, monkeypatch) -> Callable:
    # The browser's loop runs in this thread; what the tests read waits for nothing in it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

    @contextmanager
    def open_page(html: str, client: Path) -> Iterator[Visit]:
        with serve_page(html, client) as url, shared_chromium.use() as browser:
            page = browser.new_page()
            page.set_default_timeout(10_000)
            opened = Visit(page, {running.web, url})
            page.goto(url)
            page.wait_for_function("window.isReady")
            yield opened
            # Opened beside the browser's loop, it is another one than that of the test.
            connection.close()

    return open_page


def rudderstack_page(butler: str, key: str, **options: object) -> str:
    settings = {"butler": butler, "key": key, "options": options}
    return RUDDERSTACK_PAGE % json.dumps(settings)


def wait_for_events(count: int) -> None:
    wait_until(lambda: Event.objects.count() >= count)


def check_noors_events() -> None:
    kinds = sorted(Event.objects.values_list("kind", flat=True))
    assert kinds == ["alias", "group", "identify", "page", "track"]
    assert not QuarantinedItem.objects.exists()
    assert Event.objects.get(kind="track").body["properties"]["ride"] == "kestrel"
    assert Event.objects.get(kind="page").body["properties"]["url"].startswith("http://127.0.0.1")
    assert Identifier.objects.filter(kind="email", value="noor@example.com").exists()
    assert len(set(Event.objects.values_list("customer_id", flat=True))) == 1


@pytest.mark.parametrize("build", ["bundled", "lite"])
def test_rudderstack_client_sends_events_from_another_origin(running, visit, build):
    _, key = source()
    page = rudderstack_page(running.web, key)

    with visit(page, RUDDERSTACK / build / "umd") as opened:
        opened.page.evaluate(CALLS)
        wait_for_events(5)

    check_noors_events()
    assert opened.faults == []


def test_rudderstack_client_sends_its_beacon_when_the_page_closes(running, visit):
    _, key = source()
    page = rudderstack_page(running.web, key, useBeacon=True)

    with visit(page, RUDDERSTACK / "bundled/umd") as opened:
        opened.page.evaluate(CALLS)
        assert not Event.objects.exists()
        opened.page.goto("about:blank")
        wait_for_events(5)

    check_noors_events()
    assert opened.faults == []


def test_browser_sends_an_event_with_every_header_of_a_retry(running, visit):
    _, key = source()

    with visit(rudderstack_page(running.web, key), RUDDERSTACK / "bundled/umd") as opened:
        status = opened.page.evaluate(
            """async ([url, key, names]) => {
              const headers = Object.fromEntries(names.map((name) => [name, "1"]));
              headers["Content-Type"] = "application/json;charset=UTF-8";
              headers.Authorization = `Basic ${btoa(`${key}:`)}`;
              const body = JSON.stringify({ event: "Map Opened", anonymousId: "browser-1" });
              return (await fetch(url, { method: "POST", headers, body })).status;
            }""",
            [f"{running.web}/v1/track", key, RUDDERSTACK_HEADERS],
        )

    assert status == 200
    assert Event.objects.get().name == "Map Opened"


def test_rudderstack_event_with_an_identity_token_is_on_the_record_of_the_account(running, visit):
    app, key = source()
    token = sign(app, identity_secret(app), "42")

    with visit(rudderstack_page(running.web, key), RUDDERSTACK / "bundled/umd") as opened:
        opened.page.evaluate(
            f'analytics.track("Map Opened", {{}}, {{ identityToken: {json.dumps(token)} }})'
        )
        wait_for_events(1)

    event = Event.objects.get()
    account = Identifier.objects.get(kind="user_id")
    assert account.value.endswith("/42")
    assert event.customer_id == account.customer_id
    assert token not in str(event.body)


SEGMENT = MODULES / "@segment/analytics-next/dist/umd"
SEGMENT_PAGE = """<!doctype html><title>Shop</title>
<script src="/client/index.js"></script>
<script>
  const settings = %s;
  const analytics = AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: settings.key, cdnURL: settings.butler },
  );
  analytics.ready(() => { window.isReady = true; });
</script>"""
# A queue of calls as the loader snippet of analytics.js makes it.
SNIPPET_PAGE = """<!doctype html><title>Shop</title>
<script>
  const settings = %s;
  window.analytics = [];
  for (const method of ["identify", "page", "track", "group", "alias", "ready"]) {
    analytics[method] = (...values) => analytics.push([method, ...values]);
  }
  analytics._writeKey = settings.key;
  analytics._cdn = settings.butler;
  analytics._loadOptions = {};
  analytics.ready(() => { window.isReady = true; });
</script>
<script async data-global-segment-analytics-key="analytics" src="/client/standalone.js"></script>"""


@pytest.mark.parametrize("html", [SEGMENT_PAGE, SNIPPET_PAGE], ids=["package", "snippet"])
def test_segment_client_starts_and_sends_with_the_address_of_butler_only(running, visit, html):
    _, key = source()
    page = html % json.dumps({"butler": running.web, "key": key})

    with visit(page, SEGMENT) as opened:
        opened.page.evaluate(CALLS)
        wait_for_events(5)

    check_noors_events()
    assert opened.faults == []


# The REST API --------------------------------------------------------------------------

SIGN_IN_PAGE = """<!doctype html><title>Shop</title>
<script>
  const butler = %s;
  const headers = { "Content-Type": "application/json" };
  const send = async (path, body) =>
    (await fetch(butler + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
  let request;
  const ask = async (email) => { ({ request } = await send("/api/sign-in/", { email })); };
  const signIn = async (code) => {
    const { session_token: token } = await send("/api/sign-in/", { request, code });
    headers["X-Session-Token"] = token;
    const response = await fetch(butler + "/api/me/", { headers });
    return { status: response.status, etag: response.headers.get("ETag"), me: await response.json() };
  };
  window.isReady = true;
</script>"""


@contextmanager
def shop_page(running, shared_chromium, port: int) -> Iterator[Page]:
    html = SIGN_IN_PAGE % json.dumps(running.web)
    with serve_page(html, MODULES, port) as url, shared_chromium.use() as browser:
        page = browser.new_page()
        page.goto(url)
        yield page


def test_customer_signs_in_on_a_page_of_a_listed_origin(running, shared_chromium):
    port = urlsplit(running.env["BUTLER_API_ORIGINS"]).port

    with shop_page(running, shared_chromium, port) as page:
        page.evaluate("ask('noor@example.com')")
        mail = page.request.get(f"{running.web}/dev/outbox.json").json()[0]
        code = re.search(r"\b\d{6}\b", mail["text"]).group()
        answer = page.evaluate(f"signIn('{code}')")
        cookies = page.context.cookies(running.web)

    assert answer["status"] == 200
    assert answer["me"]["id"]
    assert answer["etag"]
    assert cookies == []


def test_page_of_another_origin_can_not_ask_for_a_code(running, shared_chromium):
    with shop_page(running, shared_chromium, 0) as page:
        error = page.evaluate("ask('eve@example.com').catch((error) => error.message)")
        mails = page.request.get(f"{running.web}/dev/outbox.json").json()

    assert error == "Failed to fetch"
    assert not [mail for mail in mails if mail["to"] == "eve@example.com"]
