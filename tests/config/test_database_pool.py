"""The pool connects again soon after an outage, also after a long one."""

import time
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from psycopg_pool import ConnectionPool, PoolTimeout

from bench.chaos.proxy import Proxy
from customers.actions.sources import create_source
from tests import size
from tests.config import cut
from tests.config.cut import Call
from tests.conftest import database_url

pytestmark = pytest.mark.slow


@pytest.mark.long
@pytest.mark.django_db
def test_pool_connects_at_once_when_an_outage_of_many_seconds_is_over():
    options = dict(settings.DATABASES["default"]["OPTIONS"]["pool"], min_size=1, max_size=1)
    url = database_url(connection.settings_dict)
    with (
        Proxy.in_front_of(url) as proxy,
        ConnectionPool(proxy.proxied_url(url), open=True, **options) as pool,
    ):
        with pool.connection() as good:
            good.execute("SELECT 1")
        with proxy.outage():
            with pytest.raises((PoolTimeout, psycopg.OperationalError)), pool.connection() as cut:
                cut.execute("SELECT 1")
            # With doubled waiting times, attempts come after 1, 3, 7 and 15 seconds. The outage
            # ends long before the third one, or the fourth one.
            time.sleep(size.examples(0.4, long=9))

        # The pool raises PoolTimeout after `options["timeout"]`.
        with pool.connection() as recovered:
            recovered.execute("SELECT 1")


WRITES = (
    Call("POST", "/v1/track", b'{"userId":"noor","event":"Ride Entered"}'),
    Call("POST", "/api/sign-in/", b'{"email":"noor@example.com"}'),
    Call("POST", "/api/topics/ride:kestrel/", b'{"status":"down"}'),
)


@pytest.fixture
def site(transactional_db) -> Iterator[cut.Site]:
    """The application, with a pool that no other test uses."""
    connection.close()
    connection.close_pool()
    yield cut.Site()
    connection.close()
    connection.close_pool()


@pytest.fixture
def writes(transactional_db) -> list[Call]:
    _, key = create_source(
        name="desk", channel="phone", is_secret=True, scopes=("ingest", "read", "identify")
    )
    return [call._replace(headers={"Authorization": f"Bearer {key}"}) for call in WRITES]


def _make_pooled_connections_read_only() -> None:
    connection.ensure_connection()
    connection.close()
    pool = connection.pool
    for pooled in [pool.getconn() for _ in range(pool.max_size)]:
        pooled.execute("SET default_transaction_read_only = on")
        pooled.commit()
        pool.putconn(pooled)


@pytest.mark.parametrize("number", range(len(WRITES)))
def test_write_on_a_connection_that_only_reads_answers_503_and_the_next_one_succeeds(
    site, writes, number
):
    """A primary that became a standby keeps its connections, and refuses each write."""
    _make_pooled_connections_read_only()

    first, second = site.send(writes[number]), site.send(writes[number])

    assert first.status == 503, first
    assert first.headers["Retry-After"].isdigit()
    assert second.status in (200, 202)


def test_page_that_saves_its_session_leaves_a_server_that_only_reads(site):
    """Django hides the refused write behind an ended session."""
    session = SessionStore()
    session["sign_in_request"] = "handle"
    session.save()
    _make_pooled_connections_read_only()
    call = Call(
        "POST",
        "/sign-in/",
        b"email=noor%40example.com",
        content_type="application/x-www-form-urlencoded",
        cookies={settings.SESSION_COOKIE_NAME: session.session_key},
    )

    first, second = site.send(call), site.send(call)

    assert first.status == 503
    assert second.status in (200, 302)


def test_server_that_only_reads_is_unavailable_until_it_writes_again(site, writes):
    name = connection.settings_dict["NAME"]
    with cut.connect() as admin:
        admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        try:
            connection.close_pool()
            replies = [site.send(call) for call in [*writes, Call("GET", "/readyz")]]
        finally:
            admin.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    deadline = time.monotonic() + 60
    while site.send(writes[0]).status == 503:
        assert time.monotonic() < deadline

    assert [reply.status for reply in replies] == [503] * 4
    assert all(reply.headers["Retry-After"].isdigit() for reply in replies)
