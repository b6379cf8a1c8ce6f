"""Finding people over REST: as the desk does, and no further than a role goes."""

import pytest
from django.test import Client

from customers.models import AccessLogEntry
from tests import factories, staff
from tests.customers.api.conftest import key

pytestmark = pytest.mark.django_db
SEARCH = "/api/customers/search/"


@pytest.fixture
def people():
    """Noor, and more namesakes than a page has."""
    noor = factories.customer(
        ("email", "noor@example.com"),
        ("phone", "+46701740605"),
        ("card", "C-100200"),
        ("order", "LK-77"),
        name="Noor de Wit",
    )
    for number in range(7):
        factories.customer(("user_id", f"jansen-{number}"), name=f"Jip Jansen {number}")
    return noor


def _names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [customer["name"] for customer in answer.json()["results"]]


@pytest.mark.parametrize(
    ("search_text", "by"),
    [
        ("Noor de Wit", "name"),
        ("nor de witt", "name"),
        ("noor@example.com", "email"),
        ("nor@exampel.com", "email"),
        ("+46 70-174 06 05", "phone"),
        ("40605", "phone"),
        ("LK-77", "order"),
        ("C-100200", "card"),
    ],
)
def test_search_finds_customers_by_name_address_or_number(people, search_text, by):
    [customer] = key("read").get(SEARCH, {"q": search_text}).json()["results"]

    assert (customer["id"], customer["found_by"], customer["name"]) == (
        str(people.id),
        by,
        "Noor de Wit",
    )


def test_search_pages_list_every_customer_once_in_both_directions(people):
    desk = key("read")
    first = desk.get(SEARCH, {"q": "jansen", "limit": 3})
    second = desk.get(first.json()["next"])
    third = desk.get(second.json()["next"])

    assert first.json()["previous"] is None
    assert third.json()["next"] is None
    assert len({*_names(first), *_names(second), *_names(third)}) == 7
    assert [len(_names(page)) for page in (first, second, third)] == [3, 3, 1]
    assert _names(desk.get(third.json()["previous"])) == _names(second)


@pytest.mark.parametrize(
    "query",
    [{}, {"q": ""}, {"q": "x" * 101}, {"q": "x", "cursor": "!"}, {"q": "x", "limit": 0}]
    + [{"q": "x", "cursor": cursor} for cursor in ("_w", "zSAA", "wA", "kQE")],
)
def test_invalid_search_is_refused(people, query):
    assert key("read").get(SEARCH, query).status_code == 400


@pytest.mark.parametrize("search_text", ["%", "\\", "' OR 1=1 --", "  ", "\u200b", "日本"])
def test_search_for_an_unknown_customer_has_no_results(people, search_text):
    assert _names(key("read").get(SEARCH, {"q": search_text})) == []


def test_a_till_finds_by_name_and_order_and_by_no_address(people):
    till = staff.let_in(Client(), staff.colleague("till", "Iris"))

    assert _names(till.get(SEARCH, {"q": "noor"})) == ["Noor de Wit"]
    assert _names(till.get(SEARCH, {"q": "LK-77"})) == ["Noor de Wit"]
    for address in ("noor@example.com", "+46701740605", "40605"):
        assert _names(till.get(SEARCH, {"q": address})) == []


@pytest.mark.parametrize("role", ["marketer", "overview", ""])
def test_search_needs_the_permission_of_the_console(people, role):
    somebody = staff.let_in(Client(), staff.colleague(role))

    assert somebody.get(SEARCH, {"q": "noor"}).status_code == 403
    assert somebody.get("/console/search/", {"q": "noor"}).status_code == 403


def test_search_writes_an_access_log_entry_for_each_result(people):
    sam = staff.let_in(Client(), staff.colleague("desk"))

    sam.get(SEARCH, {"q": "jansen", "limit": 2})

    looks = list(AccessLogEntry.objects.values_list("actor", "what"))
    assert looks == [("staff:Sam", "search")] * 2
