"""The choice between the preferred provider and its fallback, with real relays."""

import pytest

from bench.ports import free_port
from butler.actions import provider_limits
from butler.models import Delivery, Message
from channels import adapters, deliveries
from tests.butler import arrange
from tests.butler.arrange import NOON
from tests.channels import relay as relays
from tests.channels.relay import Relay

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _clear_adapters():
    adapters.adapters_of.cache_clear()
    yield
    adapters.adapters_of.cache_clear()


@pytest.fixture
def relay():
    relay = Relay()
    controller, port = relays.start(relay)
    yield relay, port
    controller.stop()


def smtp(port):
    options = {"host": "127.0.0.1", "port": port}
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


def offers(count):
    arrange.vocabulary()
    for _ in range(count):
        guest = arrange.guest()
        arrange.record_statement(guest, "consent.given", "offers")
        arrange.message(guest)


def test_mail_goes_through_the_second_relay_while_the_first_cannot_be_reached(relay, settings):
    second, port = relay
    settings.MAILERS = {"default": smtp(free_port()), "fallback": smtp(port)}
    offers(provider_limits.FAILURE_LIMIT)

    deliveries.deliver("email", clock=lambda: NOON)
    assert second.letters == []
    offers(1)
    deliveries.deliver("email", clock=lambda: NOON)

    assert len(second.letters) == 1
    assert Delivery.objects.filter(outcome="transient").count() == provider_limits.FAILURE_LIMIT
    assert Message.objects.filter(state="accepted").count() == 1


def test_a_channel_has_one_provider_unless_another_is_named(settings):
    settings.MAILERS = {"default": smtp(25)}
    assert len(adapters.adapters_of("email")) == 1

    adapters.adapters_of.cache_clear()
    settings.MAILERS = {"default": smtp(25), "fallback": smtp(26)}
    assert len(adapters.adapters_of("email")) == 2


def test_an_sms_account_stands_in_for_another(settings):
    from channels.sms.adapter import adapters as of_sms

    first = {"url": "http://one", "sid": "AC1", "token": "t", "from": "+31201234567"}
    settings.SMS_ACCOUNT, settings.SMS_FALLBACK = first, {**first, "url": "http://two"}

    assert [adapter._url.partition("/2010")[0] for adapter in of_sms()] == [
        "http://one",
        "http://two",
    ]
