"""The pool connects again soon after an outage, also after a long one."""

import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg_pool import ConnectionPool, PoolTimeout

from bench.chaos.proxy import Proxy
from customers.actions.sources import create_source
from tests.config import cut
from tests.config.cut import Call
from tests.conftest import _url

pytestmark = pytest.mark.slow


@pytest.mark.django_db
def test_pool_connects_at_once_when_an_outage_of_many_seconds_is_over():
    options = dict(settings.DATABASES["default"]["OPTIONS"]["pool"], min_size=1, max_size=1)
    url = _url(connection.settings_dict)
    with (
        Proxy.in_front_of(url) as proxy,
        ConnectionPool(proxy.proxied_url(url), open=True, **options) as pool,
    ):
        with pool.connection() as good:
            good.execute("SELECT 1")
        with proxy.outage():
            with pytest.raises((PoolTimeout, psycopg.OperationalError)), pool.connection() as cut:
                cut.execute("SELECT 1")
            # With doubled waiting times, attempts come after 1, 3, 7 and 15 seconds.
            time.sleep(9)

        healed_at = time.monotonic()
        with pool.connection() as recovered:
            recovered.execute("SELECT 1")
        assert time.monotonic() - healed_at < options["timeout"]


WRITES = (
    Call("POST", "/v1/track", b'{"userId":"noor","event":"Ride Entered"}'),
    Call("POST", "/api/sign-in/", b'{"email":"noor@example.com"}'),
    Call("POST", "/api/topics/ride:kestrel/", b'{"status":"down"}'),
)


@pytest.mark.django_db(transaction=True)
def test_writes_on_a_server_that_only_reads_answer_503_until_it_writes_again():
    """A primary that became a standby keeps its connections, and refuses each write."""
    _, key = create_source(
        name="desk", channel="phone", is_secret=True, scopes=("ingest", "read", "identify")
    )
    headers = {"Authorization": f"Bearer {key}"}
    site = cut.Site()
    name = connection.settings_dict["NAME"]

    with cut.connect() as admin:
        admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        try:
            connection.close_pool()
            replies = [site.send(call._replace(headers=headers)) for call in WRITES]
            health = site.send(Call("GET", "/readyz"))
        finally:
            admin.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    again = [site.send(call._replace(headers=headers)) for call in WRITES]

    assert [reply.status for reply in replies] == [503] * len(WRITES)
    assert all(reply.headers["Retry-After"].isdigit() for reply in replies)
    assert health.status == 503
    assert b"read-only" in health.body
    assert {reply.status for reply in again} <= {200, 201, 202}
