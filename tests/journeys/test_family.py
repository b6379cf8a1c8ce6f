"""A child and its guardian: messages about Sem go to Noor, and no child consents alone."""

import re
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from butler.due.tick import tick
from butler.models import Message
from channels import deliveries
from customers.models import Customer, Identifier, LedgerEntry
from tests import factories
from tests.journeys import portal

pytestmark = pytest.mark.slow

ADDRESS = ("email", "elin@example.com")


def _tomorrow(hour: int) -> datetime:
    day = timezone.localdate() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, hour, 0, 5, tzinfo=ZoneInfo(settings.BUTLER_ZONE))


def _born(years: int) -> str:
    """Return the birth date of who turns this old tomorrow; eight years before a leap day is one."""
    day = timezone.localdate() + timedelta(days=1)
    return day.replace(year=day.year - years).isoformat()


def _sem_turns_eight() -> None:
    noor = portal.noor()
    address = Identifier.objects.filter(customer=noor, kind="email").get()
    sem = {"reference": "sem", "name": "Sem de Wit", "role": "child", "birth_date": _born(8)}
    now = timezone.now()
    birthday = factories.incoming_event(
        (address.kind, address.value),
        name="Party Member Changed",
        about="member:sem",
        properties=sem,
        at=now,
    )
    factories.record(birthday, at=now)


def _the_day_comes() -> None:
    tick(now=timezone.now())
    # Noor has set no time zone: at nine it may be night for her, at three it is not.
    for hour in (9, 15):
        tick(now=_tomorrow(hour))
        later = _tomorrow(hour) + timedelta(minutes=1)
        deliveries.deliver_all(clock=partial(_same, later))


def _same(moment: datetime) -> datetime:
    return moment


def _greetings() -> set[str]:
    """Return the messages about the day. Only Noor gets them, because Sem has no record."""
    greetings = Message.objects.filter(
        automation_id="birthday", state__in=("accepted", "delivered")
    )
    assert set(greetings.values_list("customer_id", flat=True)) <= {portal.noor().pk}
    return set(greetings.values_list("subject", flat=True))


def test_birthday_greeting_for_a_child_goes_to_the_guardian_with_consent(park, noor, apart):
    apart(_sem_turns_eight)
    page = noor(width=320)
    expect(page.locator(".party li").first).to_contain_text("Sem de Wit 7")
    page.goto("/preferences/")
    card = page.locator("#consent-birthdays")
    expect(card).to_contain_text("For a child it comes to you.")
    if card.get_by_role("button", name="Give consent").get_attribute("aria-pressed") == "false":
        card.get_by_role("button", name="Give consent").click()
    expect(card).to_contain_text("You said yes.")

    apart(_the_day_comes)

    [greeting] = apart(_greetings)
    assert re.search(r"\bSem\b.*\b8\b", greeting)
    page.goto("/inbox/")
    page.locator(".message-list a", has_text=greeting).first.click()
    expect(page.locator(".prose")).to_contain_text("Sem")
    page.goto("/why/")
    why = page.locator(".occasion", has_text=greeting)
    expect(why).to_contain_text("You said yes to “Birthdays”.")
    why.get_by_role("link", name="Change preferences").first.click()
    expect(page.locator("#consent-birthdays")).to_be_in_viewport()


def test_guardian_who_refuses_gets_no_greeting_and_sees_the_reason(park, noor, apart):
    apart(_sem_turns_eight)
    page = noor(width=320)
    page.goto("/preferences/")
    page.locator("#consent-birthdays").get_by_role("button", name="Refuse consent").click()
    expect(page.locator("#consent-birthdays .alert")).to_contain_text("Saved.")

    apart(_the_day_comes)

    assert apart(_greetings) == set()
    page.goto("/why/")
    expect(page.locator(".occasion", has_text="Birthday greeting")).to_contain_text("not sent")


def _a_child() -> Customer:
    return factories.customer(ADDRESS, first_name="Elin", birth_date=_born(11), language="sv")


def test_child_with_a_login_cannot_consent_alone(park, visit, apart):
    elin = apart(_a_child)
    page = visit(width=320)
    page.get_by_label("Your e-mail address").fill(ADDRESS[1])
    page.get_by_role("button", name="Send code").click()
    code = re.search(r"\b\d{6}\b", page.request.get("/dev/outbox.json").json()[0]["text"])
    assert code
    page.get_by_label("Six digits").fill(code.group())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#phone")

    page.goto("/preferences/")

    card = page.locator("#consent-offers")
    expect(card).to_contain_text("You are too young to consent to this without a guardian")
    yes = card.get_by_role("button", name="Give consent")
    expect(yes).to_be_disabled()
    # A press of the disabled button is refused, too.
    yes.evaluate("button => { button.disabled = false; }")
    yes.click()
    expect(card.get_by_role("alert")).to_contain_text("so nothing was changed")
    assert apart(lambda: LedgerEntry.objects.filter(record=elin).count()) == 0
    # Customers of any age can refuse.
    card.get_by_role("button", name="Refuse consent").click()
    expect(card).to_contain_text("You said no.")
