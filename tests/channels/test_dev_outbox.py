import threading
import uuid

import pytest
from django.core.mail import EmailMultiAlternatives, send_mail
from django.utils import timezone

from channels import dev_outbox
from channels.protocol import ChannelMessage
from channels.sms.adapter import OutboxAdapter


@pytest.fixture(autouse=True)
def _own_outbox(settings, tmp_path):
    settings.BUTLER_HOME = tmp_path
    settings.DEBUG = True
    settings.MAILERS = {"default": {"BACKEND": "channels.dev_outbox.OutboxBackend"}}


def test_a_mail_is_read_back_newest_first(client):
    send_mail("First", "one", None, ["noor@example.com"])
    second = EmailMultiAlternatives("Second", "two", None, ["noor@example.com", "eli@example.com"])
    second.attach_alternative("<p>two</p>", "text/html")
    second.send()

    response = client.get("/dev/outbox.json")

    mails = [(mail["subject"], mail["to"], mail["text"], mail["html"]) for mail in response.json()]
    assert mails == [
        ("Second", "eli@example.com", "two", "<p>two</p>"),
        ("Second", "noor@example.com", "two", "<p>two</p>"),
        ("First", "noor@example.com", "one", ""),
    ]
    assert response.json()[0].keys() == {"channel", "to", "subject", "text", "html", "sent_at"}


def test_the_page_escapes_what_was_sent(client):
    send_mail("<script>alert(1)</script>", "<b>x</b>", None, ["noor@example.com"])

    page = client.get("/dev/outbox/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_an_sms_is_there_too(client):
    words = ("", "Tot zo, Noor.", "", "service", "visits")
    ids = (uuid.uuid4(), uuid.uuid4(), uuid.uuid4())
    list(OutboxAdapter().send([ChannelMessage(*ids, "+31612345678", "nl", *words)], lambda: True))

    [sms] = client.get("/dev/outbox.json").json()
    page = client.get("/dev/outbox/").content.decode()

    assert (sms["channel"], sms["to"], sms["text"]) == ("sms", "+31612345678", "Tot zo, Noor.")
    assert "<b>sms</b> to +31612345678" in page
    assert "Tot zo, Noor." in page


def test_an_empty_outbox_is_empty(client):
    assert client.get("/dev/outbox.json").json() == []
    assert client.get("/dev/outbox/").status_code == 200


@pytest.mark.parametrize("path", ["/dev/outbox/", "/dev/outbox.json"])
def test_outside_development_there_is_none(client, settings, path):
    settings.DEBUG = False

    assert client.get(path).status_code == 404


def test_outbox_file_is_readable_by_its_owner_only(tmp_path):
    send_mail("x", "x", None, ["noor@example.com"])

    assert (tmp_path / "outbox.jsonl").stat().st_mode & 0o777 == 0o600


def test_many_writers_lose_nothing():
    entry = dev_outbox.OutboxMessage("sms", "+31600000000", "", "x" * 5000, "", timezone.now())

    threads = [
        threading.Thread(target=lambda: [dev_outbox.append_messages([entry]) for _ in range(20)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(dev_outbox.read_messages()) == 160


@pytest.mark.slow
def test_outbox_file_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr(dev_outbox, "_MAX_FILE_SIZE", 50_000)
    monkeypatch.setattr(dev_outbox, "MAX_MESSAGES", 10)
    for number in range(100):
        dev_outbox.append_messages(
            [dev_outbox.OutboxMessage("email", "x", str(number), "x" * 1000, "", timezone.now())]
        )

    assert (tmp_path / "outbox.jsonl").stat().st_size < 60_000
    assert [entry.subject for entry in dev_outbox.read_messages()][:2] == ["99", "98"]
