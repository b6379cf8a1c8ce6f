import json
import time
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import transaction

from customers.events import notify


@pytest.fixture
def bell():
    """What somebody hears who listens on the real channel."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    listening = client.pubsub(ignore_subscribe_messages=True)
    listening.subscribe(notify.CHANNEL)
    listening.get_message(timeout=1)
    yield lambda customer: heard(listening, str(customer))
    listening.close()
    client.close()


def heard(listening, customer, seconds=2.0):
    """The version that is rung for a customer; other tests ring on the same channel."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        message = listening.get_message(timeout=0.05)
        if message and customer in (rung := dict(json.loads(message["data"]))):
            return rung[customer]
    return None


def test_notification_names_the_customer_and_the_version(bell):
    customer = uuid4()

    notify.publish({customer: 7})

    assert bell(customer) == 7


@pytest.mark.django_db(transaction=True)
def test_notification_is_sent_only_after_a_commit(bell):
    customer = uuid4()

    with transaction.atomic():
        notify.after_commit({customer: 9})
        transaction.set_rollback(True)
    with transaction.atomic():
        notify.after_commit({customer: 2})

    assert bell(customer) == 2
