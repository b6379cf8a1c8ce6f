import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from butler.actions import automation_versions, automations, staff_tasks
from butler.models import Automation, PauseSwitch, StaffTask
from customers.models import AccessLogEntry, Customer, Merge, Review
from tests import factories, staff
from tests.butler.automation_files import PURPOSES, TOPICS, file
from tests.channels.console.acting import ADDRESS, order, page_of
from tests.markup import tidy

pytestmark = pytest.mark.django_db

# The customer's page ------------------------------------------------------------------


def test_the_person_comes_first(desk, noor):
    order()
    page = page_of(desk, f"customers/{noor.id}/")

    for text in ("Noor de Wit", "Dutch", "<bdi>Sem</bdi>(", "Lantern Night", "noor@example.com"):
        assert text in tidy(page)
    assert "Messages allowed now" in page


def test_till_sees_only_name_and_visit(client, noor):
    order()
    till = staff.let_in(client, staff.colleague("till", "Iris"))

    page = page_of(till, f"customers/{noor.id}/")

    assert "Noor de Wit" in page
    assert "LK-1" in page
    for hidden in ("noor@example.com", "Timeline", "Messages allowed now", "81.50", "Sem"):
        assert hidden not in page


def test_marketer_sees_permissions_and_no_orders(client, noor):
    order()
    marketer = staff.let_in(client, staff.colleague("marketer", "Mika"))

    page = page_of(marketer, f"customers/{noor.id}/")

    assert "Messages allowed now" in page
    for hidden in ("noor@example.com", "Timeline", "LK-1<", "81.50"):
        assert hidden not in page


def test_merged_record_redirects_to_the_canonical_one(desk, noor):
    factories.record(factories.incoming_event(("user_id", "u-1")))
    factories.record(factories.identify(("user_id", "u-1"), ADDRESS))
    joined_record = Customer.objects.get(canonical__isnull=False)

    assert "Noor de Wit" in page_of(desk, f"customers/{joined_record.id}/")


def test_every_access_is_logged_with_actor_and_reason(desk, noor):
    page_of(desk, f"customers/{noor.id}/?for=call")
    # An automatic request of the open page makes no access log entry.
    page_of(desk, f"customers/{noor.id}/?parts")
    page_of(desk, "search/?q=noor")

    looks = AccessLogEntry.objects.filter(customer_id=noor.id).order_by("id")
    assert [(look.actor, look.role, look.what, look.reason) for look in looks] == [
        ("staff:Sam", "desk", "page", "call"),
        ("staff:Sam", "desk", "search", ""),
    ]


def test_access_log_shows_the_privacy_officer_who_opened_the_record(client, desk, noor):
    page_of(desk, f"customers/{noor.id}/?for=call")
    pia = staff.let_in(Client(), staff.colleague("privacy officer", "Pia"))

    page = page_of(pia, f"customers/{noor.id}/access-log/")

    assert ">Sam</td>" in page
    assert "call" in page


def test_customer_page_takes_a_constant_number_of_statements(desk, noor):
    path = f"/console/customers/{noor.id}/?parts"
    desk.get(path)
    with CaptureQueriesContext(connection) as little:
        desk.get(path)
    for number in range(15):
        order(f"LK-{number}")
        staff_tasks.create(
            key=f"t{number}",
            kind="phone",
            customer_id=noor.id,
            title="Call",
            body="",
            due_at=timezone.now(),
        )
    with CaptureQueriesContext(connection) as much:
        desk.get(path)

    assert len(much) <= len(little) + 4
    assert len(much) < 30


def test_search_takes_a_constant_number_of_statements(desk):
    for number in range(20):
        factories.customer(("user_id", f"u-{number}"), name=f"Noor Jansen {number}")
    desk.get("/console/search/?q=xx")
    with CaptureQueriesContext(connection) as many:
        desk.get("/console/search/?q=noor")

    assert len(many) < 14
    assert AccessLogEntry.objects.filter(what="search").count() == 20


def test_api_read_of_another_record_is_logged(noor):
    sam = staff.let_in(Client(), staff.colleague("desk"))

    sam.get(f"/api/customers/{noor.id}/orders/")

    [look] = AccessLogEntry.objects.filter(customer_id=noor.id)
    assert (look.actor, look.what) == ("staff:Sam", "orders")


def test_home_says_what_is_there_for_somebody_where_nothing_waits(client):
    till = staff.let_in(Client(), staff.colleague("till", "Iris"))
    nobody = staff.let_in(client, staff.colleague(name="Bo"))

    assert "Find a customer above" in page_of(till, "")
    assert "You have no role yet" in page_of(nobody, "")
    assert "Find a customer" not in page_of(nobody, "")


# Tasks, merges, switches -------------------------------------------------------------


def test_a_task_is_taken_and_finished(desk, noor):
    task = staff_tasks.create(
        key="t",
        kind="phone",
        customer_id=noor.id,
        title="Call Noor",
        body="At four.",
        due_at=timezone.now(),
    )
    other = staff.let_in(Client(), staff.colleague("desk", "Lin"))

    desk.post(f"/console/tasks/{task}/take/")
    refused = other.post(f"/console/tasks/{task}/take/", follow=True).content.decode()
    desk.post(f"/console/tasks/{task}/finish/", {"outcome": "reached", "note": "Glad."})

    stored_task = StaffTask.objects.get(pk=task)
    assert "A colleague has taken this task" in refused
    assert (stored_task.outcome, stored_task.note, bool(stored_task.done_at)) == (
        "reached",
        "Glad.",
        True,
    )
    assert "No open tasks." in page_of(desk, "tasks/")


def test_merge_is_accepted_and_undone(desk, noor):
    other = factories.customer(("email", "n.dewit@example.com"), name="N. de Wit")
    review = Review.objects.create(
        kind="suggested_merge", first=noor, second=other, details={"same_name": "de Wit"}
    )
    page = page_of(desk, f"merges/{review.pk}/")
    assert "n.dewit@example.com" in page
    assert "same name" in page

    desk.post(f"/console/merges/{review.pk}/accept/")
    merge = Merge.objects.get(reason="staff")
    assert "Undo merge" in page_of(desk, f"customers/{noor.id}/")
    path = f"/console/customers/{merge.merged_into_id}/merges/{merge.pk}/undo/"
    preview = desk.post(path).content.decode()
    merge.refresh_from_db()
    assert merge.undone_at is None
    assert preview.count('aria-labelledby="before-') == 1
    assert preview.count('aria-labelledby="after-') == 2
    assert "N. de Wit" in preview

    desk.post(path, {"confirm": "yes"})
    merge.refresh_from_db()
    assert merge.undone_at
    assert merge.actor == "staff:Sam"


def test_a_manager_stops_an_automation_and_lets_it_go_on(client):
    automations.load(
        [file()],
        PURPOSES,
        TOPICS,
        now=timezone.now(),
        by=automation_versions.Operator("load_automations"),
    )
    Automation.objects.create(key="offer")
    lin = staff.let_in(client, staff.colleague("manager", "Lin"))
    key = "visit-reminder"

    page = page_of(lin, "switches/")
    assert f'<option value="{key}">Reminder</option>' in page
    assert '<option value="offer">offer</option>' in page
    lin.post("/console/switches/engage/", {"key": key})
    assert not PauseSwitch.objects.exists()
    lin.post("/console/switches/engage/", {"key": key, "reason": "Wrong price"})
    page = page_of(lin, "switches/")
    assert "<strong>Reminder</strong>" in page
    assert "by Lin, " in page
    assert "Wrong price" in page
    # A stopped automation cannot be stopped again, nor a released switch released again.
    assert f'<option value="{key}">' not in page
    assert "Resumed." in lin.post("/console/switches/release/", {"key": key}, follow=True).text
    assert (
        "already resumed" in lin.post("/console/switches/release/", {"key": key}, follow=True).text
    )

    assert "No automation is stopped" in page_of(lin, "switches/")
    assert PauseSwitch.objects.get().released_by == "staff:Lin"


def test_switch_of_an_unknown_automation_is_refused(client):
    lin = staff.let_in(client, staff.colleague("manager", "Lin"))

    response = lin.post("/console/switches/engage/", {"key": "x", "reason": "y"}, follow=True)

    assert "This automation does not exist" in response.text
    assert not PauseSwitch.objects.exists()
