"""Every page of the console: accessible, within its width, and safe with hostile names."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from customers.models import Review
from tests import factories, size
from tests.journeys import console

pytestmark = pytest.mark.slow

XSS = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{ 7 }}"


def _pages(desk) -> list[str]:
    """Return the paths of all pages that a manager can open, each with content."""
    noor = console.noors_page(desk)
    number = desk.get(f"/api{noor.removeprefix('/console')}orders/").json()["results"][0]["number"]
    first = factories.customer(("email", "a@example.com"), name="Fenna Zwaan", language="nl")
    second = factories.customer(("email", "b@example.com"), name="Fenna de Zwaan")
    review = Review.objects.create(
        kind="suggested_merge", first=first, second=second, details={"same_name": "Fenna Zwaan"}
    )
    call = console.ring(desk, console.NOORS_PHONE)
    stranger = console.ring(desk, "+442079461234")
    return [
        "/console/",
        "/console/keys/",
        "/console/search/?q=nor+de+witt",
        noor,
        *(noor + part for part in ("access-log/", "preferences/", "orders/")),
        noor + "identity/",
        *(noor + part for part in ("timeline/", "decisions/", "new-order/", f"orders/{number}/")),
        "/console/calls/",
        f"/console/calls/call:{call}/",
        f"/console/calls/call:{stranger}/",
        "/console/tasks/",
        "/console/merges/",
        f"/console/merges/{review.pk}/",
        "/console/topics/",
        "/console/sources/",
        "/console/switches/",
        "/console/codes/",
    ]


# `make test` checks each width and each color scheme once, because the layout depends only on the
# width and the colors only on the scheme.
VIEWS = [(1280, "light"), (320, "dark")]
if size.IS_LONG:
    VIEWS += [(320, "light"), (1280, "dark")]


@pytest.mark.long
def test_console_pages_are_accessible_and_do_not_scroll_sideways(work, desk):
    page = work("lin", color_scheme="light")
    pages = _pages(desk)
    axe = Axe()
    for path in pages:
        page.goto(path)
        for width, scheme in VIEWS:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            report = axe.run(page, options={"resultTypes": ["violations"]})
            assert report.violations_count == 0, (path, width, scheme, report.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_preview_of_a_separation_is_accessible(work, desk):
    page = work("lin", f"{console.noors_page(desk)}identity/")

    page.get_by_text("Remove from this record").first.click()
    page.locator("details[open]").get_by_label("Reason").fill("a friend's")
    page.get_by_role("button", name="Remove identifier").first.click()
    page.get_by_role("heading", name="Separate identifiers").wait_for()

    report = Axe().run(page, options={"resultTypes": ["violations"]})
    assert report.violations_count == 0, report.generate_report()


def test_sign_in_page_is_accessible(visit):
    page = visit("/console/sign-in/", width=320)

    assert Axe().run(page, options={"resultTypes": ["violations"]}).violations_count == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_names_of_customers_are_never_executed(work, desk):
    script_messages: list[str] = []
    address = ("email", "x@example.com")
    bad = factories.customer(address, name=XSS, first_name=XSS, language=XSS)
    factories.record(
        factories.incoming_event(address, name=XSS, properties={"name": XSS, "note": XSS}),
        factories.order(
            "X-1",
            address,
            name="Order Completed",
            visit_date="2099-01-01",
            lines=[{"line_id": "1", "name": XSS, "quantity": 1}],
        ),
        factories.incoming_event(
            address,
            name="Party Member Changed",
            about="member:m",
            properties={"reference": "m", "name": XSS, "role": "child"},
        ),
    )
    other = factories.customer(("user_id", "y"))
    review = Review.objects.create(
        kind="suggested_merge", first=bad, second=other, details={XSS: XSS}
    )
    page = work("lin")
    page.on("dialog", lambda dialog: (script_messages.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: script_messages.append(str(error)))

    for path in (
        f"/console/customers/{bad.id}/",
        "/console/search/?q=alert",
        f"/console/search/?q={XSS}",
        f"/console/customers/{bad.id}/orders/X-1/",
        f"/console/merges/{review.pk}/",
        f"/console/customers/{bad.id}/access-log/",
    ):
        page.goto(path)
        page.wait_for_timeout(150)
        assert page.locator("main img, main script").count() == 0

    assert script_messages == []
