import pytest

from customers.models import Customer, Merge, Review
from tests import factories

ADDRESS = "noor@example.com"


@pytest.fixture
def suspicion(db):
    """Two records that may be one: an app claims the address that Noor proved.

    Reviews of this kind come from earlier releases: a claim itself asks staff nothing.
    """
    proved = factories.customer(("user_id", "u-1"), ("email", ADDRESS), name="Noor")
    app = factories.sender(trusted=False)
    claimed = factories.customer(("anonymous_id", "a-1"), ("email", ADDRESS), by=app, hat="red")
    assert not Review.objects.exists()
    review = Review.objects.create(kind="suggested_merge", first=proved, second=claimed)
    return proved, claimed, review


def test_open_reviews_are_listed(lin, suspicion):
    _, _, review = suspicion

    answer = lin.get("/api/reviews/", {"status": "open", "kind": "suggested_merge"})

    assert [open_review["id"] for open_review in answer.json()["results"]] == [review.id]
    assert lin.get("/api/reviews/", {"status": "accepted"}).json()["results"] == []
    assert lin.get("/api/reviews/", {"status": "x"}).status_code == 400
    assert lin.get(f"/api/reviews/{review.id}/").json()["status"] == "open"


def test_record_shows_its_open_reviews(lin, suspicion):
    proved, _, _ = suspicion

    assert lin.get(f"/api/customers/{proved.id}/").json()["open_reviews"] == 1


def test_accepted_review_merges_the_records(lin, suspicion):
    proved, claimed, review = suspicion

    accepted = lin.post(f"/api/reviews/{review.id}/accept/")

    record = lin.get(f"/api/customers/{claimed.id}/").json()
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    assert accepted.json()["settled_by"] == "staff:lin"
    assert record["id"] == str(proved.id)
    assert record["open_reviews"] == 0
    assert record["traits"].keys() >= {"name", "hat"}


def test_declined_review_keeps_the_records_separate(lin, suspicion):
    _, claimed, review = suspicion

    declined = lin.post(f"/api/reviews/{review.id}/decline/")

    assert declined.json()["status"] == "declined"
    assert Customer.objects.get(id=claimed.id).canonical is None


def test_closed_review_cannot_be_closed_again(lin, suspicion):
    _, _, review = suspicion
    lin.post(f"/api/reviews/{review.id}/decline/")

    late = lin.post(f"/api/reviews/{review.id}/accept/")

    assert (late.status_code, late.json()["type"]) == (409, "urn:butler:problem:settled")
    assert lin.post("/api/reviews/999999/accept/").status_code == 404


def test_merge_is_listed_with_its_reason_and_can_be_undone(lin, suspicion):
    proved, claimed, review = suspicion
    lin.post(f"/api/reviews/{review.id}/accept/")
    merges = f"/api/customers/{proved.id}/merges/"

    (merge,) = lin.get(merges).json()["results"]
    parted = lin.post(f"{merges}{merge['id']}/undo/")

    assert (merge["reason"], merge["actor"], merge["joined"]) == (
        "staff",
        "staff:lin",
        str(claimed.id),
    )
    assert parted.status_code == 200
    assert parted.json()["parted_at"]
    assert lin.get(f"/api/customers/{claimed.id}/").json()["id"] == str(claimed.id)
    assert "hat" not in lin.get(f"/api/customers/{proved.id}/").json()["traits"]


def test_separated_records_cannot_be_separated_again(lin, suspicion):
    proved, _, review = suspicion
    lin.post(f"/api/reviews/{review.id}/accept/")
    path = f"/api/customers/{proved.id}/merges/{Merge.objects.get().id}/undo/"

    answers = [lin.post(path).status_code for _ in range(2)]

    assert answers == [200, 409]


def test_merge_of_another_customer_is_not_found(lin, suspicion, eli):
    _, _, review = suspicion
    lin.post(f"/api/reviews/{review.id}/accept/")

    path = f"/api/customers/{eli[0].id}/merges/{Merge.objects.get().id}/undo/"

    assert lin.post(path).status_code == 404
