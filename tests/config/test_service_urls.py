"""URLs of services become settings; an invalid URL is refused without its secrets in the error."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import service_urls


@pytest.mark.parametrize(
    ("redis_url", "celery_url"),
    [
        ("redis://cache.example:6379/2", "redis://cache.example:6379/2"),
        ("unix:///run/b/valkey.sock?db=3", "redis+socket:///run/b/valkey.sock?virtual_host=3"),
    ],
)
def test_broker_url_of_a_socket_is_spelled_for_celery(redis_url, celery_url):
    assert service_urls.broker_url(redis_url) == celery_url


@pytest.mark.parametrize(
    ("url", "options"),
    [
        pytest.param("smtp://localhost", ("localhost", 25, "", False, False), id="bare"),
        pytest.param(
            "smtp://noor%40x:p%3Aw@mail.example.com:587?starttls=1",
            ("mail.example.com", 587, "noor@x", False, True),
            id="login",
        ),
        pytest.param(
            "smtps://mail.example.com", ("mail.example.com", 465, "", True, False), id="tls"
        ),
    ],
)
def test_smtp_url_sets_the_mail_options(monkeypatch, url, options):
    monkeypatch.setenv("MAIL_URL", url)

    mail_options = service_urls.mailer("MAIL_URL", "outbox:")["OPTIONS"]

    names = ("host", "port", "username", "use_ssl", "use_tls")
    assert tuple(mail_options[name] for name in names) == options


def test_mail_url_without_a_scheme_is_refused(monkeypatch):
    monkeypatch.setenv("MAIL_URL", "mail.example.com:25")

    with pytest.raises(ImproperlyConfigured, match="MAIL_URL"):
        service_urls.mailer("MAIL_URL", "outbox:")


# Providers of mail and SMS ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "mailer"),
    [
        (
            "anymail://postmark?server_token=a%2Bb",
            {
                "BACKEND": "anymail.backends.postmark.EmailBackend",
                "OPTIONS": {"server_token": "a+b"},
            },
        ),
        ("outbox:", {"BACKEND": "channels.dev_outbox.OutboxBackend"}),
    ],
)
def test_mail_url_selects_the_mail_backend(monkeypatch, url, mailer):
    monkeypatch.setenv("MAIL_URL", url)

    assert service_urls.mailer("MAIL_URL", "") == mailer


def test_sms_url_sets_the_account(monkeypatch):
    url = "twilio://AC1:se%3Acret@api.example:8443?from=%2B31201234567&shared_key=k"
    monkeypatch.setenv("SMS_URL", url)

    assert service_urls.sms_account("SMS_URL", "") == {
        "url": "https://api.example:8443",
        "sid": "AC1",
        "token": "se:cret",
        "from": "+31201234567",
        "shared_key": "k",
    }


@pytest.mark.parametrize("url", ["", "outbox:"])
def test_empty_sms_url_has_no_account(monkeypatch, url):
    monkeypatch.setenv("SMS_URL", url)

    assert service_urls.sms_account("SMS_URL", "") is None


@pytest.mark.parametrize(
    "url",
    [
        "twilio://api.example?from=%2B31",
        "twilio://AC1:x@api.example",
        "smpp://AC1:x@api.example?from=%2B31",
        "api.example",
        "twilio://AC1@api.example?from=%2B31",
    ],
)
def test_invalid_sms_url_is_refused_without_showing_its_token(monkeypatch, url):
    monkeypatch.setenv("SMS_URL", url)

    with pytest.raises(ImproperlyConfigured) as odd:
        service_urls.sms_account("SMS_URL", "")

    assert "AC1:x" not in str(odd.value)
