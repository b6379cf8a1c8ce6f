"""The history pages of the console show all entries that the customer page leaves out."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.actions import internal_events
from customers.models import AccessLogEntry
from tests import factories, staff
from tests.channels.console.acting import order, page_of
from tests.customers import consent_helpers
from tests.customers.consent_helpers import prefer
from tests.markup import tidy

pytestmark = pytest.mark.django_db


@pytest.fixture
def long_known(noor):
    """Create Noor with forty orders and forty messages."""
    now = timezone.now()
    for number in range(40):
        order(f"LK-{number:02}", name=f"Visit {number:02}")
        at = now - timedelta(hours=number)
        run = uuid.uuid4()
        message = factories.message(noor, at=at, subject=f"Word {number:02}", run_id=run)
        factories.decision(
            noor,
            at=at,
            message_id=message.pk,
            run_id=run,
            code="relation_live",
            act={"channel": message.channel, "topic": message.topic},
        )
    return noor


def _all_pages(client: Client, path: str) -> list[str]:
    """Read all pages of a list, and return them."""
    pages = [page_of(client, path)]
    while next_link := re.search(r'href="(\?cursor=[^"]+)" rel="next"', pages[-1]):
        pages.append(page_of(client, path + next_link[1].replace("&amp;", "&")))
    return pages


@pytest.mark.parametrize(
    ("path", "link", "named"),
    [
        ("orders/", "All orders", "Visit {:02}"),
        ("timeline/", "Whole timeline", "Visit {:02}"),
        ("decisions/", "All decisions", "Word {:02}"),
    ],
)
def test_pages_of_a_long_history_show_every_entry(desk, long_known, path, link, named):
    of_noor = f"customers/{long_known.id}/"
    shown = page_of(desk, of_noor)
    assert f'<a href="/console/{of_noor}{path}">{link}</a>' in shown

    pages = _all_pages(desk, f"{of_noor}{path}")

    assert len(pages) == 2
    for number in range(40):
        assert sum(named.format(number) in page for page in pages) == 1
    assert "Back to the newest" in pages[-1]
    assert AccessLogEntry.objects.filter(customer=long_known).exclude(what="page").count() == 2


def test_a_short_history_has_no_more_pages(desk, noor):
    order()

    shown = page_of(desk, f"customers/{noor.id}/")

    for path in ("orders/", "timeline/", "decisions/"):
        assert f'/console/customers/{noor.id}/{path}"' not in shown
        assert 'rel="next"' not in page_of(desk, f"customers/{noor.id}/{path}")


def test_an_order_is_changed_from_the_list_of_all(desk, long_known):
    page = page_of(desk, f"customers/{long_known.id}/orders/")

    assert f'href="/console/customers/{long_known.id}/orders/LK-39/"' in page


def test_till_sees_order_numbers_without_their_contents(client, long_known):
    till = staff.let_in(client, staff.colleague("till", "Iris"))

    page = page_of(till, f"customers/{long_known.id}/orders/")

    assert "LK-39" in page
    for hidden in ("81.50", "Day ticket", "Change or cancel"):
        assert hidden not in page


def test_marketer_sees_reasons_without_message_texts(client, long_known):
    marketer = staff.let_in(client, staff.colleague("marketer", "Mika"))

    for path in ("", "decisions/"):
        page = page_of(marketer, f"customers/{long_known.id}/{path}")
        assert "This is about something that you ordered" in page
        # The subject of a message may name an order.
        assert "Word 0" not in page


# Texts for the desk --------------------------------------------------------------------


def test_namesakes_are_told_apart_by_how_they_are_reached(desk, noor):
    factories.customer(("email", "other@example.com"), name="noor de wit")
    factories.customer(("email", "sem@example.com"), name="Sem de Wit")

    page = page_of(desk, "search/?q=de+wit")

    assert "noor@example.com, +46701740605 · " in page
    assert "other@example.com · " in page
    # A customer with a unique name is shown without addresses.
    assert "sem@example.com" not in page


def test_search_shows_no_addresses_of_namesakes_to_a_role_without_them(client, noor):
    factories.customer(("email", "other@example.com"), name="Noor de Wit")
    till = staff.let_in(client, staff.colleague("till", "Iris"))

    page = page_of(till, "search/?q=de+wit")

    assert page.count("Noor de Wit") == 2
    assert "example.com" not in page


def test_console_is_english_for_every_accept_language(desk, noor):
    order()
    path = f"/console/customers/{noor.id}/"

    english = desk.get(path, headers={"accept-language": "en"}).content.decode()
    danish = desk.get(path, headers={"accept-language": "da"}).content.decode()

    assert "€81.50" in english
    assert _without_values(danish) == _without_values(english)


def _without_values(page: str) -> str:
    return re.sub(r'value="[^"]*"', "", page)


def test_message_on_the_timeline_names_its_channel(desk, noor):
    internal_events.append_internal_event(
        customer_id=noor.pk,
        name="Message Sent",
        about=f"message:{uuid.uuid4()}",
        properties={"channel": "email"},
        actor="",
        now=timezone.now(),
        kind="message",
    )

    assert "E-mail</p>" in tidy(page_of(desk, f"customers/{noor.id}/"))


def test_statement_on_the_timeline_names_its_subject_and_the_answer(desk, noor):
    consent_helpers.house()
    consent_helpers.say(
        noor.pk,
        prefer("allow", False, channel="email", topic="rides"),
        prefer("allow", True, channel="sms", topic="visits"),
        consent_helpers.refuse("offers"),
    )

    for path in (f"customers/{noor.id}/", f"customers/{noor.id}/timeline/"):
        page = tidy(page_of(desk, path))

        assert "messages · E-mail · rides: no</p>" in page
        assert "messages · SMS · visits: yes</p>" in page
        assert "offers</p>" in page
