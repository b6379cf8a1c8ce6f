"""The list of ringing calls, and the record or the choice that a call opens."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from customers.models import AccessLogEntry, Link
from customers.types import CONFIRMED
from tests import factories, staff
from tests.channels.console.acting import page_of

pytestmark = pytest.mark.django_db
NOORS = "+46701740605"


def _call(call: str, number: str, **facts) -> None:
    now = timezone.now()
    factories.record(
        factories.incoming_event(
            ("phone", number),
            name="Call Started",
            about=f"call:{call}",
            at=now,
            properties={"direction": "in", "from": number, **facts},
        ),
        at=now,
    )


def test_call_from_a_known_number_opens_the_customer_page(desk, noor):
    _call("c1", NOORS)

    assert NOORS in page_of(desk, "calls/?parts")
    response = desk.get("/console/calls/call:c1/")

    assert response["Location"] == f"/console/customers/{noor.id}/?for=call+call%3Ac1"


def test_call_from_an_unknown_number_opens_the_search(desk):
    _call("c2", "+46701740699")

    assert "Unknown caller" in page_of(desk, "calls/call:c2/")
    assert not AccessLogEntry.objects.exists()


def test_ended_call_is_not_listed_as_ringing(desk, noor):
    _call("c1", NOORS)
    now = timezone.now()
    factories.record(
        factories.incoming_event(("phone", NOORS), name="Call Ended", about="call:c1", at=now),
        at=now,
    )

    assert "No calls." in page_of(desk, "calls/?parts")


def test_list_names_the_customer_with_the_number_and_logs_it_once(desk, noor):
    _call("c1", NOORS)

    pages = [page_of(desk, "calls/?parts") for _ in range(2)]

    assert all("Noor de Wit" in page for page in pages)
    [look] = AccessLogEntry.objects.filter(customer_id=noor.id)
    assert (look.what, look.reason) == ("search", "call")


def test_list_names_nobody_to_a_colleague_who_may_not_find_customers(noor):
    lin = staff.colleague(name="Lin")
    lin.user_permissions.add(Permission.objects.get(codename="view_interaction"))
    _call("c1", NOORS)

    page = page_of(staff.let_in(Client(), lin), "calls/?parts")

    assert NOORS in page
    assert "Noor" not in page
    assert not AccessLogEntry.objects.exists()


def test_calls_from_one_number_are_one_row(desk, noor):
    for call in ("c1", "c2", "c3"):
        _call(call, NOORS)

    page = page_of(desk, "calls/?parts")

    assert page.count("data-row") == 1
    assert "3 calls" in page


def test_withheld_calls_are_a_row_each(desk, noor):
    for call in ("c1", "c2"):
        factories.record(
            factories.incoming_event(
                ("anonymous_id", f"call:1/{call}"),
                name="Call Started",
                about=f"call:{call}",
                at=timezone.now(),
                properties={"direction": "in"},
            ),
            at=timezone.now(),
        )

    page = page_of(desk, "calls/?parts")

    assert page.count("Number withheld") == 2
    assert "Open the record of this call" in page_of(desk, "calls/call:c1/")


def test_call_of_a_stated_number_does_not_open_by_itself(desk, noor):
    _call("c1", NOORS)

    assert "data-open" not in page_of(desk, "calls/?parts")


@pytest.mark.parametrize("opens", [True, False])
def test_call_of_a_proved_number_opens_by_itself_if_the_setting_says_so(
    desk, noor, settings, opens
):
    settings.CONSOLE_OPENS_CALLERS = opens
    Link.objects.filter(state="attached").update(evidence=CONFIRMED)
    _call("c1", NOORS)

    assert ("data-open" in page_of(desk, "calls/?parts")) is opens


def test_call_that_a_colleague_answered_does_not_open_by_itself(desk, noor):
    Link.objects.filter(state="attached").update(evidence=CONFIRMED)
    _call("c1", NOORS)
    now = timezone.now()
    factories.record(
        factories.incoming_event(("phone", NOORS), name="Call Answered", about="call:c1", at=now),
        at=now,
    )

    assert "data-open" not in page_of(desk, "calls/?parts")
