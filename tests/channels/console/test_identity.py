"""Staff read why a record is one customer, merge and separate identifiers, and undo it."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from customers.identity import decisions
from customers.models import AccessLogEntry, Identifier, ManualDecision, Source, User
from tests import factories, staff
from tests.channels.console.acting import page_of
from tests.markup import tidy

FAMILY = ("email", "family@example.com")
NOOR, SAM = ("user_id", "u-1"), ("user_id", "u-2")
PHONE = ("phone", "+31612345678")


@pytest.fixture
def couple(db):
    """Two accounts of one shop that state one mailbox, each with an order."""
    shop = factories.sender(factories.source("Shop"))
    noor = factories.customer(NOOR, FAMILY, by=shop, name="Noor de Wit")
    sam = factories.customer(SAM, FAMILY, by=shop, name="Sam Smit")
    orders = [factories.order(f"A-{who[1]}", who, total="10") for who in (NOOR, SAM)]
    factories.record(*orders, by=shop)
    return noor, sam


def identifier(key):
    """Return an identifier in its first period. A separation begins another one."""
    return Identifier.objects.get(kind=key[0], value__endswith=key[1], period=0)


def merge_fields(**changes):
    return {
        "decision": "merge",
        "first": identifier(NOOR).pk,
        "second_record": identifier(SAM).customer_id,
        "reason": "same person",
    } | changes


def decide(caller, customer, fields, **options):
    return caller.post(f"/console/customers/{customer.id}/identity/decide/", fields, **options)


def test_customer_page_shows_evidence_and_links_to_the_reasons(desk, couple):
    noor, _ = couple

    page = page_of(desk, f"customers/{noor.id}/")

    assert '<span class="badge good">' in page
    assert "stated" in page
    assert f"/console/customers/{noor.id}/identity/" in page


def test_page_says_why_the_record_has_each_identifier(desk, couple):
    _, sam = couple

    first, second = (page_of(desk, f"customers/{each.id}/identity/") for each in couple)

    assert "Account u-1 of Shop" in first
    assert "Joined: stated by a source about its own customer" in first
    assert "Another account states this address (Shop)." in first
    assert "u-2" not in first
    assert "Shop states an address that another record has." in second
    assert "family@example.com" not in second
    assert AccessLogEntry.objects.filter(customer=sam, what="identifiers").count() == 1


def order_numbers(shop):
    """Send an order of each of the couple as the wire does: its number is an identifier."""
    orders = [factories.order(f"B-{who[1]}", who, ("order", f"B-{who[1]}")) for who in (NOOR, SAM)]
    factories.record(*orders, by=factories.sender(shop))


def test_page_lists_orders_apart_and_names_their_sources(desk, couple):
    noor, _ = couple
    order_numbers(Source.objects.get(name="Shop"))

    page = page_of(desk, f"customers/{noor.id}/identity/")
    identifiers, _, orders = page.partition("<summary>Orders (1)</summary>")

    assert "Order B-u-1 of Shop" in orders
    assert "Order B-u-1" not in identifiers


def test_search_for_a_merge_tells_customers_with_one_name_apart(desk, couple):
    noor, _ = couple
    for number in (1, 2):
        factories.customer(("email", f"kim.{number}@example.com"), name="Kim Visser")

    page = page_of(desk, f"customers/{noor.id}/identity/merge/?q=kim+visser")

    assert "kim.1@example.com" in page
    assert "kim.2@example.com" in page


def test_preview_counts_the_orders_of_each_record(desk, couple):
    noor, _ = couple
    order_numbers(Source.objects.get(name="Shop"))

    page = decide(desk, noor, merge_fields()).content.decode()

    assert page.count(" 1 order<") == 2
    assert page.count(" 2 orders<") == 1
    assert "Order B-u-1" not in page


def test_preview_shows_both_records_and_stores_nothing(desk, couple):
    noor, sam = couple

    page = decide(desk, noor, merge_fields()).content.decode()

    assert "Noor de Wit" in page
    assert "Sam Smit" in page
    assert page.count('aria-labelledby="before-') == 2
    assert page.count('aria-labelledby="after-') == 1
    assert not ManualDecision.objects.exists()
    assert identifier(SAM).customer_id == sam.id
    assert AccessLogEntry.objects.filter(customer=sam, what="merge").count() == 1


def test_mistaken_merge_shows_both_orders_until_it_is_undone(desk, couple):
    noor, _ = couple

    def pages():
        return [page_of(desk, f"customers/{each.id}/") for each in couple]

    def orders_shown():
        return [[number for number in ("A-u-1", "A-u-2") if number in page] for page in pages()]

    before = orders_shown()
    confirmation = decide(desk, noor, merge_fields(confirm="yes"), follow=True).content.decode()
    merged = orders_shown()
    decision = ManualDecision.objects.get()
    undone = desk.post(
        f"/console/customers/{noor.id}/identity/{decision.pk}/undo/",
        {"reason": "two people", "confirm": "yes"},
        follow=True,
    ).content.decode()

    assert before == [["A-u-1"], ["A-u-2"]]
    assert "The records are merged." in confirmation
    assert "same person" in confirmation
    assert merged == [["A-u-1", "A-u-2"]] * 2
    assert "The decision is undone." in undone
    assert "two people" in undone
    assert orders_shown() == before
    assert "Another account states this address" in page_of(desk, f"customers/{noor.id}/identity/")


def test_timeline_shows_a_merge_once_and_who_made_it(desk, couple):
    noor, _ = couple
    decide(desk, noor, merge_fields(confirm="yes"))

    page = tidy(page_of(desk, f"customers/{noor.id}/timeline/"))

    assert page.count("<h4>Records merged</h4>") == 1
    assert "Butler, Sam</p>" in page


def test_timeline_says_that_the_customer_separated_her_records(desk, couple):
    noor, sam = couple
    decisions.merge_records(noor.id, sam.id, actor="staff:sam", now=timezone.now())
    decisions.separate_records(noor.id, sam.id, actor="customer", now=timezone.now())

    pages = [tidy(page_of(desk, f"customers/{each.id}/timeline/")) for each in couple]

    for page in pages:
        assert page.count("<h4>Records separated</h4>") == 1
        assert "Butler, the customer</p>" in page


def search(caller, customer, text):
    return caller.get(f"/console/customers/{customer.id}/identity/merge/", {"q": text})


@pytest.mark.parametrize("text", ["Sam", "sam smit", "u-2", "A-u-2", "sam@example.com", "smid"])
def test_other_record_is_searched_by_free_text_and_chosen(desk, couple, text):
    noor, sam = couple
    factories.customer(
        SAM, ("email", "sam@example.com"), by=factories.sender(Source.objects.get(name="Shop"))
    )

    page = search(desk, noor, text).content.decode()

    assert f'value="{sam.id}"' in page
    assert "Sam Smit" in page
    assert f'value="{noor.id}"' not in page
    assert AccessLogEntry.objects.filter(customer=sam, what="search").count() == 1


def test_search_without_a_match_says_so_and_offers_no_choice(desk, couple):
    page = search(desk, couple[0], "nobody").content.decode()

    assert "No other customer matches “nobody”." in page
    assert "second_record" not in page


def test_search_for_a_merge_ignores_addresses_for_a_role_that_sees_none(desk, couple):
    noor, sam = couple
    user = User.objects.get(name="Sam")
    user.groups.clear()
    user.user_permissions.set(Permission.objects.filter(codename="change_review"))

    page = search(desk, noor, "family@example.com").content.decode()

    assert f'value="{sam.id}"' not in page
    assert "family@example.com" not in page.replace('value="family@example.com"', "").replace(
        "“family@example.com”", ""
    )


def test_merge_with_a_record_of_one_space_joins_their_accounts(desk, couple):
    noor, sam = couple
    other = ("email", "sam@example.com")
    factories.customer(SAM, other, by=factories.sender(Source.objects.get(name="Shop")))

    decide(desk, noor, merge_fields(second_record=sam.id, confirm="yes"))

    owners = {identifier(key).customer_id for key in (NOOR, SAM, FAMILY, other)}
    assert len(owners) == 1


def test_preview_shows_the_record_that_loses_an_identifier(desk, couple):
    noor, _ = couple

    page = decide(desk, noor, merge_fields(first=identifier(FAMILY).pk)).content.decode()

    assert page.count('aria-labelledby="after-') == 2
    assert page.count("Account u-1 of Shop") == 2


def test_address_that_staff_take_off_leaves_the_record(desk, couple):
    noor, _ = couple
    fields = {
        "decision": "separate",
        "first": identifier(FAMILY).pk,
        "second_id": identifier(NOOR).pk,
        "reason": "wrong address",
    }

    decide(desk, noor, fields | {"confirm": "yes"})

    assert identifier(FAMILY).customer_id != noor.id
    assert ManualDecision.objects.get().reason == "wrong address"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"reason": " "}, "The reason is missing."),
        ({"second_record": "x"}, "Load it again"),
        ({"second_record": ""}, "The other record is missing."),
        ({"second_record": "", "second_id": "own"}, "Both identifiers are the same."),
        ({"first": 2**63}, "Load it again"),
        ({"decision": "x"}, "Load it again"),
    ],
)
def test_invalid_decision_shows_the_error_and_stores_nothing(desk, couple, change, error):
    noor, _ = couple
    if change.get("second_id"):
        change = change | {"second_id": identifier(NOOR).pk}

    answer = decide(desk, noor, merge_fields(confirm="yes") | change)

    assert answer.status_code == 422
    assert error in answer.content.decode()
    assert not ManualDecision.objects.exists()


def test_second_undo_says_that_the_decision_was_undone_before(desk, couple):
    noor, _ = couple
    decide(desk, noor, merge_fields(confirm="yes"))
    path = f"/console/customers/{noor.id}/identity/{ManualDecision.objects.get().pk}/undo/"
    desk.post(path, {"confirm": "yes"})

    for fields in ({}, {"confirm": "yes"}):
        assert "was undone before" in desk.post(path, fields, follow=True).content.decode()


def test_undo_of_a_decision_shows_first_where_identifiers_and_events_go(desk, couple):
    noor, _ = couple
    decide(desk, noor, merge_fields(confirm="yes"))
    decision = ManualDecision.objects.get()

    page = tidy(
        desk.post(
            f"/console/customers/{noor.id}/identity/{decision.pk}/undo/", {"reason": "two people"}
        ).content.decode()
    )

    before, after = page.split("<h2>After</h2>")
    assert before.count("4 events") == 1
    assert after.count("2 events") == 2
    assert "Account u-2 of Shop" in after
    assert 'value="two people"' in after
    decision.refresh_from_db()
    assert decision.undone_at is None
    assert identifier(SAM).customer_id == identifier(NOOR).customer_id
    assert AccessLogEntry.objects.filter(what="merge", customer=noor).exists()


def test_role_without_the_right_reads_and_decides_nothing(couple):
    noor, _ = couple
    till = staff.let_in(Client(), staff.colleague("till"))

    assert till.get(f"/console/customers/{noor.id}/identity/").status_code == 403
    assert decide(till, noor, merge_fields(confirm="yes")).status_code == 403
    assert not ManualDecision.objects.exists()


@pytest.fixture
def shared_phone(db):
    """Two accounts of one shop with one phone."""
    shop = factories.sender(factories.source("Shop"))
    return [factories.customer(key, PHONE, by=shop, name=key[1]) for key in (NOOR, SAM)]


def test_phone_of_two_records_is_shown_on_each_of_them(desk, shared_phone):
    for customer in shared_phone:
        page = tidy(page_of(desk, f"customers/{customer.id}/identity/"))

        assert f"Phone {PHONE[1]}: Shop gave this phone for this account." in page


def test_phone_that_staff_take_off_one_record_is_attached_to_the_other(desk, shared_phone):
    noor, sam = shared_phone
    fields = {
        "decision": "separate",
        "first": identifier(PHONE).pk,
        "second_id": identifier(NOOR).pk,
        "reason": "her number before",
        "confirm": "yes",
    }

    page = page_of(desk, f"customers/{noor.id}/identity/")
    decide(desk, noor, fields)

    assert f'name="first" value="{identifier(PHONE).pk}"' in page
    assert identifier(PHONE).customer_id == sam.id
    assert "gave this phone" not in page_of(desk, f"customers/{noor.id}/identity/")


def test_role_without_sight_of_identifiers_reads_no_phone_of_two_records(desk, shared_phone):
    user = User.objects.get(name="Sam")
    user.groups.clear()
    user.user_permissions.set(Permission.objects.filter(codename="view_review"))

    page = page_of(desk, f"customers/{shared_phone[0].id}/identity/")

    assert "Shop gave this phone for this account." in page
    assert PHONE[1] not in page
