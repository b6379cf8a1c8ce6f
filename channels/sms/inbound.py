"""What customers send us by SMS: words that end or begin it, and everything else."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from butler.actions import tasks, wall
from butler.models import Message
from channels.ingest import intake, segment
from channels.phone.calls import international
from channels.sms.keywords import Meaning, meaning
from customers import lookup
from customers.actions import control
from customers.actions.changes import Author
from customers.actions.control import NoSuchCustomer, Word
from customers.models import Control, Source, Suppression
from customers.normalize import normalize
from customers.profile import Outcome, Sender

# The provider waits fifteen seconds for our answer, then asks again.
_PATIENCE = 8.0
# How soon a person answers.
_SOON = timedelta(hours=1)
_LONGEST = 64


class Text(NamedTuple):
    """One message as it came in."""

    sid: str
    number: str
    to: str
    body: str
    meant: Meaning
    # Of the word; empty where it is the same in all.
    language: str


def read(fields: Mapping[str, object]) -> Text:
    """Read the form of a provider's webhook; what is missing is empty."""
    said = {name: str(fields.get(name) or "") for name in ("From", "To", "Body", "OptOutType")}
    meant, language = meaning(said["Body"], hint=said["OptOutType"])
    sid = str(fields.get("MessageSid") or fields.get("SmsSid") or "")
    number = international(said["From"].strip()[:_LONGEST])
    # Spelled as proved numbers are; a short code or a name stays as it is.
    number = normalize("phone", number, None) or number
    return Text(sid, number, said["To"], said["Body"], meant, language)


def take_in(text: Text, *, now: datetime) -> None:
    """Do what the message says. Saying it again, as providers do, changes nothing."""
    if text.meant == "stop":
        _stop(text, now)
    elif text.meant == "start":
        _start(text, now)
    else:
        _keep(text, now)


def language_for(text: Text, default: str) -> str:
    """Return the language to answer in: of the word, or the one in which we last wrote."""
    if text.language:
        return text.language
    customers = [match.id for match in lookup.matches("phone", text.number)]
    last = Message.objects.filter(customer_id__in=customers).exclude(language="")
    found = last.order_by("-created_at").values_list("language", flat=True).first()
    return found or default


def _stop(text: Text, now: datetime) -> None:
    # First of all, and for numbers that nobody has proved too. If anything fails after it, the
    # provider asks again; the event comes last, because it is by that we know a repetition.
    Suppression.objects.bulk_create(
        [
            Suppression(
                channel="sms",
                address=text.number,
                reason=Suppression.Reason.STOPPED,
                evidence=f"sms:{text.sid}",
                since=now,
            )
        ],
        ignore_conflicts=True,
    )
    words = [
        Word("preference.set", "allow", False, channel="sms", evidence=_evidence(text)),
        Word("signal.received", "sms_stop", evidence=_evidence(text)),
    ]
    for customer_id in _theirs(text.number, is_off=False):
        try:
            wall.say(
                customer_id=customer_id, words=words, author=_author(), now=now, patience=_PATIENCE
            )
        except NoSuchCustomer:
            continue
    _record(text, now)


@transaction.atomic
def _start(text: Text, now: datetime) -> None:
    # An old START that comes again must not undo the STOP that came after it.
    if _record(text, now).status != "accepted":
        return
    stopped = Suppression.objects.filter(
        channel="sms",
        address=text.number,
        reason=Suppression.Reason.STOPPED,
        lifted_at=None,
    )
    stopped.update(lifted_at=now)
    words = [
        Word("preference.cleared", "allow", channel="sms", evidence=_evidence(text)),
        Word("signal.received", "sms_start", evidence=_evidence(text)),
    ]
    for customer_id in _theirs(text.number, is_off=True):
        control.say(customer_id=customer_id, words=words, author=_author(), now=now)


@transaction.atomic
def _keep(text: Text, now: datetime) -> None:
    outcome = _record(text, now)
    if outcome.customer_id is None or outcome.status != "accepted" or text.meant == "help":
        return
    tasks.ask(
        key=f"sms:{text.sid}",
        kind="reply",
        customer_id=outcome.customer_id,
        title="Answer an SMS",
        body=text.body,
        due_at=now + _SOON,
    )


def _record(text: Text, now: datetime) -> Outcome:
    """Put the message on the log of whoever has the number, once."""
    sender = _sender()
    event: dict[str, Any] = {
        "type": "track",
        "event": "Message Received",
        "messageId": text.sid,
        "properties": {"channel": "sms", "text": text.body, "to": text.to},
        "context": {"externalIds": [{"type": "phone", "id": text.number}]},
    }
    frame = segment.Frame(received_at=now, is_trusted=True)
    found = segment.keep(event, frame)
    return intake.take_in(sender=sender, found=[found], received_at=now)[0]


def _theirs(number: str, *, is_off: bool) -> list[UUID]:
    """Return the customers who proved the number and whose SMS is on, or off."""
    proved = [match.id for match in lookup.matches("phone", number) if match.is_verified]
    off = Control.objects.filter(customer__in=proved, channels_off__contains=["sms"])
    quiet = set(off.values_list("customer_id", flat=True))
    return [id_ for id_ in proved if (id_ in quiet) == is_off]


def _evidence(text: Text) -> dict[str, str]:
    return {"kind": text.meant, "message": text.sid}


def _sender() -> Sender:
    source, _ = Source.objects.get_or_create(name="sms", defaults={"channel": "sms"})
    return Sender(source_id=source.pk, name=source.name, channel="sms", is_trusted=True)


def _author() -> Author:
    return Author(_sender())
