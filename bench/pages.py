"""Measures pages of the portal and the console in a large database."""

import time
from collections.abc import Sequence
from importlib import import_module
from random import Random
from urllib.parse import quote
from uuid import UUID

from bench import load
from bench.figures import Figure, percentile, tidy
from bench.load import BenchmarkFailed, HttpConnection
from bench.testbed import Butler, Testbed

AIM_MS = 100
PORTAL = ("/", "/orders/", "/inbox/", "/preferences/", "/why/")
# The number of signed-in customers, and of their requests for each page.
_PEOPLE, _LOOKS = 20, 10


def figures(testbed: Testbed) -> list[Figure]:
    """Return the times of single requests, without other load on the server."""
    large, random = testbed.large, Random("pages")
    guests = random.sample(list(large.target.guests), min(_PEOPLE, len(large.target.guests)))
    customers = [_customer_cookie(guest.customer_id) for guest in guests] * _LOOKS
    staff_cookie = _staff_cookie()
    viewed_guests = random.choices(large.target.guests, k=len(customers))
    names = random.choices(_names(large), k=len(customers))
    requests_by_page = {
        "a page of the portal": [(random.choice(PORTAL), cookie) for cookie in customers],
        "console: the page of a customer": [
            (f"/console/customers/{guest.customer_id}/", staff_cookie) for guest in viewed_guests
        ],
        "console: finding a customer by name": [
            (f"/console/search/?q={quote(name)}", staff_cookie) for name in names
        ],
        "console: finding a customer, one character missing": [
            (f"/console/search/?q={quote(_with_missing_letter(name, random))}", staff_cookie)
            for name in names
        ],
    }
    values = {
        name: tidy(percentile(_times(large, pages), 0.95))
        for name, pages in requests_by_page.items()
    }
    return [
        Figure(f"{name}, p95", value, "ms", aim=f"< {AIM_MS}", met=value < AIM_MS)
        for name, value in values.items()
    ]


def _times(butler: Butler, pages: Sequence[tuple[str, str]]) -> list[float]:
    """Request the pages, after the same number of requests to warm up; return milliseconds."""
    connection = HttpConnection(butler.web.port)
    milliseconds = []
    try:
        for is_measured in (False, True):
            for path, cookie in pages:
                request = load.request("GET", path, authorization=f"none\r\nCookie: {cookie}")
                began = time.perf_counter()
                answer = connection.send(request)
                if answer.status != 200:
                    raise BenchmarkFailed(f"{path} answered with {answer.status}")
                if is_measured:
                    milliseconds.append((time.perf_counter() - began) * 1000)
    finally:
        connection.close()
    return milliseconds


def _names(butler: Butler) -> list[str]:
    with butler.target.database.connect() as connection:
        rows = connection.execute("SELECT DISTINCT plain FROM customers_searchname").fetchall()
    return sorted(str(name) for (name,) in rows)


def _with_missing_letter(name: str, random: Random) -> str:
    index = random.randrange(1, len(name) - 1)
    return name[:index] + name[index + 1 :]


def _customer_cookie(customer_id: UUID) -> str:
    from customers.models import User

    email = f"{customer_id}@login.example.com"
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, record_id=customer_id)
    return _open_session(user, {})


def _staff_cookie() -> str:
    from channels.console.views.access import LAST_USED_AT, SIGNED_IN_AT
    from customers.models import User

    email = "sam@login.example.com"
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_superuser(email, "a password that nobody uses")
    now = time.time()
    return _open_session(user, {SIGNED_IN_AT: now, LAST_USED_AT: now})


def _open_session(user: object, values: dict[str, float]) -> str:
    """Open a session like a sign-in does; return its cookie."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]  # a user
    engine = import_module(settings.SESSION_ENGINE)
    session = engine.SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    session.update(values)
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
