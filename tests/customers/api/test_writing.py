"""The actor of an event on the log, and the CSRF token that a browser sends with its cookie."""

import json

import pytest
from django.test import Client

from customers.models import Event, Source, User

PARTY = "/api/me/party/"


@pytest.fixture
def last_event(noor):
    return lambda: Event.objects.filter(customer=noor[0]).latest("version")


def test_write_of_a_customer_has_the_customer_as_actor(noor, last_event):
    noor[1].post(PARTY, {"name": "Mia"})

    event = last_event()
    assert (event.actor, event.source.channel, event.evidence) == ("", "app", 2)


def test_write_of_staff_has_the_staff_member_as_actor(noor, make_staff, last_event):
    staff = make_staff("view_customer", "change_partymember", name="sam")

    staff.post(f"/api/customers/{noor[0].id}/party/", {"name": "Mia"})

    event = last_event()
    assert (event.actor, event.source.channel) == ("staff:sam", "console")


@pytest.mark.parametrize(
    ("staff_header", "actor"),
    [
        ("sam", "source:call desk, for sam"),
        ("", "source:call desk"),
        ("x" * 61, "source:call desk"),
        ("sam; drop", "source:call desk"),
    ],
)
def test_write_with_a_staff_header_has_the_named_actor(desk, noor, last_event, staff_header, actor):
    desk.post(
        f"/api/customers/{noor[0].id}/party/", {"name": "Mia"}, **{"Butler-Staff": staff_header}
    )

    assert last_event().actor == actor


def test_writes_of_a_customer_share_one_source(noor):
    for name in ("Mia", "Sem"):
        noor[1].post(PARTY, {"name": name})

    assert Source.objects.filter(name="customer app").count() == 1


class TestBrowser:
    @pytest.fixture
    def browser(self, noor) -> Client:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(
            User.objects.get(email="noor@example.com"), "django.contrib.auth.backends.ModelBackend"
        )
        return browser

    def _post(self, browser, **headers):
        body = json.dumps({"name": "Mia"})
        return browser.post(PARTY, body, content_type="application/json", headers=headers)

    def test_reading_needs_only_the_cookie(self, browser):
        assert browser.get("/api/me/").status_code == 200

    def test_writing_without_the_csrf_token_is_refused(self, browser):
        answer = self._post(browser)

        assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")

    def test_writing_with_the_csrf_token_is_accepted(self, browser):
        browser.get("/")
        token = browser.cookies["csrftoken"].value

        assert self._post(browser, **{"X-CSRFToken": token}).status_code == 201

    def test_unknown_path_is_a_problem_response(self, browser):
        answer = browser.post("/api/nothing/", b"{}", content_type="application/json")

        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
