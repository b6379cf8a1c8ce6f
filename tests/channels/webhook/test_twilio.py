"""Butler accepts exactly the requests that Twilio's official validator accepts."""

import hashlib
import json
import uuid
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from customers.models import Suppression
from tests.butler.arrange import vocabulary
from tests.channels.provider import SID, TOKEN

pytestmark = pytest.mark.django_db(transaction=True)

NOORS = "+31612345678"
OURS = "+31201234567"
SECRET = "a-shared-key-of-an-invented-account"


@pytest.fixture
def account(settings):
    settings.SMS_ACCOUNT = {"url": "http://nowhere", "sid": SID, "token": TOKEN, "from": OURS}
    vocabulary()


def stopped() -> list[str]:
    return list(Suppression.objects.filter(lifted_at=None).values_list("address", flat=True))


HOW = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}


def texted(client, signed_with: str, algorithm: str, headers: dict, **spoil) -> int:
    """Post a form that the official library signed; return the status."""
    fields = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": NOORS, "To": OURS, "Body": "STOP"}
    url = "http://testserver/v1/sms/inbound"
    signature = RequestValidator(signed_with).compute_signature(url, fields, algorithm)
    response = client.post(
        "/v1/sms/inbound",
        urlencode(fields | spoil),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature, **headers},
    )
    return response.status_code


@pytest.mark.parametrize(
    ("secret", "algorithm", "headers", "status"),
    [
        (TOKEN, "HMAC_SHA1", {}, 200),
        (SECRET, "HMAC_SHA256", HOW, 200),
        (TOKEN, "HMAC_SHA256", HOW, 200),
        (SECRET, "HMAC_SHA256", {}, 401),
        (SECRET, "HMAC_SHA1", HOW, 401),
        ("another", "HMAC_SHA256", HOW, 401),
        (SECRET, "HMAC_SHA256", {next(iter(HOW)): "key=1,algorithm=HMAC_MD5"}, 401),
        (TOKEN, "HMAC_SHA1", {next(iter(HOW)): "algorithm=none"}, 401),
    ],
)
def test_a_signature_counts_in_the_scheme_that_its_header_names(
    account, settings, client, secret, algorithm, headers, status
):
    settings.SMS_ACCOUNT = settings.SMS_ACCOUNT | {"shared_key": SECRET}

    assert texted(client, secret, algorithm, headers) == status
    assert stopped() == ([NOORS] if status == 200 else [])


def test_a_word_that_was_changed_on_the_way_is_refused(account, client):
    assert texted(client, TOKEN, "HMAC_SHA1", {}, Body="START") == 401
    assert texted(client, TOKEN, "HMAC_SHA1", {}, OptOutType="START") == 401


def test_a_form_is_not_the_same_as_json(account, client):
    """The signature covers the names and values of a form without their separators."""
    fields = {"MessageSid": "SM1", "From": NOORS, "To": OURS, "Body": "STOP"}
    url = "http://testserver/v1/sms/inbound"
    signature = RequestValidator(TOKEN).compute_signature(url, fields)

    response = client.post(
        "/v1/sms/inbound",
        json.dumps(fields),
        content_type="application/json",
        headers={"X-Twilio-Signature": signature},
    )

    assert response.status_code == 401


def test_json_counts_with_its_digest_in_the_address(account, client):
    body = json.dumps({"MessageSid": "SM1", "From": NOORS, "To": OURS, "Body": "STOP"}).encode()
    path = f"/v1/sms/inbound?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(f"http://testserver{path}", {})
    headers = {"X-Twilio-Signature": signature}
    answers = [
        client.post(path, payload, content_type="application/json", headers=headers).status_code
        for payload in (body.replace(b"STOP", b"START"), body)
    ]

    assert answers == [401, 200]
