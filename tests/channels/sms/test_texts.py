"""Texts that Butler sends at once, through a real request to a provider on this machine."""

import logging
import re

import pytest

from channels import dev_outbox
from channels.sms.texts import send_text
from customers.actions.code_messages import TextOutcome
from customers.models import SignInCode, Suppression
from tests.channels.provider import SID, TOKEN, Provider
from tests.wsgi_client import WsgiClient

PHONE = "+31612345098"


@pytest.fixture
def providers(settings):
    """Configure two providers on this machine; the second one serves while the first one fails."""
    both = [Provider(), Provider()]
    accounts = [
        {"url": provider.url, "sid": SID, "token": TOKEN, "from": "+31201234567"}
        for provider in both
    ]
    settings.SMS_ACCOUNT, settings.SMS_FALLBACK = accounts
    yield both
    for provider in both:
        provider.stop()


@pytest.mark.parametrize(
    ("mode", "outcome", "fallback_texts"),
    [
        ("ok", TextOutcome.SENT, 0),
        ("odd", TextOutcome.SENT, 0),
        ("drop", TextOutcome.SENT, 0),
        ("stopped", TextOutcome.SENT, 0),
        ("invalid", TextOutcome.REFUSED, 0),
        ("busy", TextOutcome.SENT, 1),
        ("wrong_key", TextOutcome.SENT, 1),
    ],
)
def test_answer_of_the_provider_decides(providers, mode, outcome, fallback_texts):
    providers[0].mode = mode

    assert send_text(PHONE, "123456") is outcome
    assert len(providers[1].messages) == fallback_texts


def test_no_provider_that_answers_is_a_failure(providers):
    for provider in providers:
        provider.mode = "busy"

    assert send_text(PHONE, "123456") is TextOutcome.FAILED


def test_text_asks_for_no_report(providers):
    send_text(PHONE, "123456")

    [message] = providers[0].messages
    assert (message["To"], message["Body"]) == (PHONE, "123456")
    assert "StatusCallback" not in message


@pytest.mark.django_db(transaction=True)
def test_customer_signs_in_by_the_text_of_the_provider(providers, caplog):
    caplog.set_level(logging.DEBUG)
    Suppression.objects.create(
        channel="sms", address=PHONE, reason="stopped", since="2026-11-01T00Z"
    )
    client = WsgiClient()

    answer = client.post("/api/sign-in/", {"phone": PHONE}, content_type="application/json")
    code = re.match(r"\d{6}", providers[0].messages[0]["Body"])[0]
    proof = {"request": answer.json()["request"], "code": code}
    signed_in = client.post("/api/sign-in/", proof, content_type="application/json")

    assert signed_in.status_code == 200
    assert code not in caplog.text
    assert PHONE[1:] not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_stopped_number_gets_the_answer_of_any_number(providers):
    client, other = WsgiClient(), "+31612345101"
    accepted = client.post("/api/sign-in/", {"phone": other}, content_type="application/json")
    providers[0].mode = "stopped"
    stopped = client.post("/api/sign-in/", {"phone": PHONE}, content_type="application/json")

    assert accepted.status_code == stopped.status_code == 202
    assert accepted.json().keys() == stopped.json().keys()
    assert SignInCode.objects.count() == 2


def test_developers_read_texts_in_the_outbox(settings, tmp_path):
    settings.BUTLER_HOME, settings.DEBUG = tmp_path, True

    assert send_text(PHONE, "123456") is TextOutcome.SENT
    [message] = dev_outbox.read_messages()
    assert (message.channel, message.to, message.text) == ("sms", PHONE, "123456")
