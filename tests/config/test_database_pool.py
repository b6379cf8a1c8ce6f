"""The pool connects again soon after an outage, also after a long one."""

import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg_pool import ConnectionPool, PoolTimeout

from bench.chaos.proxy import Proxy
from tests.conftest import _url

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


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
