"""Returned mail: which mail is a report, and about which message."""

import io
import sys
import uuid
from email import policy
from email.message import EmailMessage

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from butler.models import DeliveryReceipt
from channels.email import bounces, status_codes
from customers.models import Suppression
from tests.butler.arrange import NOON, guest, message

ID = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
BACK = f"bounce+{ID.hex}@larkmoor.example"
STATUS = """\
Reporting-MTA: dns; relay.example
Arrival-Date: Wed, 21 Apr 2027 10:00:00 +0000

Final-Recipient: rfc822; noor@example.com
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}
"""
RETURNED = f"""\
From: Larkmoor <hello@larkmoor.example>
To: noor@example.com
Message-ID: <{ID}@larkmoor.example>
Subject: Your visit

Words that nobody else should see.
"""
COMPLAINT = """\
Feedback-Type: {kind}
User-Agent: Mailbox/1
Version: 1
Original-Mail-From: <{sender}>
"""


def letter(kind: str, *parts: tuple[str, str], to: str = BACK) -> bytes:
    """Return a report with these parts, each with its type and content."""
    lines = [
        "From: Mail Delivery System <mailer-daemon@relay.example>",
        f"To: {to}",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"',
        "MIME-Version: 1.0",
        "",
    ]
    for content_type, text in (("text/plain", "It did not work."), *parts):
        lines += ["--b", f"Content-Type: {content_type}", "", text]
    return "\r\n".join([*lines, "--b--", ""]).encode()


def status(
    action: str = "failed",
    code: str = "5.1.1",
    diagnostic: str = "550 5.1.1 no such user",
    *,
    to: str = BACK,
    returned: tuple[str, str] = ("message/rfc822", RETURNED),
) -> bytes:
    block = STATUS.format(action=action, status=code, diagnostic=diagnostic)
    return letter("delivery-status", ("message/delivery-status", block), returned, to=to)


def complaint(kind: str = "abuse", sender: str = BACK, returned: str = RETURNED) -> bytes:
    block = COMPLAINT.format(kind=kind, sender=sender)
    parts = ("message/feedback-report", block), ("message/rfc822", returned)
    return letter("feedback-report", *parts, to="abuse@larkmoor.example")


def read(raw: bytes, **facts) -> list[tuple[str, str]]:
    defaults = {"bounce_address": "bounce@larkmoor.example", "domain": "larkmoor.example"}
    reports = bounces.parse_reports(raw, **{**defaults, "now": NOON, **facts})
    assert {report.message_id for report in reports} <= {str(ID)}
    return [(report.kind, report.detail) for report in reports]


@pytest.mark.parametrize(
    ("action", "code", "diagnostic", "expected"),
    [
        ("failed", "5.1.1", "550 5.1.1 no such user", ("bounced", "5.1.1")),
        ("failed", "5.0.0", "550 5.1.1 <noor@example.com>", ("bounced", "5.1.1")),
        ("failed", "5.0.0", "550 go away", ("failed", "5.0.0")),
        ("failed", "", "550 5.1.10 null MX", ("bounced", "5.1.10")),
        ("failed", "5.2.2", "552 5.2.2 mailbox full", ("failed", "5.2.2")),
        ("failed", "5.7.1", "554 5.7.1 spam", ("failed", "5.7.1")),
        ("failed", "4.4.7", "450 4.4.7 for five days", ("failed", "4.4.7")),
        ("Failed ", "5.1.1", "", ("bounced", "5.1.1")),
        ("delayed", "4.4.1", "", ("deferred", "4.4.1")),
        ("delivered", "2.0.0", "", ("delivered", "2.0.0")),
        ("relayed", "2.0.0", "", ("accepted", "2.0.0")),
    ],
)
def test_a_delivery_report_is_read(action, code, diagnostic, expected):
    assert read(status(action, code, diagnostic)) == [expected]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(status(to="hello@larkmoor.example"), id="the-letter-sent-back"),
        pytest.param(
            status(
                to="x@y.example", returned=("text/rfc822-headers", RETURNED.partition("\n\n")[0])
            ),
            id="its-headers-alone",
        ),
        pytest.param(status(returned=("message/rfc822", "Subject: x\n\n")), id="the-address"),
        pytest.param(status(to=f"BOUNCE+{ID.hex.upper()}@LARKMOOR.example"), id="in-capitals"),
    ],
)
def test_message_of_a_bounce_is_found(raw):
    assert read(raw) == [("bounced", "5.1.1")]


def test_the_mail_server_s_word_on_the_recipient_counts():
    raw = status(to="x@y.example", returned=("message/rfc822", "Subject: x\n\n"))

    assert read(raw) == []
    assert read(raw, recipient=BACK) == [("bounced", "5.1.1")]


@pytest.mark.parametrize("kind", ["abuse", "fraud", "Abuse"])
def test_complaint_report_is_parsed(kind):
    assert read(complaint(kind)) == [("complained", "")]
    assert read(complaint(kind, sender="x@y.example")) == [("complained", "")]
    assert read(complaint(kind, returned="Subject: x\n\n")) == [("complained", "")]


def _greeting(**headers: str) -> bytes:
    greeting = EmailMessage(policy=policy.SMTP)
    for name, value in {"From": "noor@example.com", "To": BACK, **headers}.items():
        greeting[name] = value
    greeting.set_content("I am away until May. In urgent cases call 550 5.1.1.")
    return greeting.as_bytes()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(_greeting(Subject="Out of office"), id="holiday"),
        pytest.param(_greeting(**{"Auto-Submitted": "auto-replied"}), id="automatic"),
        pytest.param(_greeting(Subject="Undelivered Mail Returned to Sender"), id="looks-like-one"),
        pytest.param(_greeting(Subject="unsubscribe"), id="asks-us-by-mail"),
        pytest.param(
            letter(
                "disposition-notification",
                ("message/disposition-notification", "Disposition: manual-action; displayed"),
            ),
            id="was-read",
        ),
        pytest.param(complaint("not-spam"), id="not-spam-after-all"),
        pytest.param(status("something-new"), id="unknown-action"),
        pytest.param(
            status(to="x@y.example", returned=("message/rfc822", "Message-ID: <1@y.example>\n\n")),
            id="somebody-else-s",
        ),
        pytest.param(
            status(
                to="x@y.example",
                returned=("message/rfc822", f"Message-ID: <{ID}@evil.example>\n\n"),
            ),
            id="our-number-of-another-domain",
        ),
        pytest.param(b"", id="nothing"),
    ],
)
def test_mail_that_is_no_report_is_ignored(raw):
    assert read(raw) == []


def test_without_a_place_to_come_back_to_the_letter_tells():
    assert read(status(), bounce_address="") == [("bounced", "5.1.1")]


def test_repeated_report_has_the_same_event_id():
    options = {"bounce_address": "", "domain": "larkmoor.example", "now": NOON}

    assert bounces.parse_reports(status(), **options)[0].event_id == (
        bounces.parse_reports(status().replace(b"It did not", b"Sorry, it did not"), **options)[
            0
        ].event_id
    )


_edits = st.tuples(st.integers(0, 1000), st.integers(0, 40), st.binary(max_size=20))


@given(st.sampled_from([status(), complaint()]), st.lists(_edits, max_size=8))
def test_corrupted_reports_never_raise(whole, edits):
    raw = bytearray(whole)
    for place, length, other in edits:
        raw[place : place + length] = other

    reports = bounces.parse_reports(
        bytes(raw), bounce_address="bounce@larkmoor.example", domain="larkmoor.example", now=NOON
    )

    assert len(reports) <= 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.1.1", "5.1.1"),
        ("550 5.1.1 x", "5.1.1"),
        ("15.1.1", ""),
        ("5.1.1.1", ""),
        ("550", ""),
        ("smtp;550-5.7.26 x", "5.7.26"),
    ],
)
def test_codes_are_found(text, code):
    assert status_codes.find_code(text) == code


# The command ---------------------------------------------------------------------------------


@pytest.fixture
def accepted_message(db, settings):
    settings.BOUNCE_ADDRESS = "bounce@larkmoor.example"
    settings.DEFAULT_FROM_EMAIL = "Larkmoor <hello@larkmoor.example>"
    return message(guest(), id=ID, state="accepted", address="noor@example.com")


def test_a_mail_server_pipes_it_in(accepted_message, monkeypatch, capsys):
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(status())))
        call_command("take_bounces")

    accepted_message.refresh_from_db()
    assert (accepted_message.state, accepted_message.reason) == ("bounced", "5.1.1")
    assert Suppression.objects.get().address == "noor@example.com"
    assert DeliveryReceipt.objects.count() == 1
    assert capsys.readouterr().out == "-: bounced\n" * 2


def test_files_are_taken_in_too(accepted_message, tmp_path, capsys):
    for name, raw in (("a", complaint()), ("b", _greeting(Subject="Away"))):
        (tmp_path / name).write_bytes(raw)

    call_command("take_bounces", str(tmp_path / "a"), str(tmp_path / "b"))

    accepted_message.refresh_from_db()
    assert accepted_message.state == "complained"
    output = capsys.readouterr().out
    assert "a: complained" in output
    assert "b: no report of ours" in output


def test_a_report_closes_only_the_address_that_we_wrote_to(accepted_message, tmp_path):
    forged = status().replace(b"noor@example.com", b"eli@example.com")
    (tmp_path / "forged").write_bytes(forged)

    call_command("take_bounces", str(tmp_path / "forged"))

    assert list(Suppression.objects.values_list("address", flat=True)) == ["noor@example.com"]


def test_missing_file_is_reported(accepted_message):
    with pytest.raises(CommandError, match="No such file"):
        call_command("take_bounces", "/no/such/file")
