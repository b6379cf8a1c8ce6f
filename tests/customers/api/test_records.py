import json
import uuid

import pytest
from django.db import connection

from customers.models import AccessLogEntry, Customer, Event
from tests import factories
from tests.factories import NOON


def test_a_record_is_found_by_its_identifier_in_any_spelling(desk, noor):
    customer, _ = noor

    answer = desk.get("/api/customers/", {"identifier": "email:Noor@Example.com "})

    assert [record["id"] for record in answer.json()["results"]] == [str(customer.id)]
    assert answer.json()["results"][0]["is_verified"] is True


def test_number_finds_the_customers_of_all_sources_or_of_one(desk):
    shop, other_shop = factories.sender(), factories.sender()
    noor = factories.customer(("user_id", "42"), name="Noor", by=shop)
    bas = factories.customer(("user_id", "42"), name="Bas", by=other_shop)

    def names_of(identifier):
        answer = desk.get("/api/customers/", {"identifier": identifier})
        return {record["name"] for record in answer.json()["results"]}

    assert noor != bas
    assert names_of("user_id:42") == {"Noor", "Bas"}
    assert names_of(f"user_id:{shop.source_id}/42") == {"Noor"}
    assert names_of("user_id:43") == set()


def test_record_with_the_verified_address_comes_before_claims(desk, noor):
    """A claim beside a device is filed on the device, so the address does not find it."""
    customer, _ = noor
    shop = factories.sender(trusted=False)
    address = ("email", "noor@example.com")
    beside_device = factories.customer(("anonymous_id", "a-1"), address, by=shop)
    claimed = factories.customer(address, by=shop)

    answer = desk.get("/api/customers/", {"identifier": "email:noor@example.com"})

    records = [(record["id"], record["is_verified"]) for record in answer.json()["results"]]
    assert records == [(str(customer.id), True), (str(claimed.id), False)]
    assert beside_device != claimed


@pytest.mark.parametrize("identifier", ["", "noor", "email:", "nothing:x", "email:not one", ":"])
def test_invalid_identifier_is_refused(desk, identifier):
    answer = desk.get("/api/customers/", {"identifier": identifier})

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_all_records_are_listed_in_pages_both_ways(desk):
    customer_ids = [str(factories.customer(("user_id", f"u-{n}")).id) for n in range(5)]

    first = desk.get("/api/customers/", {"limit": 2}).json()
    second = desk.get(first["next"]).json()
    third = desk.get(second["next"]).json()
    back = desk.get(second["previous"]).json()

    assert first["previous"] is None
    assert third["next"] is None
    listed = [record["id"] for page in (first, second, third) for record in page["results"]]
    assert listed == customer_ids[::-1]
    assert back["results"] == first["results"]


def test_record_contains_the_stated_values(desk, noor):
    customer, _ = noor
    factories.record(
        factories.order("A-1", ("email", "noor@example.com"), total="12.50", currency="EUR"),
        factories.incoming_event(
            ("email", "noor@example.com"),
            name="Party Member Changed",
            about="member:m1",
            properties={"name": "Mia", "role": "child", "birth_date": "2019-04-01"},
        ),
    )

    answer = desk.get(f"/api/customers/{customer.id}/")

    record = answer.json()
    assert answer["ETag"] == f'"{record["version"]}"' == '"3"'
    assert record["traits"]["name"]["value"] == "Noor"
    assert record["traits"]["name"]["is_verified"] is True
    assert [order["total"] for order in record["orders"]] == ["12.50"]
    assert [member["name"] for member in record["party"]] == ["Mia"]
    assert {identifier["kind"] for identifier in record["identifiers"]} == {"email"}


def test_numbers_come_back_with_every_digit(desk):
    customer = factories.customer(("user_id", "u-1"), big=1e300, small=1e-300, exact=0.1)

    body = desk.get(f"/api/customers/{customer.id}/").content

    values = {name: trait["value"] for name, trait in json.loads(body)["traits"].items()}
    assert (values["big"], values["small"], values["exact"]) == (10**300, 1e-300, 0.1)


def test_read_of_a_known_version_gets_304(desk, noor):
    customer, _ = noor
    path = f"/api/customers/{customer.id}/"
    tag = desk.get(path)["ETag"]

    unchanged = desk.get(path, **{"If-None-Match": tag})
    weak = desk.get(path, **{"If-None-Match": f'W/{tag}, "x"'})
    old = desk.get(path, **{"If-None-Match": '"0"'})

    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", tag)
    assert weak.status_code == 304
    assert old.status_code == 200


def test_visit_that_passed_overnight_changes_the_etag(desk, noor, time_machine):
    customer, _ = noor
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    factories.record(
        factories.order("A-1", ("email", "noor@example.com"), visit_date="2026-11-21", at=NOON)
    )
    with connection.cursor() as cursor:
        # A test cannot move the clock of the database, so it sets the write time of the event.
        cursor.execute("ALTER TABLE customers_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE customers_event SET recorded_at = '2026-11-21T12:00:01Z'")
        cursor.execute("ALTER TABLE customers_event ENABLE TRIGGER USER")
    path = f"/api/customers/{customer.id}/"
    today = desk.get(path)

    again = desk.get(path, **{"If-None-Match": today["ETag"]})
    time_machine.move_to("2026-11-22T12:00:00Z")
    tomorrow = desk.get(path, **{"If-None-Match": today["ETag"]})

    assert today.json()["next_visit"]["number"] == "A-1"
    assert again.status_code == 304
    assert (tomorrow.status_code, tomorrow.json()["next_visit"]) == (200, None)


def test_a_version_can_be_demanded(desk, noor):
    customer, _ = noor
    path = f"/api/customers/{customer.id}/"

    assert desk.get(path, {"at_least": 1}).status_code == 200
    ahead = desk.get(path, {"at_least": 2})
    assert (ahead.status_code, ahead.json()["version"]) == (409, 1)
    assert desk.get(path, {"at_least": "x"}).status_code == 400


def test_read_of_a_merged_record_returns_the_live_record(desk):
    live_record = factories.customer(("user_id", "u-1"))
    other = factories.customer(("email", "noor@example.com"))
    factories.record(factories.identify(("user_id", "u-1"), ("email", "noor@example.com")))

    answer = desk.get(f"/api/customers/{other.id}/")

    assert answer.json()["id"] == str(live_record.id)
    assert answer["Content-Location"] == f"/api/customers/{live_record.id}/"
    assert [member["joined"] for member in answer.json()["members"]] == [str(other.id)]


def test_missing_record_and_record_of_another_customer_get_the_same_response(noor, eli):
    _, app = noor
    others, _ = eli

    missing = app.get(f"/api/customers/{uuid.uuid4()}/")
    foreign = app.get(f"/api/customers/{others.id}/")

    assert missing.status_code == foreign.status_code == 404
    assert missing.content == foreign.content
    assert app.get("/api/customers/").status_code == 403


def test_customers_read_their_own_record_by_both_names(noor):
    customer, app = noor

    own, by_id = app.get("/api/me/"), app.get(f"/api/customers/{customer.id}/")

    assert own.json()["id"] == str(customer.id)
    assert own.content == by_id.content


@pytest.mark.slow
def test_record_with_100000_events_is_read_without_its_log(desk, noor):
    """The plan reads each part by its key, and of the log at most the newest event."""
    customer, _ = noor
    _lengthen(customer, 100_000)

    with _plans() as plans:
        desk.get(f"/api/customers/{customer.id}/", **{"If-None-Match": '"1"'})
        desk.get(f"/api/customers/{customer.id}/timeline/", {"limit": 50})
        desk.get(f"/api/customers/{customer.id}/timeline/", {"about": "order:A-9"})

    events_read = [rows for plan in plans for rows in _rows_of(plan, "customers_event")]
    assert len(plans) >= 4
    assert sum(events_read) <= 51 + 51 + 1


def _lengthen(customer: Customer, count: int) -> None:
    """Put many events on a log, as ingest would have, in statements that are soon answered."""
    last = Event.objects.filter(customer=customer).latest("version")
    chunk = 10_000
    with connection.cursor() as cursor:
        for first in range(1, count, chunk):
            cursor.execute(
                """
                INSERT INTO customers_event
                       (customer_id, version, source_id, message_id, message_key, body_hash,
                        kind, name, about, evidence, actor, identifier_ids, occurred_at,
                        received_at, body)
                SELECT %s, %s + n, %s, n::text, gen_random_uuid(), gen_random_uuid(),
                       'track', 'Ride Entered', '', 2, '', '{}', now(), now(), '{}'
                  FROM generate_series(%s, %s) AS n
                """,
                [customer.id, last.version, last.source_id, first, first + chunk - 1],
            )
        cursor.execute(
            "UPDATE customers_customer SET version = %s WHERE id = %s",
            [last.version + count, customer.id],
        )
        cursor.execute("ANALYZE customers_event")


def _rows_of(plan: dict, table: str) -> list[int]:
    """Return how many rows each node of a plan took from a table."""
    below = [rows for inner in plan.get("Plans", []) for rows in _rows_of(inner, table)]
    if plan.get("Relation Name") != table:
        return below
    rows_read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return [*below, round(rows_read * plan["Actual Loops"])]


def _plans():
    """Let every statement that the runner runs be explained as it runs."""
    from contextlib import contextmanager

    from customers import db

    @contextmanager
    def explaining():
        plans: list[dict] = []
        original = db.rows

        def explained(statement, params):
            plan = original(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params)[0][0]
            plans.append((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
            return original(statement, params)

        db.rows = explained
        try:
            yield plans
        finally:
            db.rows = original

    return explaining()


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=0.9", "nonsense", ""])
def test_record_is_json_for_any_accept_header(desk, noor, accept):
    answer = desk.get(f"/api/customers/{noor[0].id}/", Accept=accept)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_each_look_at_a_record_leaves_a_row(desk, method):
    customer = factories.customer()

    assert desk.send(method, f"/api/customers/{customer.id}/").status_code == 200

    assert AccessLogEntry.objects.get().customer_id == customer.pk
