"""Signed status callbacks of the SMS provider over HTTP."""

from datetime import timedelta

import pytest
from django.utils import timezone

from butler.models import Delivery, Message
from channels.protocol import ChannelMessage
from channels.sms.adapter import SmsAdapter
from customers.models import Suppression
from tests.butler.arrange import guest, message
from tests.channels import provider as providers
from tests.channels.provider import SID, TOKEN, Provider
from tests.channels.sms.conftest import COMPANY_NUMBER

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NOORS = "+31612345678"


@pytest.fixture
def provider():
    provider = Provider()
    yield provider
    provider.stop()


def sent(provider, live_server, settings, delivery_result: str = "accepted") -> Message:
    """Create a message that our adapter sent to the provider."""
    settings.BUTLER_SITE_URL = live_server.url
    sent_message = message(
        guest(phone=NOORS), channel="sms", state=delivery_result, address=NOORS, attempts=1
    )
    delivery = Delivery(
        message=sent_message, number=1, customer_id=sent_message.customer_id, channel="sms"
    )
    delivery.provider, delivery.customer_version = "twilio", 1
    delivery.claimed_at = delivery.lease_until = timezone.now() - timedelta(minutes=1)
    account = {"url": provider.url, "sid": SID, "token": TOKEN, "from": COMPANY_NUMBER}
    parcel = ChannelMessage(
        sent_message.pk,
        delivery.pk,
        sent_message.customer_id,
        NOORS,
        "nl",
        "",
        "Tot zo",
        "",
        "service",
        "visits",
    )
    [outcome] = SmsAdapter(account).send([parcel], lambda: True)
    delivery.outcome, delivery.provider_id = delivery_result, outcome.provider_id
    if delivery_result == "uncertain":
        delivery.provider_id = ""
    delivery.save()
    return sent_message


@pytest.mark.parametrize("delivery_result", ["accepted", "uncertain"])
def test_status_callbacks_reach_the_message(
    account, provider, live_server, settings, delivery_result
):
    message = sent(provider, live_server, settings, delivery_result)
    [provider_message] = provider.messages

    for status in ("delivered", "sent", "queued", "delivered"):
        assert provider.report(live_server.url, provider_message, status) == 204

    message.refresh_from_db()
    assert message.state == "delivered"
    assert Delivery.objects.get().outcome == "accepted"


def test_a_number_that_is_gone_gets_nothing_any_more(account, provider, live_server, settings):
    message = sent(provider, live_server, settings)

    provider.report(live_server.url, provider.messages[0], "undelivered", ErrorCode="30005")

    message.refresh_from_db()
    assert (message.state, message.reason) == ("bounced", "30005")
    suppressions = Suppression.objects.filter(lifted_at=None)
    assert [suppression.address for suppression in suppressions] == [NOORS]


def test_a_status_that_is_not_signed_for_this_message_is_refused(
    account, provider, live_server, settings
):
    message = sent(provider, live_server, settings)
    [provider_message] = provider.messages
    other = provider_message | {
        "StatusCallback": provider_message["StatusCallback"].replace(
            str(message.pk), str(message.pk)
        )
    }
    path = other["StatusCallback"].partition("/v1/")[2]
    fields = {"MessageSid": provider_message["Sid"], "MessageStatus": "failed"}

    status, _ = providers.call(f"{live_server.url}/v1/{path}", fields, token="wrong")

    assert status == 401
    message.refresh_from_db()
    assert message.state == "accepted"
