"""A database of release 0.1 is carried over: what each kind of row becomes (migration 0024)."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection

from customers.types import CLAIMED, CONFIRMED, NOTED, OPENED, STATED
from tests import size
from tests.conftest import database_url
from tests.customers.old_database import OldDatabase, old_database, run

EQUAL_NUMBERS = "are equal numbers in main without a common e-mail"


def fill(old: OldDatabase) -> SimpleNamespace:
    """Store the customers of a small company, each with another kind of row."""
    ids = SimpleNamespace(
        app=old.source("app"),
        shop=old.source("shop", "web"),
        till=old.source("till", "store", is_shared=True),
    )
    fill_one_customer_of_two_sources(old, ids)
    fill_strangers_with_one_number(old, ids)
    fill_words_of_staff(old, ids)
    fill_odd_numbers(old, ids)
    fill_shared_mailbox_and_claim(old, ids)
    return ids


def fill_one_customer_of_two_sources(old, ids):
    """The shop names a customer of the app, with the same mailbox. She signed in once."""
    noor = old.record()
    mailbox_record = old.record(noor)
    number = old.identifier("user_id", "5", noor, files=noor)
    mail = old.identifier("email", "noor@mail.nl", noor, files=mailbox_record)
    old.event(ids.app, noor, [number, mail], kind="identify", days=2)
    old.event(ids.shop, noor, [number, mail], kind="identify", days=3)
    placed = old.identifier("order", "S-1", noor)
    old.event(ids.shop, noor, [number, placed], name="Ride Entered", days=4)
    old.login("noor@mail.nl", mailbox_record, mail)


def fill_strangers_with_one_number(old, ids):
    """The shop has another customer with a number of the app, and others note what they hear."""
    sam = old.record()
    mail_record = old.record(sam)
    number = old.identifier("user_id", "6", sam, files=sam)
    mail = old.identifier("email", "sam@mail.nl", sam, files=mail_record)
    stranger = old.identifier("email", "stranger@mail.nl", sam)
    old.event(ids.app, sam, [number, mail], kind="identify")
    old.event(ids.shop, sam, [number, stranger], kind="identify")
    card = old.identifier("card", "C-1", sam)
    old.event(ids.app, sam, [number, card], kind="identify")
    phone = old.identifier("phone", "+31612345678", sam)
    old.event(ids.till, sam, [mail, phone], origin=mail_record)
    imported = old.identifier("email", "sam@old.nl", sam)
    old.event(old.source("crm", "import"), sam, [number, imported], kind="identify")
    written = old.identifier("email", "sam@desk.nl", sam)
    old.event(old.source("staff console", "console"), sam, [number, written], kind="identify")


def fill_words_of_staff(old, ids):
    guest, friend = old.record(), old.record()
    ids.guest = old.identifier("email", "guest@mail.nl", guest, files=guest)
    ids.friend = old.identifier("email", "friend@mail.nl", friend, files=friend)
    old.link(ids.guest, ids.friend, 1, kind="parted", actor="staff:lin")
    joined = old.record(guest)
    ids.joined = old.identifier("phone", "+31611111111", guest, files=joined)
    old.link(ids.guest, ids.joined, 1, kind="joined", actor="staff:sam")


def fill_odd_numbers(old, ids):
    """A number is spelled like a mailbox, another one like the number of the shop."""
    mail_number = old.record()
    old.identifier("user_id", "Lin@login.nl", mail_number, files=mail_number)
    slashed, nine = old.record(), old.record()
    slash_id = old.identifier("user_id", f"{ids.shop}/9", slashed, files=slashed)
    nine_id = old.identifier("user_id", "9", nine, files=nine)
    old.event(ids.app, slashed, [slash_id])
    old.event(ids.app, nine, [nine_id])
    old.event(ids.shop, nine, [nine_id])


def fill_shared_mailbox_and_claim(old, ids):
    """A mailbox of two accounts led to nobody. A browser claims a customer."""
    first_record, second_record = old.record(), old.record()
    family = old.identifier("email", "family@mail.nl", None)
    first = old.identifier("user_id", "one", first_record, files=first_record)
    second = old.identifier("user_id", "two", second_record, files=second_record)
    old.event(ids.app, first_record, [first, family], kind="identify")
    old.event(ids.app, second_record, [second, family], kind="identify", days=1)
    browsed = old.record()
    browser = old.identifier("anonymous_id", "b-1", browsed, files=browsed, trust=1)
    claim = old.identifier("user_id", "5", None, trust=1)
    old.event(ids.shop, browsed, [browser, claim], trust=1)


@pytest.fixture(scope="module")
def carried(django_db_setup, django_db_blocker):
    """The report of the carried-over database, and the ids of its rows."""
    with old_database(database_url(connection.settings_dict)) as (url, rows):
        ids = fill(OldDatabase(rows))
        report, later = run("new", url), run("check", url)
    links = {(row[0], frozenset(row[4:6])): row for row in report["links"]}
    records = {f"{kind} {value}": record for kind, value, record, _ in report["records"]}
    return SimpleNamespace(report=report, later=later, ids=ids, links=links, records=records)


def evidence_of(carried, source, *ends):
    """The evidence and the state of a link, by its two ends."""
    row = carried.links[source, frozenset(ends)]
    return row[2], row[3]


def test_each_source_gets_its_own_number_with_its_events(carried):
    app, shop = carried.ids.app, carried.ids.shop
    filed = {f"{kind} {value}": count for kind, value, _, count in carried.report["numbers"]}

    assert filed[f"user_id {app}/5"] == 1
    assert filed[f"user_id {shop}/5"] == 2
    assert (filed[f"user_id {app}/6"], filed[f"user_id {shop}/6"]) == (3, 1)
    # Two events of the shop about number 5, and one each about 6 and 9; one of the import.
    assert carried.report["refiled"] == 5


def test_link_has_the_evidence_of_its_source(carried):
    app, shop = carried.ids.app, carried.ids.shop
    six = f"user_id {app}/6"

    assert evidence_of(carried, "app", six, "email sam@mail.nl") == (STATED, "joined")
    assert evidence_of(carried, "shop", f"user_id {shop}/6", "email stranger@mail.nl") == (
        STATED,
        "joined",
    )
    assert evidence_of(carried, "app", six, "card C-1") == (STATED, "attached")
    assert evidence_of(carried, "till", "email sam@mail.nl", "phone +31612345678")[0] == NOTED
    crm_link = next(row for row in carried.report["links"] if "email sam@old.nl" in row)
    assert (crm_link[0], crm_link[2]) == ("crm", NOTED)
    assert evidence_of(carried, "staff console", six, "email sam@desk.nl") == (CONFIRMED, "joined")


def test_link_with_a_proved_mailbox_is_opened_for_each_source(carried):
    app_number, shop_number = f"user_id {carried.ids.app}/5", f"user_id {carried.ids.shop}/5"
    mailbox = "email noor@mail.nl"

    assert evidence_of(carried, "app", app_number, mailbox) == (OPENED, "joined")
    assert evidence_of(carried, "shop", shop_number, mailbox) == (OPENED, "joined")
    earliest = carried.links["app", frozenset({app_number, mailbox})][6]
    assert earliest.startswith("2025-11-23 12:00:00")


def test_orders_and_claims_join_nothing(carried):
    shop_number, order = f"user_id {carried.ids.shop}/5", f"order {carried.ids.shop}/S-1"
    claim = f"user_id {carried.ids.shop}/5"

    assert evidence_of(carried, "shop", shop_number, order) == (NOTED, "filed")
    assert evidence_of(carried, "shop", "anonymous_id b-1", claim) == (CLAIMED, "filed")


def test_words_of_staff_become_decisions(carried):
    ids = carried.ids

    assert carried.report["decisions"] == [
        ["separate", ids.guest, ids.friend, "staff:lin"],
        ["merge", ids.guest, ids.joined, "staff:sam"],
    ]
    assert carried.records["email guest@mail.nl"] == carried.records["phone +31611111111"]
    assert carried.records["email guest@mail.nl"] != carried.records["email friend@mail.nl"]


def test_numbers_that_look_like_other_values_stay_apart(carried):
    app, shop = carried.ids.app, carried.ids.shop

    assert "email lin@login.nl" in carried.records
    slashed, nine = carried.records[f"user_id {app}/{shop}/9"], carried.records[f"user_id {app}/9"]
    assert slashed != nine


def test_dry_run_names_each_record_that_is_split_or_joined(carried):
    dry_run, rebuilt = carried.report["dry run"], carried.report["rebuild"]
    lines = [line.partition(": ")[2] for line in dry_run if line.startswith(("split", "join"))]

    assert f"user_id 6 of shop and user_id 6 of app {EQUAL_NUMBERS}" in lines
    assert f"user_id 9 of shop and user_id 9 of app {EQUAL_NUMBERS}" in lines
    assert dry_run[-1] == "Some records would change."
    assert [line for line in rebuilt if line.startswith(("split", "join"))] == [
        line for line in dry_run if line.startswith(("split", "join"))
    ]


def test_rebuild_groups_by_the_rules(carried):
    app, shop, records = carried.ids.app, carried.ids.shop, carried.records

    assert records[f"user_id {app}/5"] == records[f"user_id {shop}/5"]
    assert records[f"user_id {app}/5"] == records["email noor@mail.nl"]
    assert records[f"user_id {app}/6"] == records["email sam@mail.nl"]
    assert records[f"user_id {shop}/6"] == records["email stranger@mail.nl"]
    assert records[f"user_id {app}/6"] != records[f"user_id {shop}/6"]
    assert records[f"user_id {app}/one"] == records["email family@mail.nl"]
    assert records[f"user_id {app}/two"] != records["email family@mail.nl"]


def test_logs_match_before_and_after_the_run_and_after_new_events(carried):
    report = carried.report

    assert report["differences"] == []
    assert report["check"] == [report["check"][0]]
    assert report["check"][0].endswith("0 differences, 0 events skipped")
    assert carried.later["check"][0].endswith("0 differences, 0 events skipped")
    assert carried.later["second run"][-1].endswith(
        ": 0 records split, 0 records join, 0 links restored, 0 identifiers and links change"
    )


def test_customer_signs_in_as_before_and_new_events_find_their_number(carried):
    assert carried.report["sign-ins"] == [["noor@mail.nl", True]]
    assert carried.report["new event"] == carried.records[f"user_id {carried.ids.shop}/6"]


def test_source_replaces_the_address_that_it_stated_before(carried):
    number, addresses = f"{carried.ids.shop}/6", carried.report["new address"]

    assert {frozenset(address.split()) for address in addresses} == {
        frozenset({number, "stranger@mail.nl", "replaced"}),
        frozenset({number, "moved@mail.nl", "joined"}),
    }


@size.only_long
def test_100_000_customers_are_carried_over(django_db_setup, django_db_blocker):
    customers = 100_000
    with old_database(database_url(connection.settings_dict)) as (url, rows):
        script = Path(__file__).with_name("old_customers.sql").read_text()
        rows.execute(script.replace("%(customers)s", str(customers)))
        report = run("new", url)

    print(f"{customers:,} customers, seconds: {report['seconds']}")
    assert report["differences"] == []
    assert f"{customers // 20} records split" in report["rebuild"][-1]
    # The check also compares all records with the grouping.
    assert len(report["check"]) == 1
    assert report["check"][0].endswith("0 differences, 0 events skipped")
    assert report["sign-ins"]
    assert all(has_record for _, has_record in report["sign-ins"])
