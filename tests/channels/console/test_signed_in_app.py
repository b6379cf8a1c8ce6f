"""Staff and the customer see which events a signed-in app sent, and what in them is a claim."""

import re

import pytest
from django.test import Client

from customers.models import User
from tests import staff
from tests.channels.console.acting import page_of
from tests.customers.identity.company import record_of
from tests.customers.identity.signed_in_app import SignedInApp, click
from tests.markup import tidy

pytestmark = pytest.mark.django_db

ORDER = {"order_id": "A-1", "total": "1.00", "currency": "EUR"}


@pytest.fixture
def app():
    return SignedInApp()


@pytest.fixture
def record(app):
    """Return the record of a customer whose app sent a click, an order, and a click without her."""
    app.post(
        click(app.token("42")),
        click(app.token("42"), event="Order Completed", properties=ORDER),
        click(event="Home Opened"),
    )
    return record_of(app.account("42"))


def labels(page):
    """Return the words behind the channel of each event, by its headline."""
    entries = page.partition('id="timeline"')[2].partition("</main>")[0]
    rows = re.split(r"<h[34]>", entries)[1:]
    return {
        row.partition("</h")[0]: [
            word for word in ("signed in", "claimed") if f"· {word}" in tidy(row)
        ]
        for row in rows
    }


def test_desk_tells_a_signed_in_customer_from_claims(desk, record):
    page = page_of(desk, f"customers/{record}/")

    shown = labels(page)
    assert shown["Map Opened"] == ["signed in"]
    assert shown["Home Opened"] == ["claimed"]
    assert ["signed in", "claimed"] in shown.values()


def test_customer_reads_no_doubt_about_her_own_clicks(record, settings):
    settings.DEBUG = True
    client = Client()
    client.force_login(User.objects.create_user("noor@example.com", record_id=record))

    page = client.get("/").content.decode()

    shown = labels(page)
    assert shown["Map Opened"] == []
    assert shown["Home Opened"] == ["claimed"]
    assert shown["You placed an order"] == ["claimed"]


def test_page_of_the_sources_counts_tokens_that_prove_nothing(client, app):
    manager = staff.let_in(client, staff.colleague("manager"))
    app.post(click("undefined", messageId="m-1"), click("undefined", messageId="m-2"))
    app.post(click(messageId="m-3"), headers={"X-Session-Token": "ended"})

    page = tidy(page_of(manager, "sources/"))

    assert "2</span>events had a wrong or foreign identity token, so they are claims<" in page
    assert (
        "1</span>events had a session that has ended, or one of staff, so they are claims<" in page
    )
    assert "<code>m-1</code>" in page
