import json
import time
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import transaction

from customers.events import notify


@pytest.fixture
def notified_version():
    """Return a function that reads the notifications of a customer on the real channel."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    subscription = client.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(notify.CHANNEL)
    subscription.get_message(timeout=1)
    yield lambda customer: wait_for_version(subscription, str(customer))
    subscription.close()
    client.close()


def wait_for_version(subscription, customer, seconds=30.0):
    """Return the version in the notification of a customer. Other tests use the same channel."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        message = subscription.get_message(timeout=0.05)
        if message and customer in (versions := dict(json.loads(message["data"]))):
            return versions[customer]
    return None


def test_notification_names_the_customer_and_the_version(notified_version):
    customer = uuid4()

    notify.publish({customer: 7})

    assert notified_version(customer) == 7


@pytest.mark.django_db(transaction=True)
def test_notification_is_sent_only_after_a_commit(notified_version):
    customer = uuid4()

    with transaction.atomic():
        notify.after_commit({customer: 9})
        transaction.set_rollback(True)
    with transaction.atomic():
        notify.after_commit({customer: 2})

    assert notified_version(customer) == 2
