"""The identifiers of a record with their evidence, and decisions of staff that name identifiers."""

import pytest

from customers.models import Customer, Identifier, ManualDecision
from tests import factories
from tests.customers.identity.company import WireSource, record_of
from tests.factories import identify, order, record

FAMILY, SAMS = ("email", "family@example.com"), ("email", "sam@example.com")
NOOR, SAM = ("user_id", "u-1"), ("user_id", "u-2")


@pytest.fixture
def shop(db):
    return factories.sender(factories.source("shop"))


@pytest.fixture
def till(db):
    return factories.sender(factories.source("till", channel="till"), channel="till")


@pytest.fixture
def couple(shop):
    """Two accounts of one shop that state one mailbox. Noor stated it first."""
    noor = factories.customer(NOOR, FAMILY, by=shop)
    sam = factories.customer(SAM, FAMILY, by=shop)
    return noor, sam


def named(caller, customer):
    """Return the identifiers of a record by kind and value."""
    answer = caller.get(f"/api/customers/{customer.id}/identifiers/")
    assert answer.status_code == 200, answer.content
    return {(row["kind"], row["value"]): row for row in answer.json()["results"]}


def decide(caller, customer, kind, first, second, **headers):
    body = {"kind": kind, "first": first, "second": second, "reason": "they called"}
    return caller.post(f"/api/customers/{customer.id}/decisions/", body, **headers)


def live(customer):
    customer.refresh_from_db()
    return customer.canonical_id or customer.id


def test_identifiers_show_source_evidence_and_how_they_are_held(lin, shop, till):
    noor = factories.customer(NOOR, FAMILY, ("phone", "+31612345678"), by=shop)

    rows = named(lin, noor)

    account, mailbox = rows[NOOR], rows[FAMILY]
    phone = rows["phone", "+31612345678"]
    assert (account["source"], account["evidence"], account["held_by"]) == (
        "shop",
        "stated",
        "joined",
    )
    assert (mailbox["source"], mailbox["evidence"], mailbox["held_by"]) == (
        None,
        "stated",
        "joined",
    )
    assert (phone["held_by"], phone["is_verified"], phone["contested"]) == ("attached", True, [])


def test_account_and_mailbox_with_attached_identifiers_only_join_a_record(lin):
    shop = WireSource("Shop", "site", ids="shop")
    passes = WireSource("Passes", "site", ids="passes", per_person="several")
    shop.identify(1, "u-1", card="LK-1001-42")
    passes.identify(1, "p-1", email=FAMILY[1])
    account = Customer.objects.get(pk=record_of(shop.account("u-1")))
    family = Customer.objects.get(pk=record_of(FAMILY))

    assert named(lin, account)[NOOR]["held_by"] == "joined"
    assert named(lin, family)[FAMILY]["held_by"] == "joined"
    assert named(lin, family)["user_id", "p-1"]["held_by"] == "attached"


def test_equal_number_of_another_customer_is_contested_and_has_no_time(lin):
    shop, app = (WireSource(name, "site", ids="account") for name in ("Shop", "App"))
    shop.identify(1, "u-1", email="noor@example.com")
    app.identify(1, "u-1", email="sam@example.com")
    customer = Customer.objects.get(pk=record_of(shop.account("u-1")))

    (link,) = named(lin, customer)[NOOR]["contested"]

    assert (link["kind"], link["value"], link["occurred_at"]) == ("user_id", None, None)


def test_address_that_only_a_till_noted_is_not_verified(lin, till):
    customer = factories.customer(FAMILY, by=till)

    mailbox = named(lin, customer)[FAMILY]

    assert (mailbox["evidence"], mailbox["is_verified"]) == ("noted", False)


def test_evidence_in_the_record_rises_with_a_stronger_statement(lin, till, shop):
    customer = factories.customer(FAMILY, by=till)
    path = f"/api/customers/{customer.id}/"
    noted = lin.get(path).json()["identifiers"]

    record(identify(NOOR, FAMILY), by=shop)
    stated = lin.get(path).json()["identifiers"]
    record(identify(NOOR, FAMILY, email_verified=True), by=shop)
    confirmed = lin.get(path).json()["identifiers"]

    evidence = [
        {row["kind"]: row["evidence"] for row in rows} for rows in (noted, stated, confirmed)
    ]
    assert evidence == [
        {"email": "noted"},
        {"email": "stated", "user_id": "stated"},
        {"email": "confirmed", "user_id": "confirmed"},
    ]


def test_weaker_statement_does_not_lower_the_evidence(lin, till, shop):
    factories.customer(NOOR, FAMILY, by=shop, email_verified=True)
    record(identify(FAMILY, ("card", "4711-0815")), by=till)

    assert Identifier.objects.get(kind="email").best_evidence == 50


def test_equal_numbers_of_two_sources_have_the_name_of_their_source_in_the_record(lin, shop):
    site = factories.sender(factories.source("site"))
    noor = factories.customer(NOOR, FAMILY, by=shop)
    record(identify(NOOR, FAMILY), by=site)

    identifiers = lin.get(f"/api/customers/{noor.id}/").json()["identifiers"]

    numbers = [(row["value"], row["source"]) for row in identifiers if row["kind"] == "user_id"]
    assert numbers == [("u-1", "shop"), ("u-1", "site")]


def test_contested_link_names_the_other_side_only_by_its_kind(lin, couple):
    noor, sam = couple

    [of_mailbox] = named(lin, noor)[FAMILY]["contested"]
    [of_account] = named(lin, sam)[SAM]["contested"]

    assert (of_mailbox["kind"], of_mailbox["value"]) == ("user_id", None)
    assert (of_mailbox["source"], of_mailbox["evidence"]) == ("shop", "stated")
    assert (of_account["kind"], of_account["value"]) == ("email", None)


def test_contested_link_names_the_other_side_where_it_is_confirmed(lin, shop):
    noor = factories.customer(NOOR, FAMILY, by=shop, email_verified=True)
    record(identify(SAM, FAMILY, email_verified=True), by=shop)

    [contested] = named(lin, noor)[FAMILY]["contested"]

    assert (contested["value"], contested["evidence"]) == ("u-2", "confirmed")


def test_customer_sees_own_identifiers_but_no_decisions(noor, eli):
    customer, her_app = noor
    _, other_app = eli

    assert [row["kind"] for row in her_app.get("/api/me/identifiers/").json()["results"]] == [
        "email"
    ]
    assert other_app.get(f"/api/customers/{customer.id}/identifiers/").status_code == 404
    assert her_app.get(f"/api/customers/{customer.id}/decisions/").status_code == 403


def test_merge_names_identifiers_and_is_listed_with_its_author(lin, shop, couple):
    noor, sam = couple

    answer = decide(
        lin,
        noor,
        "merge",
        f"user_id:{shop.source_id}/u-1",
        f"user_id:{shop.source_id}/u-2",
    )

    assert (answer.status_code, answer.json()["kind"]) == (201, "merge")
    assert live(sam) == live(noor)
    [listed] = lin.get(f"/api/customers/{noor.id}/decisions/").json()["results"]
    assert listed == answer.json()
    assert (listed["actor"], listed["reason"], listed["undone_at"]) == (
        "staff:lin",
        "they called",
        None,
    )
    assert listed["first_customer"] == listed["second_customer"] == str(live(noor))


def test_identifier_is_taken_off_by_separating_it_from_the_account(lin, shop):
    noor = factories.customer(NOOR, FAMILY, by=shop)
    rows = named(lin, noor)

    answer = decide(lin, noor, "separate", rows[FAMILY]["id"], rows[NOOR]["id"])
    record(identify(NOOR, FAMILY), by=shop)

    assert answer.status_code == 201
    assert FAMILY not in named(lin, noor)
    assert not Identifier.objects.filter(kind="email", customer_id=noor.id).exists()


def test_undone_merge_leaves_the_records_as_before(lin, couple):
    noor, sam = couple
    before = named(lin, noor), named(lin, sam)
    merge = decide(lin, noor, "merge", "user_id:u-1", "user_id:u-2").json()
    path = f"/api/customers/{noor.id}/decisions/{merge['id']}/undo/"

    undone = lin.post(path, {"reason": "two people"})
    again = lin.post(path)

    assert (named(lin, noor), named(lin, sam)) == before
    assert (undone.status_code, undone.json()["undone_by"]) == (200, "staff:lin")
    assert undone.json()["undone_reason"] == "two people"
    assert (again.status_code, again.json()["type"]) == (409, "urn:butler:problem:undone")


def test_decision_that_counts_already_is_not_stored_again(lin, couple):
    noor, _ = couple
    first = decide(lin, noor, "merge", "user_id:u-1", "user_id:u-2")

    again = decide(lin, noor, "merge", "user_id:u-2", "user_id:u-1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert ManualDecision.objects.count() == 1


def test_repeated_request_gets_the_first_response(lin, couple):
    noor, _ = couple
    key = {"Idempotency-Key": "once"}

    first = decide(lin, noor, "separate", "user_id:u-1", "email:family@example.com", **key)
    repeated = decide(lin, noor, "separate", "user_id:u-1", "email:family@example.com", **key)

    assert (first.status_code, repeated.status_code) == (201, 201)
    assert repeated["Idempotent-Replayed"] == "true"
    assert ManualDecision.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ("email:nobody@example.com", "user_id:u-1", "unknown-identifier"),
        (0, "user_id:u-1", "unknown-identifier"),
        (2**70, "user_id:u-1", "unknown-identifier"),
        ("user_id:u-1", "user_id:u-1", "same-identifier"),
        ("user_id:u-2", "email:sam@example.com", "other-record"),
    ],
)
def test_decision_about_these_identifiers_is_refused(lin, shop, couple, first, second, problem):
    noor, _ = couple
    factories.customer(SAMS, by=shop)

    answer = decide(lin, noor, "merge", first, second)

    assert (answer.status_code, answer.json()["type"]) == (409, f"urn:butler:problem:{problem}")
    assert not ManualDecision.objects.exists()


@pytest.mark.parametrize(
    "change", [{"reason": ""}, {"reason": "  "}, {"kind": "delete"}, {"first": None}, {"x": 1}]
)
def test_invalid_decision_is_refused(lin, couple, change):
    noor, _ = couple
    body = {"kind": "merge", "first": "user_id:u-1", "second": "user_id:u-2", "reason": "x"}

    answer = lin.post(f"/api/customers/{noor.id}/decisions/", body | change)

    assert answer.status_code == 422
    assert not ManualDecision.objects.exists()


def test_decision_of_another_record_is_not_found(lin, shop, couple):
    noor, _ = couple
    merge = decide(lin, noor, "merge", "user_id:u-1", "user_id:u-2").json()
    stranger = factories.customer(SAMS, by=shop)

    answer = lin.post(f"/api/customers/{stranger.id}/decisions/{merge['id']}/undo/")

    assert answer.status_code == 404
    assert ManualDecision.objects.get().undone_at is None


def test_orders_are_visible_on_both_accounts_only_while_they_are_merged(lin, shop, couple):
    noor, sam = couple
    record(order("A-1", NOOR, total="10"), order("B-2", SAM, total="20"), by=shop)

    def orders(customer):
        results = lin.get(f"/api/customers/{customer.id}/orders/").json()["results"]
        return sorted(row["number"] for row in results)

    before = orders(noor), orders(sam)
    merge = decide(lin, noor, "merge", "user_id:u-1", "user_id:u-2").json()
    merged = orders(noor), orders(sam)
    lin.post(f"/api/customers/{noor.id}/decisions/{merge['id']}/undo/")

    assert before == (["A-1"], ["B-2"])
    assert merged == (["A-1", "B-2"], ["A-1", "B-2"])
    assert (orders(noor), orders(sam)) == before
    assert Customer.objects.filter(canonical__isnull=False).count() == 0


def test_merge_of_an_account_that_left_again_claims_no_proof(desk):
    shop, app = (WireSource(name, "site", ids=name) for name in ("Shop", "App"))
    shop.identify(1, "u-1", email=FAMILY[1])
    app.identify(2, "u-1", email=FAMILY[1])
    family = record_of(FAMILY)

    app.identify(3, "u-1", email="sam@example.com")

    (merge,) = desk.get(f"/api/customers/{family}/merges/").json()["results"]
    assert (merge["reason"], merge["evidence"]) == ("statement", [])
