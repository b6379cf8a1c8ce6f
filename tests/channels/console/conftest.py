import pytest
from django.test import Client

from customers.models import Customer
from tests import factories, staff
from tests.channels.console.acting import ADDRESS


@pytest.fixture
def noor(db) -> Customer:
    noor = factories.customer(
        ADDRESS, ("phone", "+46701740605"), name="Noor de Wit", first_name="Noor", language="nl"
    )
    factories.record(
        factories.incoming_event(
            ADDRESS,
            name="Party Member Changed",
            about="member:sem",
            properties={
                "reference": "sem",
                "name": "Sem",
                "role": "child",
                "birth_date": "2018-04-01",
            },
        )
    )
    return noor


@pytest.fixture
def desk(client, db) -> Client:
    return staff.let_in(client, staff.colleague("desk"))
