import pytest


@pytest.fixture
def party(noor) -> str:
    return f"/api/customers/{noor[0].id}/party/"


def test_a_child_without_an_account_comes_along(desk, party):
    guardian = desk.post(party, {"name": "Noor", "role": "guardian"}).json()["reference"]
    child = {"name": "Mia", "role": "child", "birth_date": "2019-04-01", "guardian": guardian}
    added = desk.post(party, child | {"details": {"height_cm": 118}})

    members = desk.get(party).json()["results"]

    assert added.status_code == 201
    mia = next(member for member in members if member["reference"] == added.json()["reference"])
    assert mia == {
        "reference": mia["reference"],
        "name": "Mia",
        "role": "child",
        "birth_date": "2019-04-01",
        "guardian": guardian,
        "details": {"height_cm": 118},
        "version": added.json()["version"],
    }


def test_changed_field_of_a_member_keeps_the_others(desk, party):
    reference = desk.post(party, {"name": "Mia", "role": "child"}).json()["reference"]

    changed = desk.patch(f"{party}{reference}/", {"birth_date": "2019-04-02"})

    (mia,) = desk.get(party).json()["results"]
    assert changed.status_code == 200
    assert (mia["name"], mia["role"], mia["birth_date"]) == ("Mia", "child", "2019-04-02")


def test_a_member_is_removed_and_stays_removed(desk, party):
    reference = desk.post(party, {"name": "Mia"}).json()["reference"]

    removed = desk.delete(f"{party}{reference}/")

    assert removed.status_code == 200
    assert desk.get(party).json()["results"] == []
    assert desk.delete(f"{party}{reference}/").status_code == 404
    assert desk.patch(f"{party}{reference}/", {"name": "x"}).status_code == 404


def test_customers_describe_their_own_party(noor, eli):
    _, app = noor

    added = app.post("/api/me/party/", {"name": "Mia", "role": "child"})

    reference = added.json()["reference"]
    assert added.status_code == 201
    assert eli[1].patch(f"/api/me/party/{reference}/", {"name": "x"}).status_code == 404
    assert [member["name"] for member in app.get("/api/me/").json()["party"]] == ["Mia"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "Mia", "guardian": "nobody"}, 409),
        ({"name": "Mia", "role": "pet"}, 422),
        ({"name": "Mia", "birth_date": "last year"}, 422),
        ({"role": "child"}, 422),
        ({"name": "x" * 101}, 422),
    ],
)
def test_invalid_member_is_refused(desk, party, change, status):
    assert desk.post(party, change).status_code == status


def test_a_change_for_an_older_version_is_refused(desk, party):
    reference = desk.post(party, {"name": "Mia"}).json()["reference"]

    answers = [
        desk.patch(f"{party}{reference}/", {"name": "Mia B"}, **{"If-Match": '"1"'}),
        desk.delete(f"{party}{reference}/", **{"If-Match": '"1"'}),
        desk.patch(f"{party}{reference}/", {"name": "Mia B"}, **{"If-Match": '"2"'}),
    ]

    assert [answer.status_code for answer in answers] == [412, 412, 200]


def test_a_member_added_twice_with_one_key_is_one_member(desk, party):
    once = {"Idempotency-Key": "k-1"}

    first, again = (desk.post(party, {"name": "Mia"}, **once) for _ in range(2))

    assert first.content == again.content
    assert len(desk.get(party).json()["results"]) == 1
