"""A request whose connection is cut between two statements gets 503 and no wrong answer.

Each test sends a request once without a cut. Then it sends the request again for each statement,
commit and rollback, and ends the backend just before that step. The routes come from the URL
resolver through the tables of test_routes. `make test-long` cuts before each step of each
request, which takes minutes. `make test` cuts reads before their last step, and one write of each
family around its commit.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from zlib import crc32

import pytest
from django.conf import settings as conf
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.utils import timezone

from channels.console.views import access
from customers.access import access_log
from customers.actions import sign_in_codes, staff_sign_in
from customers.actions.sources import create_source
from customers.models import AccessLogEntry, Source, User
from tests import factories, size, staff
from tests.architecture.tree import APPS, ROOT, files
from tests.channels.provider import SID, TOKEN
from tests.config import cut, cut_calls, test_access
from tests.config.cut import Call

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.django_db(transaction=True)]

world = test_access.world


@pytest.fixture
def call_values(world, settings, quick_hashes) -> dict:
    """Create all objects that a request can name, and all kinds of callers."""
    settings.SMS_ACCOUNT = {"url": "http://nowhere", "sid": SID, "token": TOKEN, "from": "+3120"}
    settings.ALLOWED_HOSTS = ["*"]
    things, callers = world
    address = ("email", "noor@example.com")
    factories.record(
        factories.identify(address, ("phone", "+31612345678"), ("card", "LK1"), name="Noor"),
        factories.incoming_event(
            address, name="Call Started", about="call:c1", properties={"direction": "in"}
        ),
    )
    for name, secret in (("Shop", cut_calls.SECRET), ("Switchboard", TOKEN)):
        Source.objects.create(name=name, channel="web", webhook_secrets=[secret])
    _, key = create_source(
        name="desk", channel="phone", is_secret=True, scopes=("ingest", "read", "identify")
    )
    now = timezone.now()
    code = sign_in_codes.issue_code(email="noor@example.com", network="192.0.2.1", now=now)
    pending = SessionStore()
    pending["sign_in_request"] = code.handle
    pending.save()
    proved = SessionStore()
    noor, lin = Client(), Client()
    noor.force_login(User.objects.get(email="noor@example.com"), staff.BACKEND)
    colleague = User.objects.create_superuser("zoe@staff.example.com", "four-words")
    secret = staff_sign_in.new_secret()
    past = now - timedelta(hours=1)
    app_code = staff_sign_in.totp(secret, past)
    staff_sign_in.enroll(user=colleague, secret=secret, code=app_code, now=past)
    staff.let_in(lin, colleague)
    session = lin.session
    # The sessions were last used a while ago, so that each page extends its session.
    session[access.LAST_USED_AT] -= 2 * access.REFRESH_INTERVAL
    session.save()
    proof = {"user": colleague.pk, "proof": colleague.get_session_auth_hash()}
    proved[access.PASSWORD_CHECK] = proof | {"at": now.timestamp()}
    proved.save()
    return things | {
        "name": "pause",
        "own": _shown(callers["customer"]),
        "staff": _shown(callers["staff who write"]),
        "key": {"Authorization": f"Bearer {key}"},
        "noor": {conf.SESSION_COOKIE_NAME: noor.cookies[conf.SESSION_COOKIE_NAME].value},
        "lin": {conf.SESSION_COOKIE_NAME: lin.cookies[conf.SESSION_COOKIE_NAME].value},
        "handle": code.handle,
        "code": code.code,
        "pending": pending.session_key,
        "half": {conf.SESSION_COOKIE_NAME: proved.session_key},
        "app": lambda: staff_sign_in.totp(secret, timezone.now()),
    }


def _shown(client: Client) -> dict[str, str]:
    token = client.defaults["HTTP_X_SESSION_TOKEN"]
    return {"X-Session-Token": token}


class Bench:
    """A helper that sends requests with and without cuts, and compares responses and rows."""

    def __init__(self, monkeypatch, admin) -> None:
        self.site = cut.Site()
        self.cutter = cut.Cutter(monkeypatch, admin)
        self.rows = cut.Rows(admin)

    def whole(self, call: Call) -> cut.Reply:
        """Send the request uncut, from the saved rows."""
        self.rows.put_back()
        return self.cut(call, 0)

    def cut(self, call: Call, number: int) -> cut.Reply:
        with self.cutter.before(number):
            return self.site.send(call)


@pytest.fixture
def bench(call_values, monkeypatch) -> Iterator[Bench]:
    with cut.connect() as admin:
        table = Bench(monkeypatch, admin)
        try:
            yield table
        finally:
            table.rows.forget()


def _is_away(reply: cut.Reply) -> bool:
    return reply.status == 503 and reply.headers.get("Retry-After", "").isdigit()


def _few(number_of_steps: int, *, writes: bool, last_commit: int) -> list[int]:
    """Return the steps to cut before; for a write, those around its last commit."""
    if size.IS_LONG:
        return list(range(1, number_of_steps + 1))
    if writes:
        return sorted({1, last_commit, *range(last_commit + 1, number_of_steps + 1)} - {0})
    return [number_of_steps] if number_of_steps else []


def _cuts(bench: Bench, *, writes: bool) -> list[int]:
    steps = bench.cutter.steps
    commits = [number for number, text in enumerate(steps, 1) if text == "commit"]
    return _few(len(steps), writes=writes, last_commit=commits[-1] if commits else 0)


def _is_sampled(name: str) -> bool:
    """Return half of the admin pages and API reads, because they are built in the same way."""
    return not name.startswith(("admin", "api api/")) or crc32(name.encode()) % 2 == 0


@pytest.mark.parametrize("family", ["portal", "console", "api", "admin", "other"])
def test_cut_read_answers_503_and_the_next_one_succeeds(bench, call_values, family, subtests):
    for name, call in cut_calls.reads(call_values):
        if not name.startswith(family) or not (size.IS_LONG or _is_sampled(name)):
            continue
        whole = bench.cut(call, 0)
        for number in _cuts(bench, writes=False):
            with subtests.test(name, cut_before=number):
                cut_reply, again = bench.cut(call, number), bench.cut(call, 0)

                # A step that used a cache this time cannot be cut.
                assert _is_away(cut_reply) or not bench.cutter.steps[number - 1 :]
                assert again.status == whole.status < 500


WRITES = {
    "api": cut_calls.api_writes,
    "wire": cut_calls.wire_writes,
    "pages": cut_calls.page_writes,
    "login": cut_calls.login_writes,
}
# Also cut in `make test`: one request of each family, and those with most writes.
QUICK = {
    "api PUT api/me/consents/<str:purpose>/",
    "api POST api/me/orders/",
    "api PATCH api/me/orders/<number:number>/",
    "api POST api/me/stream-ticket/",
    "wire batch",
    "wire track",
    "phone call",
    "store scan",
    "webhook",
    "sms inbound",
    "unsubscribe",
    "portal preferences",
    "console wishes",
    "console cancel",
    "admin add",
    "api prove",
    "headless prove",
    "portal prove",
    "console prove",
}


@pytest.mark.parametrize("family", WRITES)
def test_cut_write_denies_nothing_and_has_one_effect_when_sent_again(
    bench, call_values, family, subtests
):
    for name, call in WRITES[family](call_values):
        if not size.IS_LONG and name not in QUICK:
            continue
        whole = bench.whole(call)
        after = bench.rows.counts()
        assert whole.status < 500, (name, whole.body[:300])
        for number in _cuts(bench, writes=True):
            with subtests.test(name, cut_before=number):
                bench.rows.put_back()
                reply, effect = bench.cut(call, number), bench.rows.counts()
                if reply.status == whole.status:
                    assert _changed(effect, after) == {}
                    continue
                assert _is_away(reply), (reply.status, reply.body[:300])
                assert conf.SESSION_COOKIE_NAME not in reply.headers.get("Set-Cookie", "")
                again = bench.cut(call, 0)

                assert again.status == whole.status
                assert _changed(bench.rows.counts(), after) == {}


# Tries are counted even if the request fails.
UNCOUNTED = {"customers_attemptcount"}


def _changed(counts: dict[str, int], expected: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {
        table: (count, expected[table])
        for table, count in counts.items()
        if count != expected[table] and table not in UNCOUNTED
    }


@pytest.mark.parametrize("debug", [False, True], ids=["production", "development"])
def test_cut_before_the_session_is_saved_leaves_success_standing(
    bench, call_values, settings, debug
):
    """Django would answer 400 after the commit, or 500 with its debug page."""
    settings.DEBUG = debug
    call = dict(cut_calls.page_writes(call_values))["admin add"]
    bench.whole(call)
    steps = bench.cutter.steps
    save = next(n for n, text in enumerate(steps, 1) if text.startswith('UPDATE "django_session"'))
    bench.rows.put_back()

    assert bench.cut(call, save).status == 302


def test_look_whose_statement_was_cut_is_noted_when_it_is_sent_again(bench, call_values):
    """A process that remembers an unstored access would not log it again for ten minutes."""
    call = dict(cut_calls.reads(call_values))["api by key"]
    bench.whole(call)
    noted = next(
        n for n, text in enumerate(bench.cutter.steps, 1) if "customers_accesslogentry" in text
    )
    bench.rows.put_back()
    access_log._recent.clear()

    with bench.cutter.before(noted):
        assert bench.site.send(call, forgets_looks=False).status == 503
    assert bench.site.send(call, forgets_looks=False).status == 200

    assert AccessLogEntry.objects.count() == 1


def test_pool_whose_connections_were_all_cut_fails_no_request(bench, call_values):
    """A restart of Postgres leaves many closed connections in the pool."""
    call = dict(cut_calls.reads(call_values))["api by key"]
    bench.whole(call)
    connection.close()
    pool = connection.pool
    for idle in [pool.getconn() for _ in range(pool.max_size)]:
        bench.cutter.end_backend(idle)
        pool.putconn(idle)

    assert {bench.cut(call, 0).status for _ in range(2 * pool.max_size)} == {200}


def test_no_code_of_ours_runs_statements_beside_the_runner():
    """Raw cursors raise errors of psycopg, which must become 503 too."""
    raw = re.compile(r"\bCursor\(|connection\.connection\b|\.copy\([^)]|(?<!db)\.pipeline\(")
    modules = [path for path in files("*.py") if path.parts[0] in (*APPS, "config")]
    beside = {str(path) for path in modules if raw.search((ROOT / path).read_text())}

    assert beside == {"customers/db/__init__.py"}
