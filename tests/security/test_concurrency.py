"""Two do the same thing in the same moment: one of them did it, and nobody did it twice.

Orders by REST with one Idempotency-Key: tests/customers/api/test_orders.py. Sends against
withdrawals: tests/channels/test_deliveries.py and `make chaos`. Codes: test_staff_sessions.py.
"""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from butler.actions import automation_versions, staff_tasks
from butler.actions.automation_versions import InvalidTransition, Operator
from butler.models import Automation, AutomationVersion, StaffTask
from customers.consent import hash_chain
from customers.consent.state import State
from customers.models import ConsentState, Event, LedgerEntry, Order, User
from tests import factories, staff
from tests.butler.messages.test_render import document
from tests.customers import consent_helpers

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


IRIS = 77


def drafted() -> AutomationVersion:
    automation = Automation.objects.create(key="reminder", created_at=timezone.now())
    return AutomationVersion.objects.create(
        automation=automation,
        number=1,
        status="draft",
        document=msgspec.to_builtins(document()),
        loaded_by="Iris",
        loaded_by_login=IRIS,
        created_at=timezone.now(),
    )


def together(*calls):
    """Call these at once, each on a connection of its own; return answers and errors in order."""
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait(10)
        try:
            return call()
        except Exception as error:  # noqa: BLE001  what it was is what the test asks
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_concurrent_consent_answers_end_as_the_ledger_says():
    consent_helpers.house()
    noor = factories.customer(("email", "noor@example.com"))
    user = User.objects.create_user("noor@example.com", record=noor)
    clients = []
    for _ in range(6):
        client = Client()
        client.force_login(user)
        clients.append(client)
    shown = {"purpose": "offers", "notice": consent_helpers.NOTICE, "language": "en"}

    answers = together(
        *(
            lambda client=client, answer=("yes", "no")[n % 2]: client.post(
                "/preferences/consent/", {**shown, "answer": answer}
            )
            for n, client in enumerate(clients)
        )
    )

    assert [answer.status_code for answer in answers] == [302] * 6
    entries = list(LedgerEntry.objects.filter(record=noor).order_by("seq"))
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    for before, entry in pairwise(entries):
        assert bytes(entry.previous) == bytes(before.digest)
        assert hash_chain.chain_digest(bytes(before.digest), entry.document.encode()) == bytes(
            entry.digest
        )
    state = msgspec.convert(ConsentState.objects.get(pk=noor.pk).state, State)
    last = [entry for entry in entries if entry.kind.startswith("consent.")][-1]
    assert (state.consents["offers"].state == "given") == (last.kind == "consent.given")
    versions = list(Event.objects.filter(customer=noor).values_list("version", flat=True))
    assert sorted(versions) == list(range(1, len(versions) + 1))


def test_concurrent_approvals_approve_a_version_once():
    now = timezone.now()
    version = drafted()

    outcomes = together(
        *(
            lambda by=by: automation_versions.approve(version, by, now)
            for by in (Operator("Lin", 1), Operator("Max", 2), Operator("Ann", 3))
        )
    )

    approved = [outcome for outcome in outcomes if isinstance(outcome, AutomationVersion)]
    assert len(approved) == 1
    assert sum(isinstance(outcome, InvalidTransition) for outcome in outcomes) == 2
    version.refresh_from_db()
    assert version.approved_by == approved[0].approved_by


@pytest.mark.parametrize("name", ["Iris", "Somebody Else", ""])
def test_author_cannot_approve_under_another_name(name):
    with pytest.raises(InvalidTransition):
        automation_versions.approve(drafted(), Operator(name, IRIS), timezone.now())


def test_approval_without_a_login_is_refused():
    with pytest.raises(InvalidTransition):
        automation_versions.approve(drafted(), Operator("Lin"), timezone.now())


def test_concurrent_takers_of_a_task_get_one_owner():
    noor = factories.customer(("email", "noor@example.com"))
    task = staff_tasks.create(
        key="t", kind="phone", customer_id=noor.pk, title="x", body="", due_at=timezone.now()
    )
    people = [staff.let_in(Client(), staff.colleague("desk", name)) for name in "ABCDE"]

    together(
        *(
            lambda browser=browser: browser.post(f"/console/tasks/{task}/take/")
            for browser in people
        )
    )
    taken_by = StaffTask.objects.get(pk=task).taken_by
    together(
        *(
            lambda browser=browser: browser.post(
                f"/console/tasks/{task}/finish/", {"outcome": "reached"}
            )
            for browser in people
        )
    )

    task_after = StaffTask.objects.get(pk=task)
    assert taken_by
    assert task_after.taken_by == taken_by
    assert Event.objects.filter(name="Task Done").count() == 1


def test_order_form_submitted_concurrently_creates_one_order():
    noor = factories.customer(("email", "noor@example.com"), first_name="Noor")
    sam = staff.colleague("desk")
    browsers = [staff.let_in(Client(), sam) for _ in range(4)]
    path = f"/console/customers/{noor.pk}/new-order/"
    shown = browsers[0].get(path).content.decode()
    form = {
        "key": re.search(r'name="key" value="(\w+)"', shown)[1],
        "name": "Lantern Night",
        "visit_date": "2031-04-18",
        "currency": "EUR",
        "line0_name": "Day ticket",
        "line0_quantity": "2",
        "line0_price": "34.50",
        "place": "yes",
    }

    answers = together(*(lambda browser=browser: browser.post(path, form) for browser in browsers))

    assert Order.objects.count() == 1, [
        getattr(answer, "status_code", answer) for answer in answers
    ]
    assert Event.objects.filter(name="Order Completed").count() == 1
