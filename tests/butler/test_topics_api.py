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


def test_topic_has_its_last_status(desk):
    desk.post(RIDE, {"status": "open"})
    response = desk.post(RIDE, {"status": "down", "facts": {"name": "The Night Mail"}})

    assert response.status_code == 200
    topic = desk.get(RIDE).json()
    assert (topic["status"], topic["serial"]) == ("down", 2)
    assert topic["facts"] == {"name": "The Night Mail", "said_by": "source:ride control"}
    assert desk.get("/api/topics/").json()["results"] == [topic]


def test_new_status_schedules_a_fan_out(desk):
    automation("ride-down", trigger=DOWN, topic="rides", relation="visit")

    desk.post(RIDE, {"status": "down"})

    parameters = Due.objects.get(job="fan_out").facts
    assert parameters["audience"] == "visiting_today"
    assert parameters["cause"]["topic"] == "ride:night-mail"


def test_repeated_request_changes_the_status_once(desk):
    for _ in range(2):
        desk.post(RIDE, {"status": "down"}, **{"Idempotency-Key": "k"})

    assert TopicStatus.objects.get().serial == 1


def test_unknown_topic_is_not_found(desk):
    assert desk.get(RIDE).status_code == 404


@pytest.mark.parametrize(
    "name", ["ride", "ride:", ":x", "Ride:x", "ride:a:b", "ride:a%20b", "ride:" + "x" * 61, "*"]
)
def test_topic_key_needs_a_kind_and_a_name(desk, name):
    assert desk.post(f"/api/topics/{name}/", {"status": "down"}).status_code == 422


@pytest.mark.parametrize(
    "body", [{}, {"status": ""}, {"status": "DOWN"}, {"status": "down", "x": 1}, {"status": None}]
)
def test_status_must_be_a_word(desk, body):
    assert desk.post(RIDE, body).status_code == 422


def test_read_only_key_cannot_write():
    assert key("read").post(RIDE, {"status": "down"}).status_code == 403
