import pytest

from customers.models import Event, Order, RefiledEvent
from tests import factories
from tests.factories import order, record

NOOR, SAM = ("email", "noor@example.com"), ("email", "sam@example.com")


@pytest.fixture
def mixed_up(db):
    """Noor and Sam, an order of Sam on Noor's record, and its path in the API."""
    noor = factories.customer(("user_id", "u-1"), NOOR, name="Noor")
    sam = factories.customer(SAM, name="Sam")
    record(order("A-1", ("user_id", "u-1"), total="10.00"))
    event = Event.objects.get(name="Order Completed")
    path = f"timeline/{event.customer_id}/{event.version}/refile/"
    return noor, sam, path


def names(caller, customer):
    results = caller.get(f"/api/customers/{customer.id}/timeline/").json()["results"]
    return [event["name"] for event in results]


def test_event_is_filed_on_another_customer(lin, mixed_up):
    noor, sam, path = mixed_up

    answer = lin.post(
        f"/api/customers/{noor.id}/{path}",
        {"identifier": "email:Sam@example.com", "reason": "wrong card"},
    )

    assert (answer.status_code, answer.json()["customer"]) == (200, str(sam.id))
    assert answer.json()["is_moved"] is True
    assert Order.objects.get().customer == sam
    assert "Order Completed" in names(lin, sam)
    assert "Order Completed" not in names(lin, noor)
    refiled = RefiledEvent.objects.get()
    assert (refiled.actor, refiled.reason) == ("staff:lin", "wrong card")


def test_repeated_request_moves_the_event_once(lin, mixed_up):
    noor, _, path = mixed_up
    body = {"identifier": "email:sam@example.com"}
    key = {"Idempotency-Key": "once"}

    first = lin.post(f"/api/customers/{noor.id}/{path}", body, **key)
    repeated = lin.post(f"/api/customers/{noor.id}/{path}", body, **key)
    without_key = lin.post(f"/api/customers/{noor.id}/{path}", body)

    assert repeated.json() == first.json()
    assert repeated["Idempotent-Replayed"] == "true"
    assert without_key.json() == {**first.json(), "is_moved": False}
    assert Event.objects.filter(name="Event Refiled").count() == 2


def test_delete_returns_the_event_to_the_identifier_it_was_written_with(lin, mixed_up):
    noor, sam, path = mixed_up
    lin.post(f"/api/customers/{noor.id}/{path}", {"identifier": "email:sam@example.com"})

    answer = lin.delete(f"/api/customers/{sam.id}/{path}")

    assert (answer.status_code, answer.json()["customer"]) == (200, str(noor.id))
    assert Order.objects.get().customer == noor
    assert not RefiledEvent.objects.exists()


@pytest.mark.parametrize("identifier", ["email:nobody@example.com", "email:x", "name:Sam", "noor"])
def test_unknown_identifier_is_refused(lin, mixed_up, identifier):
    noor, _, path = mixed_up

    answer = lin.post(f"/api/customers/{noor.id}/{path}", {"identifier": identifier})

    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:butler:problem:unknown-identifier",
    )


def test_order_number_of_two_sources_needs_the_source(lin, mixed_up):
    noor, sam, path = mixed_up
    sources = [factories.sender(), factories.sender()]
    for by in sources:
        record(order("B-7", SAM, ("order", "B-7")), by=by)

    ambiguous = lin.post(f"/api/customers/{noor.id}/{path}", {"identifier": "order:B-7"})
    exact = lin.post(
        f"/api/customers/{noor.id}/{path}", {"identifier": f"order:{sources[0].source_id}/B-7"}
    )

    assert (ambiguous.status_code, ambiguous.json()["type"]) == (
        409,
        "urn:butler:problem:ambiguous-identifier",
    )
    assert (exact.status_code, exact.json()["customer"]) == (200, str(sam.id))


def test_event_of_another_customer_is_not_found(lin, mixed_up):
    noor, sam, path = mixed_up
    body = {"identifier": "email:sam@example.com"}

    assert lin.post(f"/api/customers/{sam.id}/{path}", body).status_code == 404
    for version in (99, 10**30):
        missing = f"/api/customers/{noor.id}/timeline/{noor.id}/{version}/refile/"
        assert lin.post(missing, body).status_code == 404
        assert lin.delete(missing).status_code == 404


def test_event_about_identity_stays(lin, mixed_up):
    noor, _, path = mixed_up
    body = {"identifier": "email:sam@example.com"}
    lin.post(f"/api/customers/{noor.id}/{path}", body)
    event = Event.objects.get(name="Event Refiled", customer=noor)

    answer = lin.post(f"/api/customers/{noor.id}/timeline/{noor.id}/{event.version}/refile/", body)

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:butler:problem:fixed-event")


def test_body_without_an_identifier_is_refused(lin, mixed_up):
    noor, _, path = mixed_up

    assert lin.post(f"/api/customers/{noor.id}/{path}", {"reason": "x"}).status_code == 422


def test_customer_and_staff_without_the_right_cannot_refile(mixed_up, eli, make_staff):
    _, _, path = mixed_up
    body = {"identifier": "email:sam@example.com"}
    customer, app = eli

    assert app.post(f"/api/customers/{customer.id}/{path}", body).status_code == 403
    reader = make_staff("view_customer", "view_review")
    assert reader.post(f"/api/customers/{customer.id}/{path}", body).status_code == 403
    manager = make_staff("view_customer", "change_review")
    event = Event.objects.get(name="Order Completed")
    path = f"/api/customers/{event.customer_id}/{path}"
    assert manager.post(path, body).status_code == 200
