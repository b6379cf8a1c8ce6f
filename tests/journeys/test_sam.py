"""Sam at the call desk: a call arrives, the right page opens, and Sam takes the order."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db.models import Q
from django.utils import timezone
from playwright.sync_api import Page, expect

from butler.actions import staff_tasks
from customers.actions import staff_sign_in
from customers.models import AccessLogEntry, Link, LinkEvidence, User
from examples.themepark import places
from tests import factories
from tests.journeys import console

pytestmark = pytest.mark.slow


def test_call_opens_the_callers_page_and_an_order_is_placed(work, desk):
    page = work()
    expect(page.locator("#ringing")).to_contain_text("No calls.")

    console.ring(desk, "0046 70 174 06 05")
    # Without a reload.
    expect(page.locator("#ringing")).to_contain_text(console.NOORS_PHONE, timeout=20_000)
    page.locator("#ringing a").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Noor de Wit")
    expect(page.get_by_text("Opened for: a call")).to_be_visible()
    page.get_by_role("link", name="Take order").click()
    day = timezone.localdate() + timedelta(days=40)
    page.get_by_label("Name of the order").fill("Night of the Owls")
    page.get_by_label("Date of the visit").fill(day.isoformat())
    page.get_by_label("Time of arrival").fill("16:30")
    page.get_by_label("Guests, with commas").fill("Noor, Sem")
    page.locator("#line0_quantity").fill("2")
    page.locator("#line0_name").fill("Day ticket, adult")
    page.locator("#line0_price").fill("34,50")
    page.get_by_role("button", name="Show price").click()

    expect(page.locator("#total")).to_contain_text("69.00")
    assert "Night of the Owls" not in desk.get(_record(page)).text
    # However often it is pressed.
    page.get_by_role("button", name="Place order").dblclick()

    expect(page.get_by_role("heading", level=1)).to_have_text("Noor de Wit")
    orders = [
        order
        for order in desk.get(_record(page) + "orders/").json()["results"]
        if order["visit_date"] == day.isoformat()
    ]
    assert [(order["total"], order["changed_by"], order["channel"]) for order in orders] == [
        ("69.00", "staff:Sam", "console")
    ]


def _record(page: Page) -> str:
    match = re.search(r"/customers/([0-9a-f-]{36})/", page.url)
    assert match
    return f"/api/customers/{match[1]}/"


def test_event_appears_on_the_open_page_without_a_reload(work, desk):
    page = work(path=console.noors_page(desk))
    expect(page.locator("#status")).to_have_attribute("data-state", "live")
    page.evaluate("window.isStillThisPage = true")

    console.ring(desk, console.NOORS_PHONE)

    expect(page.locator("#timeline li").first).to_contain_text("Called")
    expect(page.locator("#announcement")).to_contain_text("Called")
    assert page.evaluate("window.isStillThisPage") is True


def test_text_being_typed_survives_an_update_of_the_page(work, desk):
    page = work(path=console.noors_page(desk))
    expect(page.locator("#status")).to_have_attribute("data-state", "live")
    who = UUID(page.url.rstrip("/").rpartition("/")[2])
    by = f"user:{User.objects.get(email='sam@larkmoor.example').pk}"
    now = timezone.now()
    task = staff_tasks.create(
        key="t", kind="phone", customer_id=who, title="Call", body="", due_at=now
    )
    staff_tasks.take(task_id=task, by=by, now=now)
    console.ring(desk, console.NOORS_PHONE)
    note = page.get_by_label("Note")
    note.press_sequentially("She is gl")
    page.evaluate("document.querySelector('#customer').dataset.isOld = 'yes'")

    console.ring(desk, console.NOORS_PHONE)
    expect(page.locator("#customer[data-is-old]")).to_have_count(0)
    page.keyboard.type("ad")

    expect(note).to_have_value("She is glad")


def test_shared_number_offers_a_choice_and_opens_no_record(work, desk):
    number = "+4930231259999"
    _share(number, ("Anke Ahrens", "Bernd Ahrens"))
    page = work()

    call = console.ring(desk, number)
    page.goto(f"/console/calls/call:{call}/")

    expect(page.get_by_role("heading", level=1)).to_have_text("Customers with this number")
    assert not AccessLogEntry.objects.filter(what="page").exists()
    page.locator("li", has_text="Anke Ahrens").get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anke Ahrens")


def test_call_of_a_proved_number_opens_its_record_once(work, desk):
    number = "+4930231251111"
    factories.customer(("user_id", "carla"), ("phone", number), name="Carla Ott")
    ends = Q(first__value=number) | Q(second__value=number)
    assert Link.objects.filter(ends).update(evidence=LinkEvidence.CONFIRMED) == 1
    page = work()

    console.ring(desk, number)

    expect(page.get_by_role("heading", level=1)).to_have_text("Carla Ott", timeout=20_000)
    page.goto("/console/")
    expect(page.locator("#ringing")).to_contain_text("Carla Ott")
    page.wait_for_timeout(1_500)
    assert page.url.endswith("/console/")


def _share(number: str, names: tuple[str, ...]) -> None:
    """Let several accounts have one number, so that it is attached to none of them."""
    for name in names:
        factories.customer(("user_id", name.lower()), ("phone", number), name=name)


def test_unknown_caller_opens_no_record(work, desk):
    page = work()
    call = console.ring(desk, "+442079461234")

    page.goto(f"/console/calls/call:{call}/")

    expect(page.get_by_role("heading", level=1)).to_have_text("Unknown caller")


def test_console_works_with_the_keyboard_alone(work, desk):
    page = work()

    page.keyboard.press("?")
    expect(page.locator("dialog#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("noor de wit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("customer")
    page.wait_for_load_state()  # the script that listens for keys comes after the heading
    page.keyboard.press("j")
    expect(page.locator(".is-current")).to_contain_text("Noor de Wit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Noor de Wit")
    page.wait_for_load_state()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text("New order")
    page.locator("h1").click()
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")


def test_console_works_without_javascript(work, desk):
    page = work(java_script_enabled=False)

    page.get_by_label("Find a customer").fill("nor de witt")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Noor de Wit").first.click()
    expect(page.get_by_role("heading", name="Messages allowed now")).to_be_visible()
    page.get_by_role("link", name="Take order").click()
    page.locator("#line0_name").fill("Parking")
    page.locator("#line0_price").fill("12.50")
    page.get_by_role("button", name="Show price").click()
    page.get_by_role("button", name="Place order").click()

    expect(page.get_by_text("The order is placed.")).to_be_visible()


def test_ride_closed_in_the_console_notifies_todays_visitors(work, desk):
    noor = console.noors_page(desk).removeprefix("/console")
    today = {"visit_date": datetime.now(ZoneInfo("Europe/Amsterdam")).date().isoformat()}
    placed = desk.post(f"/api{noor}orders/", json={"lines": [{"product": "day-ticket"}]} | today)
    assert placed.status_code == 201, placed.text
    page = work(path="/console/topics/")
    ride = page.locator("li", has_text="Salt Runner")
    expect(ride).to_contain_text("Down starts: A ride is closed.")

    ride.get_by_label("Reason").fill("A heron on the track")
    ride.get_by_role("button", name="Set to down").click()

    expect(page.get_by_text("Salt Runner is down.")).to_be_visible()
    expect(page.locator("li", has_text="Salt Runner")).to_contain_text("set by Sam: A heron")
    call_command("tick")
    # The next tick hands over the messages that the first one decided.
    call_command("tick")
    messages = desk.get(f"/api{noor}messages/").json()["results"]
    assert [message["subject"] for message in messages if "Salt Runner" in message["subject"]] != []

    page.locator("li", has_text="Salt Runner").get_by_role("button", name="Set to open").click()
    expect(page.get_by_text("Salt Runner is open.")).to_be_visible()


def test_refusal_by_phone_is_recorded_and_shown_to_the_customer(work, desk, visit):
    noor = console.noors_page(desk)
    console.ring(desk, console.NOORS_PHONE)
    page = work(path=noor)

    page.get_by_role("link", name="Record preferences").click()
    card = page.locator("#consent-offers")
    said_before = card.get_by_role("button", name="Record refusal").get_attribute("aria-pressed")
    assert said_before == "false"
    # A consent needs the text that was read aloud: without the tick the browser sends nothing.
    card.get_by_role("button", name="Record consent").click()
    expect(page.get_by_text("Saved.")).to_have_count(0)
    card.get_by_role("button", name="Record refusal").click()
    expect(page.get_by_text("Saved. The change applies from now on.")).to_be_visible()
    page.get_by_role("button", name="Pause messages").click()
    expect(page.locator("#pause")).to_contain_text("Messages are paused until")

    entries = desk.get(f"/api{noor.removeprefix('/console')}ledger/").json()["results"]
    assert [entry["kind"] for entry in entries[:2]] == ["preference.set", "consent.withdrawn"]
    assert {entry["actor"] for entry in entries[:2]} == {"staff:Sam"}
    assert {entry["evidence"]["kind"] for entry in entries[:2]} == {"voice"}
    assert all(entry["evidence"]["call"].startswith("call:") for entry in entries[:2])
    phone = visit()
    phone.get_by_role("button", name="Sign in as Noor").click()
    phone.wait_for_selector("#phone")
    phone.goto("/receipts/")
    expect(phone.locator("main li").first).to_contain_text("by phone · recorded by Sam")


def test_recovery_codes_download_as_a_file(work, settings):
    page = work("lin", path="/console/codes/")
    stored_keys = places.read(settings.BUTLER_HOME / places.KEYS)
    later = datetime.now(UTC) + timedelta(seconds=30)

    page.get_by_label("Code of your authenticator app").fill(
        staff_sign_in.totp(stored_keys["factors"]["lin"], later)
    )
    page.get_by_role("button", name="Make new codes").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download codes").click()

    text = download.value.path().read_text()
    assert len(re.findall(r"^\d{8}$", text, re.MULTILINE)) == 10
    assert download.value.suggested_filename == "butler-recovery-codes.txt"
