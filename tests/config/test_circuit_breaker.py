import psycopg
import psycopg_pool
import pytest
from django.db import OperationalError

from config.circuit_breaker import CircuitBreaker, is_database_timeout


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(reset_timeout=1.0, clock=clock)


def test_closed_breaker_allows_every_request(breaker):
    assert all(breaker.allows_request() for _ in range(3))
    assert not breaker.is_open


def test_open_breaker_refuses_requests_during_the_pause(breaker, clock):
    breaker.open()

    assert not breaker.allows_request()
    clock.now = 0.9
    assert not breaker.allows_request()


def test_after_the_pause_one_request_is_allowed(breaker, clock):
    breaker.open()
    clock.now = 1.1

    assert [breaker.allows_request() for _ in range(3)] == [True, False, False]


def test_successful_request_closes_the_breaker(breaker, clock):
    breaker.open()
    clock.now = 1.1
    breaker.allows_request()

    breaker.close()

    assert all(breaker.allows_request() for _ in range(3))


def caused_by(cause):
    error = OperationalError()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "waited"),
    [
        pytest.param(psycopg_pool.PoolTimeout(), True, id="no-connection-in-time"),
        pytest.param(caused_by(psycopg_pool.PoolTimeout()), True, id="as-django-says-it"),
        pytest.param(caused_by(caused_by(psycopg_pool.PoolTimeout())), True, id="deeper"),
        pytest.param(caused_by(psycopg.OperationalError()), False, id="connection-cut"),
        pytest.param(caused_by(psycopg.errors.QueryCanceled()), False, id="took-too-long"),
        pytest.param(caused_by(psycopg.errors.DiskFull()), False, id="disk-full"),
    ],
)
def test_only_timeouts_count_as_database_timeouts(error, waited):
    """Otherwise one slow page or one cut connection would make all requests fail."""
    assert is_database_timeout(error) is waited
