"""The official Twilio client works with the simulated provider that tests our adapter."""

from urllib.parse import urlsplit, urlunsplit

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from tests.channels.provider import SID, TOKEN, Provider

TO, FROM = "+31612345678", "+31201234567"


class _Here(TwilioHttpClient):
    """The HTTP client of the official library, with the URL of the simulated provider."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=5)
        self._base = urlsplit(base)

    def request(self, method, url, *args, **kwargs):
        parts = urlsplit(url)
        here = urlunsplit((self._base.scheme, self._base.netloc, *parts[2:]))
        return super().request(method, here, *args, **kwargs)


@pytest.fixture
def provider():
    provider = Provider()
    yield provider
    provider.stop()


def client(provider: Provider, token: str = TOKEN) -> Client:
    return Client(SID, token, http_client=_Here(provider.url))


def test_the_official_client_sends_through_it(provider):
    sent = client(provider).messages.create(to=TO, from_=FROM, body="Hej")

    assert sent.sid == provider.messages[0]["Sid"]
    assert provider.messages[0]["Body"] == "Hej"
    assert sent.status == "queued"


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        ("stopped", 400, 21610),
        ("invalid", 400, 21211),
        ("busy", 429, 20429),
        ("broken", 500, 20500),
    ],
)
def test_the_official_client_reads_its_refusals(provider, mode, status, code):
    provider.mode = mode

    with pytest.raises(TwilioRestException) as refused:
        client(provider).messages.create(to=TO, from_=FROM, body="Hej")

    assert (refused.value.status, refused.value.code) == (status, code)


def test_it_knows_its_own_by_the_token(provider):
    with pytest.raises(TwilioRestException) as refused:
        client(provider, "another-token").messages.create(to=TO, from_=FROM, body="Hej")

    assert refused.value.status == 401
    assert provider.messages == []
