from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from customers.models import Customer, User
from tests import factories


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Activate English, because a request leaves its language active in the thread."""
    with translation.override("en"):
        yield


@pytest.fixture
def _development(settings, tmp_path) -> None:
    settings.BUTLER_HOME = tmp_path
    settings.DEBUG = True
    settings.MAILERS = {"default": {"BACKEND": "channels.dev_outbox.OutboxBackend"}}
    settings.LIVE_URL = "http://localhost:8001"
    settings.BUTLER_SITE_URL = "http://localhost:8000"


@pytest.fixture
def noor(db) -> Customer:
    return factories.customer(("user_id", "noor"), ("email", "noor@example.com"), first_name="Noor")


@pytest.fixture
def els(db) -> Customer:
    return factories.customer(("user_id", "els"), ("email", "els@example.com"), first_name="Els")


@pytest.fixture
def signed_in(client, noor, _development):
    """Return a client that is signed in as Noor."""
    client.force_login(User.objects.create_user("noor@example.com", record=noor))
    return client


@pytest.fixture
def place(noor, els) -> Callable[..., None]:
    """Return a function that places an order, by default of Noor."""

    def placing(
        number: str, *, of: str = "noor", days: int = 9, name: str = "Lantern Night", **facts
    ):
        now = timezone.now()
        properties = {
            "name": name,
            "visit_date": (timezone.localdate() + timedelta(days=days)).isoformat(),
            "visit_time": "10:30",
            "currency": "EUR",
            "products": [{"line_id": "a", "name": "Day ticket", "quantity": 2, "price": "34.50"}],
            **facts,
        }
        by = ("user_id", of)
        placed = factories.incoming_event(
            by, name="Order Completed", about=f"order:{number}", properties=properties, at=now
        )
        factories.record(placed, at=now)

    return placing
