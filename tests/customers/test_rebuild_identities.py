"""`manage.py rebuild --identities` groups all identifiers by today's rules, and says what changes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from customers.identity import decisions, rebuilding
from customers.models import (
    Customer,
    Event,
    Identifier,
    Link,
    RefiledEvent,
    Review,
    Source,
    Space,
    User,
)
from customers.types import CONFIRMED, NOTED, STATED
from tests import factories
from tests.factories import NOON, identify, incoming_event, order, record

pytestmark = pytest.mark.django_db

NUMBER = ("user_id", "5")
NOOR, SAM = ("email", "noor@example.com"), ("email", "sam@example.com")
NOTHING = "0 records split, 0 records join, 0 links restored, 0 identifiers and links change"
LATER = NOON + timedelta(hours=1)


def rebuild(*options):
    """Run the command; return its lines and, if it fails, its sentence."""
    out = StringIO()
    try:
        call_command("rebuild", *options, stdout=out, stderr=out)
    except CommandError as error:
        return [*out.getvalue().splitlines(), str(error)]
    return out.getvalue().splitlines()


def identities(*options):
    return rebuild("--identities", *options)


def rows():
    """All that says who is who, to compare it before and after."""
    return [
        sorted(model.objects.values_list(*names))
        for model, names in (
            (Identifier, ("id", "customer_id", "is_shared", "is_placeholder")),
            (Link, ("id", "first_id", "second_id", "evidence", "state", "occurred_at")),
            (Customer, ("id", "version")),
            (Event, ("customer_id", "version")),
        )
    ] + [sorted(Customer.objects.exclude(canonical=None).values_list("id", "canonical_id"))]


def owner(kind, value):
    return Identifier.objects.get(kind=kind, value=value).customer_id


@pytest.fixture
def app():
    return factories.sender(factories.source("app"))


@pytest.fixture
def shop():
    return factories.sender(factories.source("shop", "web"))


def forget_links(**conditions):
    """Take links out, as if an older release had not stored them."""
    Link.objects.filter(**conditions).delete()


def join_as_before(first, second):
    """Put a record below another one, as the rules of an older release did."""
    merged, live = Identifier.objects.get(**first), Identifier.objects.get(**second)
    Customer.objects.filter(pk=merged.record_id).update(canonical=live.customer_id)
    Identifier.objects.filter(customer_id=merged.customer_id).update(customer_id=live.customer_id)


def test_records_that_match_the_rules_stay_and_the_command_succeeds(app, shop):
    record(identify(NUMBER, NOOR), order("A-1", NUMBER, NOOR, ("order", "A-1")), by=app)
    record(identify(NUMBER, SAM, ("card", "C-1"), ("phone", "+31612345678")), by=shop)
    record(identify(("user_id", "6"), NOOR), by=app)
    before = rows()

    assert identities()[-1].endswith(NOTHING)
    assert identities("--dry-run")[-1].endswith(NOTHING)
    assert rows() == before


class TestLinks:
    def test_missing_link_is_drawn_with_its_evidence_and_earliest_time(self, app):
        record(identify(NUMBER, NOOR, at=LATER), by=app)
        record(identify(NUMBER, NOOR), by=app)
        forget_links()

        lines = identities()

        link = Link.objects.get()
        assert (link.evidence, link.occurred_at, link.state) == (STATED, NOON, "joined")
        assert ": 0 records split, 0 records join, 1 links restored" in lines[-1]
        assert identities()[-1].endswith(NOTHING)

    def test_address_of_a_track_is_noted(self, app):
        record(incoming_event(NUMBER, NOOR), by=app)
        forget_links()

        identities()

        assert Link.objects.get().evidence == NOTED

    def test_source_that_checks_addresses_now_confirms_them(self, app):
        record(identify(NUMBER, NOOR), by=app)
        Source.objects.filter(pk=app.source_id).update(addresses="checked")

        identities()

        assert set(Link.objects.values_list("evidence", flat=True)) == {STATED, CONFIRMED}

    def test_stored_stronger_evidence_stays_alone(self, app):
        record(identify(NUMBER, NOOR), by=app)
        Link.objects.update(evidence=CONFIRMED)

        assert identities()[-1].endswith(NOTHING)
        assert Link.objects.get().evidence == CONFIRMED

    def test_orders_find_their_customer_again(self, app):
        record(order("A-1", NUMBER, ("order", "A-1")), by=app)
        forget_links()

        identities()

        assert Link.objects.get().kind == "placed"
        assert owner("order", f"{app.source_id}/A-1") == owner("user_id", f"{app.source_id}/5")

    def test_equal_numbers_of_a_space_are_linked(self, app, shop):
        record(identify(NUMBER, NOOR), by=app)
        record(incoming_event(NUMBER), by=shop)
        space = Space.objects.create(name="company")
        Source.objects.filter(pk__in=[app.source_id, shop.source_id]).update(space=space)
        forget_links(kind="equal")

        lines = identities()

        assert owner("user_id", f"{app.source_id}/5") == owner("user_id", f"{shop.source_id}/5")
        assert any(
            line.startswith("join") and "user_id 5 of shop and user_id 5 of app are equal" in line
            for line in lines
        )


class TestReasons:
    """Each record that is split from another one has a line with the reason."""

    def assert_split(self, *expected):
        lines = [line for line in identities("--dry-run") if line.startswith("split")]
        assert len(lines) == 1
        assert all(text in lines[0] for text in expected), lines

    def test_equal_numbers_in_main_without_a_common_address(self, app, shop):
        record(identify(NUMBER, NOOR), by=app)
        record(incoming_event(NUMBER), by=shop)
        join_as_before({"value": f"{shop.source_id}/5"}, {"value": f"{app.source_id}/5"})

        self.assert_split(
            "user_id 5 of shop and user_id 5 of app", "in main without a common e-mail"
        )

    def test_address_that_was_only_noted(self, app):
        till = factories.sender(factories.source("till", "store"))
        record(identify(NOOR, ("phone", "+31612345678")), by=till)
        record(incoming_event(("phone", "+31612345678")), by=till)
        record(incoming_event(NOOR), by=app)
        join_as_before({"kind": "phone"}, {"kind": "email"})

        self.assert_split("till only noted", "phone +31612345678 and email noor@example.com")

    def test_address_of_another_account(self, app):
        record(identify(NUMBER, NOOR), by=app)
        record(identify(("user_id", "6"), NOOR, at=LATER), by=app)
        join_as_before({"value": f"{app.source_id}/6"}, {"value": f"{app.source_id}/5"})

        self.assert_split(
            "app stated", "user_id 6 of app", "another record has one of them already"
        )

    def test_claim_of_a_publishable_key(self):
        browser = factories.sender(factories.source("site", "web"), trusted=False)
        record(incoming_event(("anonymous_id", "a"), ("anonymous_id", "b")), by=browser)
        record(incoming_event(("anonymous_id", "b")), by=browser)
        join_as_before({"value": "b"}, {"value": "a"})

        self.assert_split("site only claimed", "anybody can use its key")

    def test_numbers_of_two_spaces(self, app, shop):
        record(identify(NUMBER, NOOR), by=app)
        record(incoming_event(NUMBER), by=shop)
        join_as_before({"value": f"{shop.source_id}/5"}, {"value": f"{app.source_id}/5"})
        Source.objects.filter(pk=shop.source_id).update(space=Space.objects.create(name="shop"))

        self.assert_split("equal numbers of two spaces")

    def test_records_without_any_link(self, app):
        record(incoming_event(NOOR), incoming_event(SAM), by=app)
        join_as_before({"value": NOOR[1]}, {"value": SAM[1]})

        self.assert_split("no statement of a source joins them")


def test_dry_run_changes_nothing_and_prints_what_the_run_does(app, shop):
    record(identify(NUMBER, NOOR), by=app)
    record(identify(NUMBER, SAM), by=shop)
    join_as_before({"value": f"{shop.source_id}/5"}, {"value": f"{app.source_id}/5"})
    before = rows()

    previewed = identities("--dry-run")

    assert previewed[-1] == "Some records would change."
    assert rows() == before
    assert identities() == previewed[:-1]
    assert owner(*SAM) != owner(*NOOR)
    assert identities("--dry-run")[-1].endswith(NOTHING)
    assert rebuild("--check")[-1].endswith("0 differences, 0 events skipped")


def test_placeholder_is_settled_in_one_run(app):
    for number in range(8):
        record(identify(("user_id", "desk"), ("email", f"c{number}@mail.nl")), by=app)
    Identifier.objects.update(is_placeholder=False)
    RefiledEvent.objects.all().delete()

    identities()

    assert Identifier.objects.get(kind="user_id").is_placeholder
    assert identities("--dry-run")[-1].endswith(NOTHING)


def test_check_reports_records_that_differ_from_the_grouping(app, shop):
    record(identify(NUMBER, NOOR), by=app)
    record(incoming_event(NUMBER), by=shop)
    join_as_before({"value": f"{shop.source_id}/5"}, {"value": f"{app.source_id}/5"})
    before = rows()

    lines = rebuild("--check")

    assert any(line.startswith("split") and "in main without" in line for line in lines)
    assert "differ from the grouping: 1 records split" in lines[-2]
    assert "rebuild --identities --dry-run" in lines[-1]
    assert rows() == before


def test_run_resumes_after_an_identifier(app):
    record(identify(NUMBER, NOOR), identify(("user_id", "6"), SAM), by=app)
    numbers = sorted(Identifier.objects.values_list("id", flat=True))
    forget_links()

    later = identities("--after", str(numbers[1]), "--batch", "1")

    assert later[-1].startswith("2 identifiers: ")
    assert identities("--batch", "1")[-1].startswith("4 identifiers: ")
    assert Link.objects.count() == 2
    assert identities("--after", str(numbers[-1]))[-1].startswith("0 identifiers: ")


def test_after_needs_the_id_of_an_identifier(app):
    assert "--after needs the id of an identifier" in identities("--after", "x")[-1]
    assert "--after needs the id of a record" in rebuild("--after", "5")[-1]


def test_decisions_of_people_outlast_the_run(app, shop):
    first = record(identify(NUMBER, NOOR), by=app).outcomes[0].customer_id
    second = record(incoming_event(NUMBER), by=shop).outcomes[0].customer_id
    decisions.merge_records(first, second, actor="staff:lin", now=NOON)
    before = rows()

    assert identities()[-1].endswith(NOTHING)
    assert rows() == before


def test_staff_are_asked_about_customers_who_signed_in_and_lose_a_record(app, shop):
    record(identify(NUMBER, NOOR), by=app)
    record(incoming_event(NUMBER), by=shop)
    record(incoming_event(NOOR), by=app)
    join_as_before({"value": f"{shop.source_id}/5"}, {"value": f"{app.source_id}/5"})
    mailbox = Identifier.objects.get(kind="email")
    User.objects.create_user(NOOR[1], record_id=mailbox.record_id)

    identities()

    review = Review.objects.get()
    shop_record = owner("user_id", f"{shop.source_id}/5")
    assert {review.first_id, review.second_id} == {owner(*NOOR), shop_record}
    assert review.kind == Review.Kind.SUGGESTED_MERGE


def test_batches_leave_out_records_of_an_earlier_batch(app):
    record(identify(NUMBER, NOOR), by=app)
    record(incoming_event(SAM), by=app)
    batches = list(rebuilding.identifier_batches(batch=2))
    again = list(rebuilding.identifier_batches(after=min(batches[0]), batch=2))

    assert rebuilding.without_earlier(batches[0]) == batches[0]
    assert set(rebuilding.without_earlier(again[0])) == {Identifier.objects.get(value=SAM[1]).pk}


class TestMoveSource:
    def move(self, *options):
        sentences = StringIO()
        call_command("move_source", *options, stdout=StringIO(), stderr=sentences)
        return sentences.getvalue()

    def test_equal_numbers_join_in_a_named_space(self, app, shop):
        record(identify(NUMBER, NOOR), by=app)
        record(incoming_event(NUMBER), by=shop)
        logs = sorted(Event.objects.values_list("message_id", "customer_id", "version"))
        before = rows()

        previewed = self.move("app", "shop", "--ids", "company", "--dry-run")

        assert rows() == before
        assert "user_id 5 of shop and user_id 5 of app are equal numbers, and" in previewed
        assert "0 records split, 1 records join" in previewed
        moved = self.move("app", "shop", "--ids", "company")
        assert "0 records split, 1 records join" in moved
        assert owner("user_id", f"{app.source_id}/5") == owner("user_id", f"{shop.source_id}/5")
        events = Event.objects.exclude(kind="identity")
        assert sorted(events.values_list("message_id", "customer_id", "version")) == logs
        assert rebuild("--check")[-1].endswith("0 differences, 0 events skipped")

    def test_numbers_part_when_a_source_leaves_their_space(self, app, shop):
        self.move("app", "shop", "--ids", "company")
        record(identify(NUMBER, NOOR), by=factories.sender(Source.objects.get(name="app")))
        record(incoming_event(NUMBER), by=factories.sender(Source.objects.get(name="shop")))
        assert owner("user_id", f"{app.source_id}/5") == owner("user_id", f"{shop.source_id}/5")

        moved = self.move("shop", "--ids", "shop", "--batch", "1")

        assert "equal numbers of two spaces" in moved
        assert "1 records split, 0 records join" in moved
        assert owner("user_id", f"{app.source_id}/5") != owner("user_id", f"{shop.source_id}/5")

    def test_second_move_to_the_same_space_resumes_the_grouping(self, app, shop):
        record(identify(NUMBER, NOOR), by=app)
        record(incoming_event(NUMBER), by=shop)
        space = Space.objects.create(name="company")
        Source.objects.filter(pk__in=[app.source_id, shop.source_id]).update(space=space)
        last = Identifier.objects.order_by("-pk").first()

        skipped = self.move("shop", "--ids", "company", "--after", str(last.pk))
        resumed = self.move("shop", "--ids", "company")

        assert "0 records split, 0 records join" in skipped
        assert "1 records join" in resumed


@pytest.mark.django_db(transaction=True)
def test_events_arrive_while_the_identifiers_are_grouped(app, shop):
    for number in range(100, 120):
        record(identify(("user_id", str(number)), ("email", f"c{number}@mail.nl")), by=app)
    forget_links()

    def send() -> None:
        """Store events about the same customers, and close the connection of this thread."""
        for number in range(100, 120):
            mailbox = ("email", f"c{number}@mail.nl")
            record(identify(("user_id", str(number)), mailbox, at=LATER), by=shop)
            record(incoming_event(("user_id", str(number)), mailbox, at=LATER), by=app)
        connection.close()

    with ThreadPoolExecutor(1) as others:
        sending = others.submit(send)
        while not sending.done():
            identities("--batch", "3")
        sending.result()

    identities()
    assert identities("--dry-run")[-1].endswith(NOTHING)
    assert Event.objects.exclude(kind="identity").count() == 60
    records = {owner("email", f"c{number}@mail.nl") for number in range(100, 120)}
    numbers = Identifier.objects.filter(kind="user_id")
    assert len(records) == 20
    assert set(numbers.values_list("customer_id", flat=True)) == records
    assert rebuild("--check")[-1].endswith("0 differences, 0 events skipped")
