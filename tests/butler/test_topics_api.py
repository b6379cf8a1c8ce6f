import pytest

from butler.models import Due, TopicStatus
from tests.butler.live_automations import automation
from tests.customers.api.conftest import key

RIDE = "/api/topics/ride:night-mail/"
DOWN = {"kind": "topic", "topic": "ride:*", "status": "down", "audience": "visiting_today"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return key(name="ride control")


def test_a_topic_is_what_was_said_of_it_last(desk):
    desk.post(RIDE, {"status": "open"})
    response = desk.post(RIDE, {"status": "down", "facts": {"name": "The Night Mail"}})

    assert response.status_code == 200
    topic = desk.get(RIDE).json()
    assert (topic["status"], topic["serial"]) == ("down", 2)
    assert topic["facts"] == {"name": "The Night Mail", "said_by": "source:ride control"}
    assert desk.get("/api/topics/").json()["results"] == [topic]


def test_saying_so_has_those_concerned_looked_for(desk):
    automation("ride-down", trigger=DOWN, topic="rides", relation="visit")

    desk.post(RIDE, {"status": "down"})

    parameters = Due.objects.get(job="fan_out").facts
    assert parameters["audience"] == "visiting_today"
    assert parameters["cause"]["topic"] == "ride:night-mail"


def test_the_same_request_twice_says_it_once(desk):
    for _ in range(2):
        desk.post(RIDE, {"status": "down"}, **{"Idempotency-Key": "k"})

    assert TopicStatus.objects.get().serial == 1


def test_nobody_said_anything_of_it_yet(desk):
    assert desk.get(RIDE).status_code == 404


@pytest.mark.parametrize(
    "name", ["ride", "ride:", ":x", "Ride:x", "ride:a:b", "ride:a%20b", "ride:" + "x" * 61, "*"]
)
def test_a_topic_has_a_sort_and_a_name(desk, name):
    assert desk.post(f"/api/topics/{name}/", {"status": "down"}).status_code == 422


@pytest.mark.parametrize(
    "body", [{}, {"status": ""}, {"status": "DOWN"}, {"status": "down", "x": 1}, {"status": None}]
)
def test_a_status_is_a_word(desk, body):
    assert desk.post(RIDE, body).status_code == 422


def test_a_key_that_only_reads_says_nothing():
    assert key("read").post(RIDE, {"status": "down"}).status_code == 403
