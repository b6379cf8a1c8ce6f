import psycopg
import psycopg_pool
import pytest
from django.db import OperationalError

from config.breaker import Breaker, had_to_wait


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(pause=1.0, clock=clock)


def test_while_things_work_everybody_gets_through(breaker):
    assert all(breaker.lets_through() for _ in range(3))
    assert not breaker.is_open


def test_after_a_failure_nobody_waits_until_the_pause_is_over(breaker, clock):
    breaker.trip()

    assert not breaker.lets_through()
    clock.now = 0.9
    assert not breaker.lets_through()


def test_then_one_looks_and_the_others_do_not_wait_for_it(breaker, clock):
    breaker.trip()
    clock.now = 1.1

    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]


def test_when_it_gets_through_everybody_does(breaker, clock):
    breaker.trip()
    clock.now = 1.1
    breaker.lets_through()

    breaker.close()

    assert all(breaker.lets_through() for _ in range(3))


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
def test_only_waiting_in_vain_turns_others_away(error, waited):
    """Else one slow page, or one cut connection, would turn everybody away."""
    assert had_to_wait(error) is waited
