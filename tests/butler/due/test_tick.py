from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction

from butler.due import jobs, queue
from butler.due import tick as actions
from butler.due.queue import Reschedule
from butler.models import Due
from tests.factories import NOON

LATER = NOON + timedelta(hours=2)


@pytest.fixture
def noted_keys(monkeypatch):
    """Register a job that records its calls."""
    keys = []
    monkeypatch.setitem(jobs.JOBS, "note", lambda task, now: keys.append(task.key))
    return keys


def due(key, **fields):
    return Due.objects.create(job=fields.pop("job", "note"), key=key, due_at=NOON, **fields)


@pytest.mark.django_db
def test_due_job_runs_once(noted_keys):
    due("a")

    actions.tick(now=NOON)
    actions.tick(now=LATER)

    assert noted_keys == ["a"]


@pytest.mark.django_db
def test_finished_job_deletes_its_row(noted_keys):
    due("a")

    actions.tick(now=NOON)

    assert not Due.objects.filter(job="note").exists()


@pytest.mark.django_db
def test_job_does_not_run_before_its_time(noted_keys):
    due("a")

    actions.tick(now=NOON - timedelta(seconds=1))

    assert noted_keys == []


@pytest.mark.django_db
def test_claim_takes_the_longest_due_rows_up_to_its_limit():
    for minutes in (1, 3, 2):
        Due.objects.create(job="note", key=str(minutes), due_at=NOON - timedelta(minutes=minutes))

    claims = [[claimed_due.key for claimed_due in queue.claim(now=NOON, limit=2)] for _ in range(2)]

    assert [sorted(keys) for keys in claims] == [["2", "3"], ["1"]]


@pytest.mark.django_db(transaction=True)
def test_claim_skips_locked_rows():
    locked, free = due("held"), due("free")
    claimed_ids = []

    def take():
        claimed_ids.extend(claimed_due.id for claimed_due in queue.claim(now=NOON))
        connection.close()

    with transaction.atomic():
        Due.objects.select_for_update().get(id=locked.id)
        thread = Thread(target=take)
        thread.start()
        thread.join()

    assert claimed_ids == [free.id]


@pytest.mark.django_db
def test_claim_of_a_dead_tick_expires(noted_keys):
    due("a")
    queue.claim(now=NOON)

    actions.tick(now=NOON + timedelta(seconds=1))
    assert noted_keys == []
    actions.tick(now=NOON + queue.CLAIM + timedelta(seconds=1))

    assert noted_keys == ["a"]


@pytest.mark.django_db
def test_failing_job_blocks_no_other_and_is_given_up_with_its_reason(noted_keys, monkeypatch):
    def fail(task, now):
        raise ValueError

    monkeypatch.setitem(jobs.JOBS, "fail", fail)
    poison = due("p", job="fail")
    due("a")

    for hour in range(24):
        actions.tick(now=NOON + timedelta(hours=hour))

    poison.refresh_from_db()
    assert noted_keys == ["a"]
    assert poison.failed_reason == "ValueError"
    assert poison.attempts == actions.ATTEMPTS


@pytest.mark.django_db
def test_rescheduled_job_gets_its_new_parameters(monkeypatch):
    def count(task, now):
        so_far = task.parameters.get("n", 0) + 1
        return Reschedule(now, {"n": so_far}) if so_far < 3 else None

    monkeypatch.setitem(jobs.JOBS, "count", count)
    due("a", job="count")

    noted_keys = actions.tick(now=NOON)

    assert noted_keys.succeeded >= 3
    assert not Due.objects.filter(job="count").exists()


@pytest.mark.django_db
def test_job_does_not_run_after_its_claim_expired(noted_keys):
    due("a")
    (stale,) = queue.claim(now=NOON)
    later = NOON + queue.CLAIM + timedelta(seconds=1)
    queue.claim(now=later)

    actions._run_one(stale, now=later)

    assert noted_keys == []


@pytest.mark.django_db
def test_tick_ends_after_its_seconds(monkeypatch):
    """A job that is due again at once would otherwise occupy the worker without end."""
    monkeypatch.setitem(jobs.JOBS, "again", lambda task, now: now)
    due("a", job="again")

    counts = actions.tick(now=NOON, seconds=0.2)

    assert counts.succeeded > 1
    assert Due.objects.get(job="again").key == "a"


@pytest.fixture
def batch(monkeypatch):
    """A job that takes whole batches, and fails where one of its tasks is called poison."""
    batches = []

    def do(tasks, now):
        keys = [task.key for task in tasks]
        batches.append(keys)
        if "poison" in keys:
            raise ValueError
        Due.objects.filter(id__in=[task.id for task in tasks]).delete()

    monkeypatch.setitem(jobs.BATCH_JOBS, "batch", do)
    return batches


@pytest.mark.django_db
def test_batch_job_gets_all_its_rows_in_one_call(batch):
    for key in "abc":
        due(key, job="batch")

    actions.tick(now=NOON)

    assert [sorted(keys) for keys in batch] == [["a", "b", "c"]]


@pytest.mark.django_db
def test_failing_row_of_a_batch_job_fails_alone(batch):
    for key in ("a", "poison", "b"):
        due(key, job="batch")

    counts = actions.tick(now=NOON)

    assert counts.failed == 1
    assert [row.key for row in Due.objects.filter(job="batch")] == ["poison"]
    assert Due.objects.get(job="batch").failed_reason == "ValueError"


@pytest.mark.django_db
def test_recurring_job_reschedules_itself():
    actions.tick(now=NOON)

    due = Due.objects.get(job="forget_answers")

    assert due.claimed_until is None
    assert due.due_at > NOON


@pytest.mark.django_db(transaction=True)
def test_ten_concurrent_ticks_run_each_job_once(noted_keys):
    Due.objects.bulk_create(Due(job="note", key=str(n), due_at=NOON) for n in range(500))

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

    assert sorted(noted_keys, key=int) == [str(n) for n in range(500)]
