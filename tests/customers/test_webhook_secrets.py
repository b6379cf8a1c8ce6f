"""Secrets of webhooks: two are valid at the same time, and each is shown once."""

import io
import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from standardwebhooks import Webhook

from channels.webhook import signature
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BODY = b'{"type": "Ticket Sold"}'


def give(name: str, *options: str) -> dict:
    out = io.StringIO()
    call_command("webhook_secret", name, *options, stdout=out)
    return json.loads(out.getvalue())


def accepts(source, secret: str) -> bool:
    source.refresh_from_db()
    try:
        signature.verify(
            source.webhook_secrets,
            message_id="msg_1",
            timestamp=str(int(NOW.timestamp())),
            signatures=Webhook(secret).sign("msg_1", NOW, BODY.decode()),
            body=BODY,
            now=NOW,
        )
    except signature.InvalidSignature:
        return False
    return True


def test_signature_of_the_reference_library_with_a_new_secret_is_accepted():
    shop = factories.source("Shop")

    secret = give("Shop")["secret"]

    assert accepts(shop, secret)


def test_previous_secret_is_valid_until_it_is_ended():
    shop = factories.source("Shop")
    first, second = give("Shop")["secret"], give("Shop")["secret"]
    assert accepts(shop, first)
    assert accepts(shop, second)

    out = io.StringIO()
    call_command("webhook_secret", "Shop", "--end-older", stdout=out)

    assert out.getvalue() == "ended 1\n"
    assert not accepts(shop, first)
    assert accepts(shop, second)


def test_a_third_secret_ends_the_first():
    shop = factories.source("Shop")

    first, second, third = (give("Shop")["secret"] for _ in range(3))

    assert [accepts(shop, secret) for secret in (first, second, third)] == [False, True, True]


def test_secret_of_the_sender_is_read_and_never_printed(monkeypatch):
    desk = factories.source("Desk")
    monkeypatch.setattr("sys.stdin", io.StringIO("0123456789abcdef0123456789abcdef\n"))

    printed_source = give("Desk", "--stdin")

    desk.refresh_from_db()
    assert desk.webhook_secrets == ["0123456789abcdef0123456789abcdef"]
    assert printed_source == {"id": desk.pk, "name": "Desk"}


@pytest.mark.parametrize("typed", ["", "short\n", "x" * 300])
def test_invalid_secret_is_refused(monkeypatch, typed):
    desk = factories.source("Desk")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    with pytest.raises(CommandError):
        call_command("webhook_secret", "Desk", "--stdin")

    desk.refresh_from_db()
    assert desk.webhook_secrets == []


def test_an_unknown_source_is_named():
    with pytest.raises(CommandError, match="'Nobody'"):
        call_command("webhook_secret", "Nobody")
