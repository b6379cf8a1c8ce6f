"""The contract of every channel adapter, checked against a simulated provider."""

import dataclasses
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from bench.ports import free_port
from butler.models import StaffTask
from channels import dev_outbox
from channels.email.adapter import EmailAdapter
from channels.inbox.adapter import InboxAdapter
from channels.phone.adapter import PhoneAdapter
from channels.protocol import ChannelMessage, DeliveryResult
from channels.sms.adapter import OutboxAdapter, SmsAdapter
from tests.channels import relay as relays
from tests.channels.provider import SID, TOKEN, Provider
from tests.channels.relay import Relay

pytestmark = pytest.mark.django_db

NUMBER = "+31612345678"
ADDRESS = "noor@example.com"
WORDS = "The carousel opens again at three."
# Seconds. The timeouts of the adapters are a second. A provider that hangs answers after thirty.
MAX_WAIT = 20


@dataclasses.dataclass
class Counterpart:
    """An adapter with its simulated provider."""

    adapter: object
    # Returns the ids of the messages that the provider received.
    arrived: Callable[[], list[str]]
    # Makes the provider fail; FAILURES has the kinds of failure.
    fail: Callable[[str], None]


def parcel(**facts) -> ChannelMessage:
    defaults = {
        "id": uuid.uuid4(),
        "delivery_id": uuid.uuid4(),
        "customer_id": uuid.uuid4(),
        "to": ADDRESS,
        "language": "en",
        "subject": "The carousel is open",
        "text": WORDS,
        "html": f"<p>{WORDS}</p>",
        "message_class": "service",
        "topic": "rides",
        "unsubscribe_url": "https://larkmoor.example/u/token/",
    }
    return ChannelMessage(**{**defaults, **facts})


@pytest.fixture
def relay() -> Iterator[tuple[Relay, int]]:
    relay = Relay()
    controller, port = relays.start(relay)
    yield relay, port
    controller.stop()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.stop()


def _email(request, settings) -> Counterpart:
    relay, port = request.getfixturevalue("relay")
    settings.DEFAULT_FROM_EMAIL = "Larkmoor <hello@larkmoor.example>"
    settings.MAILERS = {"default": _smtp(port)}

    def fail(mode: str) -> None:
        relay.mode = mode
        if mode == "refuse":
            adapter._mailer = _smtp(free_port())

    adapter = EmailAdapter(timeout=1.0)
    return Counterpart(
        adapter,
        lambda: [letter.message["Message-ID"].strip("<>") for letter in relay.letters],
        fail,
    )


def _smtp(port: int) -> dict:
    options = {"host": "127.0.0.1", "port": port}
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


def _email_outbox(request, settings) -> Counterpart:
    request.getfixturevalue("own_outbox")
    settings.MAILERS = {"default": {"BACKEND": "channels.dev_outbox.OutboxBackend"}}
    return Counterpart(EmailAdapter(), lambda: [entry.subject for entry in _oldest_first()], None)


def _sms(request, settings) -> Counterpart:
    provider = request.getfixturevalue("provider")

    def fail(mode: str) -> None:
        provider.mode = mode
        if mode == "refuse":
            adapter._url = f"http://127.0.0.1:{free_port()}/none"

    account = {"url": provider.url, "sid": SID, "token": TOKEN, "from": "+31201234567"}
    adapter = SmsAdapter(account, timeout=1.0)
    return Counterpart(
        adapter,
        lambda: [message["StatusCallback"].rpartition("=")[2] for message in provider.messages],
        fail,
    )


def _sms_outbox(request, settings) -> Counterpart:
    request.getfixturevalue("own_outbox")
    return Counterpart(OutboxAdapter(), lambda: [entry.text for entry in _oldest_first()], None)


def _inbox(request, settings) -> Counterpart:
    return Counterpart(InboxAdapter(), None, None)


def _phone(request, settings) -> Counterpart:
    return Counterpart(
        PhoneAdapter(),
        lambda: [str(task.message_id) for task in StaffTask.objects.order_by("pk")],
        None,
    )


def _oldest_first() -> list[dev_outbox.OutboxMessage]:
    return dev_outbox.read_messages()[::-1]


@pytest.fixture
def own_outbox(settings, tmp_path):
    settings.BUTLER_HOME = tmp_path


MAKERS = {
    "email": _email,
    "email outbox": _email_outbox,
    "sms": _sms,
    "sms outbox": _sms_outbox,
    "inbox": _inbox,
    "phone": _phone,
}


@pytest.fixture(params=MAKERS)
def counterpart(request, settings) -> Counterpart:
    return MAKERS[request.param](request, settings)


def always() -> bool:
    return True


def results(outcomes: list[DeliveryResult]) -> list[str]:
    return [outcome.outcome for outcome in outcomes]


# Every way -----------------------------------------------------------------------------


def test_outcomes_come_one_a_parcel_in_order(counterpart):
    parcels = [parcel(subject=f"{n}", text=f"{n}") for n in range(5)]

    outcomes = list(counterpart.adapter.send(parcels, always))

    assert [outcome.delivery_id for outcome in outcomes] == [
        parcel.delivery_id for parcel in parcels
    ]
    assert results(outcomes) == ["accepted"] * 5
    if counterpart.arrived:
        arrived = counterpart.arrived()
        assert arrived in ([str(p.id) for p in parcels], [p.text for p in parcels]) or arrived == [
            f"{p.id}@larkmoor.example" for p in parcels
        ]


def test_outcomes_come_as_they_happen(counterpart):
    outcomes = counterpart.adapter.send([parcel(), parcel()], always)

    assert next(outcomes).outcome == "accepted"
    if counterpart.arrived:
        assert len(counterpart.arrived()) == 1
    outcomes.close()
    if counterpart.arrived:
        assert len(counterpart.arrived()) == 1


def test_adapter_sends_nothing_after_it_is_closed(counterpart):
    parcels = [parcel() for _ in range(4)]
    handed_over: list[DeliveryResult] = []

    outcomes = counterpart.adapter.send(parcels, lambda: len(handed_over) < 2)
    handed_over.extend(islice(outcomes, 2))
    handed_over.extend(outcomes)

    assert [outcome.delivery_id for outcome in handed_over] == [
        parcel.delivery_id for parcel in parcels[:2]
    ]
    if counterpart.arrived:
        assert len(counterpart.arrived()) == 2


def test_adapter_that_was_never_open_sends_nothing(counterpart):
    assert list(counterpart.adapter.send([parcel()], lambda: False)) == []
    if counterpart.arrived:
        assert counterpart.arrived() == []


def test_empty_batch_has_no_outcomes(counterpart):
    assert list(counterpart.adapter.send([], always)) == []


def test_a_message_is_the_same_one_at_its_second_attempt(counterpart):
    first = parcel()
    again = parcel(id=first.id)

    outcomes = [
        *counterpart.adapter.send([first], always),
        *counterpart.adapter.send([again], always),
    ]

    assert results(outcomes) == ["accepted", "accepted"]
    if counterpart.arrived and counterpart.adapter.is_idempotent:
        assert counterpart.arrived() == [str(first.id)]
    elif counterpart.arrived:
        assert len(set(counterpart.arrived())) == 1


def test_it_says_who_it_is(counterpart):
    assert counterpart.adapter.channel in {"email", "sms", "inbox", "phone"}
    assert counterpart.adapter.provider
    assert counterpart.adapter.address_kind in {"", "email", "phone"}
    assert 0 < counterpart.adapter.timeout <= 10


@pytest.mark.parametrize(
    "naughty",
    [
        pytest.param("\ud800", id="lone-surrogate"),
        pytest.param("a\x00b", id="nul"),
        pytest.param("Noor\r\nBcc: eli@example.com\r\n\r\nx", id="line-breaks"),
        pytest.param("\r\n.\r\nMAIL FROM:<x@example.com>\r\n", id="the-dot"),
        pytest.param("<script>{{ 7*7 }}", id="markup"),
        pytest.param("å" * 5000, id="long"),
        pytest.param("", id="nothing"),
    ],
)
def test_hostile_text_never_raises_and_stays_one_message(counterpart, naughty):
    naughty_parcel = parcel(subject=naughty, text=naughty, html=naughty)

    outcomes = list(counterpart.adapter.send([naughty_parcel, parcel()], always))

    assert outcomes[0].delivery_id == naughty_parcel.delivery_id
    assert outcomes[0].outcome in {"accepted", "rejected", "uncertain"}
    assert outcomes[1].outcome == "accepted"
    if counterpart.arrived:
        assert len(counterpart.arrived()) <= 2


# Ways that can fail ----------------------------------------------------------------------

# channel, failure of the provider, outcome of the message, suppression, whether it arrived
FAILURES = [
    ("email", "busy", "transient", "", False),
    ("email", "unknown", "rejected", "bounced", False),
    ("email", "bare", "rejected", "bounced", False),
    ("email", "full", "rejected", "", False),
    ("email", "spam", "rejected", "", False),
    ("email", "later", "transient", "", False),
    ("email", "closing", "transient", "", False),
    ("email", "sender", "transient", "", False),
    ("email", "refuse", "transient", "", False),
    ("email", "cut", "transient", "", False),
    ("email", "stall", "transient", "", False),
    ("email", "hang", "uncertain", "", True),
    ("email", "drop", "uncertain", "", True),
    ("sms", "stopped", "rejected", "stopped", False),
    ("sms", "invalid", "rejected", "", False),
    ("sms", "busy", "transient", "", False),
    ("sms", "wrong_key", "transient", "", False),
    ("sms", "refuse", "transient", "", False),
    ("sms", "broken", "uncertain", "", False),
    ("sms", "hang", "uncertain", "", True),
    ("sms", "drop", "uncertain", "", True),
    ("sms", "drip", "uncertain", "", True),
    ("sms", "odd", "accepted", "", True),
]


@pytest.fixture
def failing(request, settings):
    channel, mode, outcome, suppress, has_arrived = request.param
    counterpart = MAKERS[channel](request, settings)
    counterpart.fail(mode)
    return counterpart, outcome, suppress, has_arrived


every_failure = pytest.mark.parametrize(
    "failing", FAILURES, ids=[f"{failure[0]}-{failure[1]}" for failure in FAILURES], indirect=True
)


@every_failure
@pytest.mark.slow
def test_each_failure_is_the_outcome_it_is(failing, caplog):
    counterpart, expected, suppress, has_arrived = failing
    caplog.set_level(logging.DEBUG)
    began = time.monotonic()

    [outcome] = counterpart.adapter.send([parcel(to=_recipient(counterpart))], always)

    elapsed = time.monotonic() - began
    assert (outcome.outcome, outcome.suppress) == (expected, suppress)
    assert bool(counterpart.arrived()) == has_arrived
    assert elapsed < MAX_WAIT
    logged = [
        record.getMessage() for record in caplog.records if not record.name.startswith("mail.")
    ]
    reported = " ".join([outcome.detail, outcome.code, *logged])
    assert expected == "accepted" or outcome.code
    for secret in ("noor", NUMBER, "612345678", WORDS, TOKEN):
        assert secret not in reported


@every_failure
@pytest.mark.slow
def test_one_failure_does_not_stop_the_batch_nor_hold_it_up(failing):
    counterpart, expected, _, _ = failing
    parcels = [parcel(to=_recipient(counterpart)) for _ in range(3)]
    began = time.monotonic()

    outcomes = list(counterpart.adapter.send(parcels, always))

    assert results(outcomes) == [expected] * 3
    assert [outcome.delivery_id for outcome in outcomes] == [
        parcel.delivery_id for parcel in parcels
    ]
    assert time.monotonic() - began < MAX_WAIT


def test_unreachable_relay_fails_the_rest_of_the_batch_at_once(request, settings):
    counterpart = _email(request, settings)
    counterpart.fail("refuse")

    outcomes = list(counterpart.adapter.send([parcel() for _ in range(25)], always))

    assert results(outcomes) == ["transient"] * 25
    assert {outcome.code for outcome in outcomes} == {"connect_failed"}


def test_the_busy_provider_s_wish_is_passed_on(request, settings):
    counterpart = _sms(request, settings)
    counterpart.fail("busy")

    [outcome] = counterpart.adapter.send([parcel(to=NUMBER)], always)

    assert outcome.retry_after == 7.0


def test_a_letter_does_not_leave_when_the_lease_ends_while_the_relay_thinks(request, settings):
    counterpart = _email(request, settings)
    relay, _ = request.getfixturevalue("relay")
    closed = []
    relay.at_data = lambda: closed.append(True)

    outcomes = list(counterpart.adapter.send([parcel(), parcel()], lambda: not closed))

    assert outcomes == []
    assert relay.letters == []


def test_an_sms_does_not_leave_when_the_lease_ends_while_it_connects(request, settings):
    counterpart = _sms(request, settings)
    looks = iter([True, False])

    outcomes = list(
        counterpart.adapter.send([parcel(to=NUMBER), parcel(to=NUMBER)], lambda: next(looks))
    )

    assert outcomes == []
    assert counterpart.arrived() == []


def _recipient(counterpart: Counterpart) -> str:
    return NUMBER if counterpart.adapter.channel == "sms" else ADDRESS
