import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from channels.webhook import signature
from channels.webhook.signature import InvalidSignature

SECRET = "whsec_" + base64.b64encode(b"an invented secret of 32 bytes..").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret, for a rotation..").decode()
NOW = datetime.now(UTC)
BODY = b'{"type":"order.created"}'


def headers(secret=SECRET, at=NOW, body=BODY):
    signed = Webhook(secret).sign("msg_1", at, body.decode())
    return {"message_id": "msg_1", "timestamp": str(int(at.timestamp())), "signatures": signed}


def check(secrets=(SECRET,), body=BODY, now=NOW, **given_headers):
    signature.verify(secrets, body=body, now=now, **given_headers)


@given(st.text(max_size=200))
def test_signature_of_the_reference_library_is_accepted(text):
    check(body=text.encode(), **headers(body=text.encode()))


def test_the_reference_library_accepts_what_we_sign():
    # The library uses the current time, and this module may have been imported minutes ago.
    stamp = int(datetime.now(UTC).timestamp())
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature.sign(SECRET, "msg_1", stamp, BODY),
    }

    assert Webhook(SECRET).verify(BODY, signed) == {"type": "order.created"}


def test_either_secret_counts_while_they_are_changed():
    for secret in (SECRET, OTHER):
        check(secrets=(OTHER, SECRET), **headers(secret))


def test_one_good_signature_among_several_is_enough():
    good, bad = headers(), headers(OTHER)

    check(**good | {"signatures": f"{bad['signatures']} v1a,abc {good['signatures']}"})


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param(headers(OTHER), id="another-secret"),
        pytest.param(headers(body=b"{}"), id="another-body"),
        pytest.param(headers() | {"message_id": "msg_2"}, id="another-id"),
        pytest.param(headers() | {"message_id": ""}, id="no-id"),
        pytest.param(headers() | {"timestamp": str(int(NOW.timestamp()) - 1)}, id="another-time"),
        pytest.param(headers() | {"timestamp": ""}, id="no-time"),
        pytest.param(headers() | {"timestamp": "soon"}, id="time-is-a-word"),
        pytest.param(headers() | {"timestamp": "²³"}, id="time-in-odd-digits"),
        pytest.param(headers() | {"timestamp": "9" * 5000}, id="time-without-end"),
        pytest.param(headers() | {"signatures": ""}, id="no-signature"),
        pytest.param(headers() | {"signatures": "v1,"}, id="empty-signature"),
        pytest.param(
            headers() | {"signatures": headers()["signatures"].replace("v1,", "v2,")}, id="version"
        ),
        pytest.param(headers(at=NOW - timedelta(minutes=6)), id="six-minutes-old"),
        pytest.param(headers(at=NOW + timedelta(minutes=6)), id="six-minutes-ahead"),
    ],
)
def test_wrong_signature_is_refused(spoiled):
    with pytest.raises(InvalidSignature):
        check(**spoiled)


@pytest.mark.parametrize("minutes", [-4, 4])
def test_a_clock_may_be_minutes_off(minutes):
    check(**headers(at=NOW + timedelta(minutes=minutes)))


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=60), st.binary(max_size=60))
def test_we_refuse_whatever_the_reference_library_refuses(message_id, stamp, signatures, body):
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": signatures,
    }
    with pytest.raises((WebhookVerificationError, ValueError, OverflowError)):
        Webhook(SECRET).verify(body, headers)

    with pytest.raises(InvalidSignature):
        check(body=body, message_id=message_id, timestamp=stamp, signatures=signatures)
