from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection

from butler import duties
from butler.actions import tick as actions
from butler.models import Due
from tests.factories import NOON

LATER = NOON + timedelta(hours=2)


@pytest.fixture
def done(monkeypatch):
    """A duty that notes what it was asked to do."""
    seen = []
    monkeypatch.setitem(duties.DUTIES, "note", lambda task, now: seen.append(task.key))
    return seen


def due(key, **fields):
    return Due.objects.create(duty=fields.pop("duty", "note"), key=key, due_at=NOON, **fields)


@pytest.mark.django_db
def test_what_is_due_is_done_once(done):
    due("a")

    actions.tick(now=NOON)
    actions.tick(now=LATER)

    assert done == ["a"]


@pytest.mark.django_db
def test_what_is_not_due_yet_waits(done):
    due("a")

    actions.tick(now=NOON - timedelta(seconds=1))

    assert done == []


@pytest.mark.django_db
def test_a_claim_of_a_tick_that_died_lapses(done):
    due("a")
    actions.claim(now=NOON)

    actions.tick(now=NOON + timedelta(seconds=1))
    assert done == []
    actions.tick(now=NOON + actions.CLAIM + timedelta(seconds=1))

    assert done == ["a"]


@pytest.mark.django_db
def test_a_duty_that_fails_blocks_no_other_and_is_given_up_with_its_reason(done, monkeypatch):
    def fail(task, now):
        raise ValueError

    monkeypatch.setitem(duties.DUTIES, "fail", fail)
    poison = due("p", duty="fail")
    due("a")

    for hour in range(24):
        actions.tick(now=NOON + timedelta(hours=hour))

    poison.refresh_from_db()
    assert done == ["a"]
    assert poison.failed_reason == "ValueError"
    assert poison.attempts == actions.ATTEMPTS


@pytest.mark.django_db
def test_housekeeping_comes_back_by_itself():
    actions.tick(now=NOON)

    standing = Due.objects.get(duty="forget_answers")

    assert standing.done_at is None
    assert standing.due_at > NOON


@pytest.mark.django_db(transaction=True)
def test_ten_tickers_at_once_do_each_thing_once(done):
    Due.objects.bulk_create(Due(duty="note", key=str(n), due_at=NOON) for n in range(500))

    def tick():
        try:
            actions.tick(now=NOON)
        finally:
            connection.close()

    tickers = [Thread(target=tick) for _ in range(10)]
    for ticker in tickers:
        ticker.start()
    for ticker in tickers:
        ticker.join()

    assert sorted(done, key=int) == [str(n) for n in range(500)]
