"""The built mail has the content of the message for Python's mail parser."""

import uuid
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import mime
from channels.email.mime import UnsendableMessage, build_django_message, build_smtp_message
from channels.protocol import ChannelMessage

NOW = datetime(2027, 4, 21, 10, 0, tzinfo=UTC)
LINK = "https://larkmoor.example/u/" + "aB9_-" * 30 + "." + "x" * 43 + "/"


@pytest.fixture(autouse=True)
def _sender_address(settings):
    settings.DEFAULT_FROM_EMAIL = "Larkmoor <hello@larkmoor.example>"
    settings.BOUNCE_ADDRESS = "bounce@larkmoor.example"


def parcel(**facts) -> ChannelMessage:
    defaults = {
        "id": uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
        "delivery_id": uuid.uuid4(),
        "customer_id": uuid.uuid4(),
        "to": "noor@example.com",
        "language": "nl",
        "subject": "Uw bezoek",
        "text": "Tot zondag.",
        "html": "<p>Tot zondag.</p>",
        "message_class": "service",
        "topic": "visits",
        "unsubscribe_url": LINK,
    }
    return ChannelMessage(**{**defaults, **facts})


def read(**facts):
    return message_from_bytes(
        build_smtp_message(parcel(**facts), now=NOW).content, policy=policy.SMTP
    )


def lines(text: str) -> str:
    """Return the text with one kind of line ending, as in mail."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_the_headers_say_what_it_is():
    mail = read()

    assert mail["From"] == "Larkmoor <hello@larkmoor.example>"
    assert mail["To"] == "noor@example.com"
    assert mail["Subject"] == "Uw bezoek"
    assert mail["Message-ID"] == "<01890a5d-ac96-774b-bcce-b302099a8057@larkmoor.example>"
    assert mail["Date"].datetime == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Feedback-ID"] == "visits:service:larkmoor.example"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_link_that_ends_it_is_on_one_line_as_it_is():
    # Python's generator would fold the URL into encoded words, which mail programs do not find.
    assert (
        f"\r\nList-Unsubscribe: <{LINK}>\r\n".encode()
        in build_smtp_message(parcel(), now=NOW).content
    )


def test_email_without_an_unsubscribe_url_has_no_unsubscribe_headers():
    mail = read(unsubscribe_url="")

    assert "List-Unsubscribe" not in mail
    assert "List-Unsubscribe-Post" not in mail


def test_email_is_identical_at_every_attempt():
    first, again = (
        build_smtp_message(parcel(delivery_id=uuid.UUID(int=1)), now=NOW) for _ in range(2)
    )

    assert first == again
    assert first.envelope_from == "bounce+01890a5dac96774bbcceb302099a8057@larkmoor.example"


def test_without_a_place_to_come_back_to_it_comes_from_the_sender(settings):
    settings.BOUNCE_ADDRESS = ""

    assert build_smtp_message(parcel(), now=NOW).envelope_from == "hello@larkmoor.example"


def test_words_alone_are_a_plain_letter():
    mail = read(html="")

    assert mail.get_content_type() == "text/plain"
    assert lines(mail.get_content()) == "Tot zondag.\n"


_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300)


@given(_text, _text)
def test_any_text_arrives_unchanged(text, html):
    mail = message_from_bytes(
        build_smtp_message(parcel(text=text, html=html or "x"), now=NOW).content, policy=policy.SMTP
    )
    plain, rich = mail.iter_parts()

    assert lines(plain.get_content()) == lines(text) + "\n"
    assert lines(rich.get_content()) == lines(html or "x") + "\n"


@given(_text)
def test_any_subject_arrives_on_one_line(subject):
    sealed = build_smtp_message(parcel(subject=subject), now=NOW)
    mail = message_from_bytes(sealed.content, policy=policy.SMTP)

    expected = mime._CONTROLS.sub(" ", subject).strip()
    assert " ".join(mail["Subject"].split()) == " ".join(expected.split())
    assert len(mail.keys()) == 11


@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=400))
def test_no_line_is_too_long_or_odd(subject, text, html):
    content = build_smtp_message(parcel(subject=subject, text=text, html=html), now=NOW).content

    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert content.isascii()
    assert b"\x00" not in content


@pytest.mark.parametrize(
    ("subject", "read_as"),
    [
        ("Noor\r\nBcc: eli@example.com", "Noor Bcc: eli@example.com"),
        ("a\u2028b", "a b"),
        ("=?utf-8?q?not_encoded?=", "=?utf-8?q?not_encoded?="),
        ("😀" * 40, "😀" * 40),
        ("x" * 300, "x" * 300),
    ],
)
def test_subjects_that_others_trip_over(subject, read_as):
    mail = read(subject=subject)

    assert mail["Subject"] == read_as
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    ("address", "spelled"),
    [
        ("noor@example.com", "noor@example.com"),
        ("noor+park@sub.example.com", "noor+park@sub.example.com"),
        ("noor@exämple.com", "noor@xn--exmple-cua.com"),
        ('"no or"@example.com', '"no or"@example.com'),
    ],
)
def test_addresses_are_spelled_in_ascii(address, spelled):
    sealed = build_smtp_message(parcel(to=address), now=NOW)

    assert sealed.envelope_to == spelled
    assert build_django_message(parcel(to=address), now=NOW).to == [spelled]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "noor",
        "noor@",
        "@example.com",
        "noor@example.com, eli@example.com",
        "Noor <noor@example.com>",
        "noor@example.com\r\nBcc: eli@example.com",
        "noor@example.com\nRCPT TO:<eli@example.com>",
        "noor@example.com\x00",
        "noor@exa mple.com",
        "noor@example.com>",
        "nøør@example.com",
        "\ud800@example.com",
        "a@b@c",
        "noor@" + "ä" * 300 + ".com",
    ],
)
def test_invalid_address_is_refused_without_repeating_it(address):
    for put in (build_smtp_message, build_django_message):
        with pytest.raises(UnsendableMessage) as refused:
            put(parcel(to=address), now=NOW)

        assert not address or address not in str(refused.value)


@pytest.mark.parametrize("field", ["topic", "message_class", "unsubscribe_url"])
def test_header_with_a_line_break_is_refused(field):
    for broken in ("x\r\nBcc: eli@example.com", "x\ny", "é"):
        with pytest.raises(UnsendableMessage):
            build_smtp_message(parcel(**{field: broken}), now=NOW)


def test_a_mailer_of_django_s_gets_the_same_headers():
    composed = build_django_message(parcel(), now=NOW)

    assert composed.extra_headers["List-Unsubscribe"] == f"<{LINK}>"
    assert composed.extra_headers["Message-ID"] == read()["Message-ID"]
    assert composed.alternatives[0].content == "<p>Tot zondag.</p>"


def test_copy_is_a_hidden_recipient_of_a_mailer():
    composed = build_django_message(parcel(copies=("noor.new@example.com",)), now=NOW)

    assert composed.recipients() == ["noor@example.com", "noor.new@example.com"]
    assert "Bcc" not in composed.message()
