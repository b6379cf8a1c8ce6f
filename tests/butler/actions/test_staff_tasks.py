import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from butler.actions import staff_tasks
from butler.models import StaffTask
from butler.queries import tasks as queries
from customers.models import Customer, Event, User
from tests import factories
from tests.factories import NOON


def _ask(customer_id: uuid.UUID, key: str = "message:1", **fields) -> uuid.UUID:
    return staff_tasks.create(
        key=key,
        kind="phone",
        customer_id=customer_id,
        title="Call Noor about Lantern Night",
        body="The show begins an hour later.",
        due_at=fields.pop("due_at", NOON + timedelta(hours=1)),
        **fields,
    )


@pytest.fixture
def noor(db) -> Customer:
    return factories.customer(("email", "noor@example.com"), name="Noor de Wit")


def test_task_created_twice_with_one_key_is_one_task(noor):
    first, second = _ask(noor.id), _ask(noor.id)

    assert first == second
    assert StaffTask.objects.count() == 1


def test_taken_task_cannot_be_taken_by_a_colleague(noor):
    task = _ask(noor.id)
    staff_tasks.take(task_id=task, by="user:1", now=NOON)

    with pytest.raises(staff_tasks.AlreadyTaken):
        staff_tasks.take(task_id=task, by="user:2", now=NOON)
    with pytest.raises(staff_tasks.AlreadyTaken):
        staff_tasks.finish(
            task_id=task, by="user:2", actor="staff:Lin", outcome="reached", now=NOON
        )
    with pytest.raises(staff_tasks.AlreadyTaken):
        staff_tasks.give_back(task_id=task, by="user:2")


def test_taking_the_own_task_again_keeps_it(noor):
    task = _ask(noor.id)
    staff_tasks.take(task_id=task, by="user:1", now=NOON)

    assert staff_tasks.take(task_id=task, by="user:1", now=NOON).taken_by == "user:1"


def test_released_task_can_be_taken_by_a_colleague(noor):
    task = _ask(noor.id)
    staff_tasks.take(task_id=task, by="user:1", now=NOON)
    staff_tasks.give_back(task_id=task, by="user:1")

    assert staff_tasks.take(task_id=task, by="user:2", now=NOON).taken_by == "user:2"


def test_finished_task_appends_an_event_to_the_log(noor):
    task = _ask(noor.id)

    staff_tasks.finish(
        task_id=task, by="user:1", actor="staff:Sam", outcome="reached", note="Glad.", now=NOON
    )

    event = Event.objects.filter(customer_id=noor.id).latest("version")
    noor.refresh_from_db()
    assert (event.name, event.about, event.actor) == ("Task Done", f"task:{task}", "staff:Sam")
    assert event.body["properties"]["outcome"] == "reached"
    assert event.version == noor.version


def test_finished_task_cannot_be_finished_again(noor):
    task = _ask(noor.id)
    completion = {"task_id": task, "by": "user:1", "actor": "staff:Sam", "outcome": "dropped"}
    staff_tasks.finish(**completion, now=NOON)

    with pytest.raises(staff_tasks.AlreadyFinished):
        staff_tasks.finish(**completion, now=NOON)
    assert Event.objects.filter(customer_id=noor.id, name="Task Done").count() == 1


def test_task_of_a_merged_record_belongs_to_the_live_record(noor):
    sem = factories.customer(("email", "sem@example.com"), name="Sem")
    task = _ask(sem.id)
    Customer.objects.filter(pk=sem.id).update(canonical=noor)

    staff_tasks.finish(task_id=task, by="user:1", actor="staff:Sam", outcome="reached", now=NOON)

    assert Event.objects.get(name="Task Done").customer_id == noor.id


def test_finish_of_an_unknown_task_is_refused(db):
    with pytest.raises(staff_tasks.NoSuchTask):
        staff_tasks.finish(
            task_id=uuid.uuid4(), by="user:1", actor="staff:Sam", outcome="reached", now=NOON
        )


def test_own_tasks_come_first_then_the_earliest_due(noor):
    sam = User.objects.create_user("sam@staff.example.com", is_staff=True, name="Sam")
    late = _ask(noor.id, "late", due_at=NOON + timedelta(hours=5))
    soon = _ask(noor.id, "soon", due_at=NOON + timedelta(hours=1))
    mine = _ask(noor.id, "mine", due_at=NOON + timedelta(hours=9))
    staff_tasks.take(task_id=mine, by=f"user:{sam.pk}", now=NOON)

    tasks = queries.open_tasks(by=f"user:{sam.pk}")
    shorter = queries.open_tasks(by=f"user:{sam.pk}", limit=2)

    assert [task.id for task in tasks] == [mine, soon, late]
    assert [task.id for task in shorter] == [mine, soon]
    assert tasks[0].taken_by == "Sam"
    assert {task.customer_name for task in tasks} == {"Noor de Wit"}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_concurrent_takes_of_a_task_give_it_to_one_colleague():
    noor = factories.customer(("email", "noor@example.com"))
    task_ids = [_ask(noor.id, f"message:{number}") for number in range(20)]

    def reach(by: str) -> int:
        taken_count = 0
        try:
            for task_id in task_ids:
                try:
                    staff_tasks.take(task_id=task_id, by=by, now=NOON)
                    taken_count += 1
                except staff_tasks.AlreadyTaken:
                    pass
        finally:
            connection.close()
        return taken_count

    with ThreadPoolExecutor(4) as people:
        taken_count = sum(people.map(reach, [f"user:{number}" for number in range(4)]))

    assert taken_count == 20
    assert StaffTask.objects.exclude(taken_by="").count() == 20
