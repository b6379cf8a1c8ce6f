"""Evidence × surface: no surface of a customer shows more than the proofs of the session open."""

import re
import uuid
from collections.abc import Iterator
from itertools import product
from urllib.parse import quote

import pytest
from django.test import Client

from customers.models import Customer
from tests import size
from tests.channels.live.stream_reader import Reader
from tests.config.test_access import TABLE as API
from tests.customers import consent_helpers
from tests.security.openings import (
    ALL_CASES,
    CASES,
    SESSIONS,
    World,
    account_token,
    build_world,
    expected_texts,
)
from tests.security.test_routes import OWN
from tests.wsgi_client import WsgiClient

pytestmark = [pytest.mark.slow, pytest.mark.long]

PORTAL = ["", "?parts", *sorted(OWN)]
OWN_API = sorted(
    operation.removeprefix("GET ") for operation in API if operation.startswith("GET api/me/")
)
HEADLESS = ["_allauth/app/v1/auth/session"]
_PLACE = re.compile(r"<(\w+):(\w+)>")
# Values of places in routes that name no object of a world, by their converter.
MISSING = {"uuid": str(uuid.UUID(int=9)), "int": "1"}


@pytest.fixture
def many_codes(settings) -> None:
    settings.BUTLER_CODES_PER_NETWORK = 1000


@pytest.fixture
def purposes(transactional_db) -> None:
    consent_helpers.house()


def _paths(route: str, world: World) -> list[str]:
    """Return the paths of a route, with each order and message of the world."""
    values = {
        "number": [quote(order, safe="") for order in world.orders],
        "message_id": [*map(str, world.messages)],
    }
    parts = _PLACE.split(route)
    places = zip(parts[1::3], parts[2::3], strict=True)
    choices = [values.get(name, [MISSING.get(kind, "x")]) for kind, name in places]
    return [
        "/" + "".join(text + place for text, place in zip(parts[::3], (*chosen, ""), strict=True))
        for chosen in product(*choices)
    ]


def _pages(world: World, session: str) -> Iterator[tuple[str, str]]:
    """Yield each surface that answers a GET of a session, with its text."""
    browser = Client()
    browser.cookies["sessionid"] = session
    app = WsgiClient(headers={"X-Session-Token": session})
    yield from _answers(browser, PORTAL, world)
    yield from _answers(app, OWN_API + HEADLESS, world)


def _answers(client: Client, routes: list[str], world: World) -> Iterator[tuple[str, str]]:
    for route in routes:
        for path in _paths(route, world):
            text = client.get(path).content.decode()
            # A page about a missing order repeats the address of the request.
            yield route, text.replace(path, "")


def _token_answers(live: str, world: World) -> Iterator[tuple[str, str]]:
    """Yield the answers to a front end that reads by an identity token of the account."""
    headers = account_token(world)
    for route, text in _answers(WsgiClient(headers=headers), OWN_API, world):
        yield f"{route} by identity token", text
    yield "live/me by identity token", _stream(live, headers)


def _stream(live: str, headers: dict[str, str]) -> str:
    """Return the whole stream of a session or an account, from the first event on."""
    with Reader(f"{live}/live/me?after=0", headers) as reader:
        assert reader.status == 200
        reader.wait(lambda r: r.frames)
        customer = Customer.objects.get(pk=reader.frames[0].payload["customer"])
        reader.wait(lambda r: r.versions and r.versions[-1] >= customer.version)
        return str(reader.frames)


@pytest.mark.usefixtures("many_codes", "sent_texts", "purposes")
def test_no_surface_shows_more_than_the_session_proved(running):
    cases = size.examples(CASES, long=ALL_CASES)
    worlds = [build_world(number, *case) for number, case in enumerate(cases)]
    leaks, missing, surfaces = [], [], set()
    for world, (proof, open_session) in product(worlds, SESSIONS.items()):
        session, expected, shown = open_session(world), expected_texts(world, proof), set()
        by_token = _token_answers(running.live, world) if proof == "account" else ()
        for surface, text in [
            *by_token,
            *_pages(world, session),
            ("live/me", _stream(running.live, {"X-Session-Token": session})),
        ]:
            names = {name for name, sign in world.texts.items() if sign in text}
            leaks += [f"{world.name}, {proof}: {name} on {surface}" for name in names - expected]
            shown |= names
            surfaces.add(surface)
        missing += [f"{world.name}, {proof}: {name}" for name in expected - shown]

    assert sorted(set(leaks)) == []
    assert missing == []
    assert len(surfaces) == len(PORTAL) + 2 * len(OWN_API) + len(HEADLESS) + 2
