"""What customers send us by SMS: words that end or begin it, and everything else."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce

from butler.actions import staff_tasks, withdrawal
from butler.models import Message
from channels.ingest import segment, store
from channels.phone.calls import international
from channels.sms.keywords import Meaning, meaning
from customers.actions import consent
from customers.actions.changes import Author
from customers.actions.consent import ConsentStatement
from customers.consent import ledger as consent_ledger
from customers.consent.state import LedgerEntry, StatementKey, newest_entries
from customers.db import retry
from customers.events import log
from customers.identity import lookup
from customers.identity.normalize import normalize
from customers.models import Customer, Event, Source, Suppression
from customers.types import IngestOutcome, Sender

# The provider waits fifteen seconds for our answer, then asks again.
_PATIENCE = 8.0
# The names that the provider gives: letters for the kind, and 128 bits.
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
# How soon a person answers.
_SOON = timedelta(hours=1)
_LONGEST = 64
CHANNEL = "sms"
_ALLOW = "allow"
# What can have switched SMS off: the word STOP, or the customer in another place.
_BY_STOP, _ELSEWHERE = "stop", "elsewhere"


class Text(NamedTuple):
    """One message as it came in."""

    sid: str
    number: str
    to: str
    body: str
    meant: Meaning
    # Of the word; empty where it is the same in all.
    language: str

    @property
    def is_named(self) -> bool:
        """Tell whether it has an id that it can be known by when it comes again.

        Names and values are signed one after the other with nothing between: whoever kept a
        request can cut it anew, so that the id is a longer one. A STOP counts whatever its id.
        """
        return self.meant == "stop" or _SID.fullmatch(self.sid) is not None


def read(fields: Mapping[str, object]) -> Text:
    """Read the form of a provider's webhook; what is missing is empty."""
    said = {name: str(fields.get(name) or "") for name in ("From", "To", "Body", "OptOutType")}
    meant, language = meaning(said["Body"], hint=said["OptOutType"])
    sid = str(fields.get("MessageSid") or fields.get("SmsSid") or "")
    number = international(said["From"].strip()[:_LONGEST])
    # Spelled as proved numbers are; a short code or a name stays as it is.
    number = normalize("phone", number, None) or number
    return Text(sid, number, said["To"], said["Body"], meant, language)


def take_in(text: Text, *, now: datetime) -> bool:
    """Do what the message says; return whether the customer lets SMS through after it.

    Saying it again, as providers do, changes nothing.
    """
    if text.meant == "stop":
        _stop(text, now)
        return False
    if text.meant == "start":
        return _start(text, now)
    _keep(text, now)
    return True


def language_for(text: Text, default: str) -> str:
    """Return the language to answer in: of the word, or the one in which we last wrote."""
    if text.language:
        return text.language
    customers = [match.id for match in lookup.matches("phone", text.number)]
    last = Message.objects.filter(customer_id__in=customers).exclude(language="")
    found = last.order_by("-created_at", "-id").values_list("language", flat=True).first()
    return found or default


def _stop(text: Text, now: datetime) -> None:
    # A STOP that the provider delivers again must not undo a START that came after it.
    if _is_known(text):
        return
    # On its own and first of all: whatever fails below, and whoever has the number, it is shut.
    Suppression.objects.bulk_create(
        [
            Suppression(
                channel=CHANNEL,
                address=text.number,
                reason=Suppression.Reason.STOPPED,
                evidence=f"sms:{text.sid}",
                since=now,
            )
        ],
        ignore_conflicts=True,
    )
    owner = retry.on_conflict(lambda: _hear_stop(text, now))
    if owner:
        withdrawal.wait(owner, _PATIENCE)


def _hear_stop(text: Text, now: datetime) -> UUID | None:
    """Put a STOP on the log and the ledger of whoever has the number; return the live record.

    A number that nobody proved, or that is shared, has a record of its own: no STOP is without
    an entry that proves it, and none speaks for people who only used the same telephone.
    """
    outcome = _record(text, now)
    if outcome.customer_id is None or outcome.status != "accepted":
        return outcome.customer_id
    shut = _shut_by(outcome.customer_id)
    words = [ConsentStatement("signal.received", "sms_stop", evidence=_evidence(text))]
    if not shut:
        off = ConsentStatement(
            "preference.set", _ALLOW, False, channel=CHANNEL, evidence=_evidence(text)
        )
        words.insert(0, off)
    elif shut == {_BY_STOP}:
        return outcome.customer_id
    said = consent.record_statements(
        customer_id=outcome.customer_id, statements=words, author=_author(), now=now
    )
    return said.customer_id


def _start(text: Text, now: datetime) -> bool:
    return retry.on_conflict(lambda: _hear_start(text, now))


def _hear_start(text: Text, now: datetime) -> bool:
    """Take back what STOP did, and nothing that the customer said elsewhere."""
    outcome = _record(text, now)
    # An old START that comes again must not undo the STOP that came after it.
    if outcome.status != "accepted":
        return not _is_stopped(text.number)
    stopped = Suppression.objects.filter(
        channel=CHANNEL,
        address=text.number,
        reason=Suppression.Reason.STOPPED,
        lifted_at=None,
    )
    stopped.update(lifted_at=now)
    if outcome.customer_id is None:
        return True
    shut = _shut_by(outcome.customer_id)
    if shut == {_BY_STOP}:
        words = [
            ConsentStatement(
                "preference.cleared", _ALLOW, channel=CHANNEL, evidence=_evidence(text)
            ),
            ConsentStatement("signal.received", "sms_start", evidence=_evidence(text)),
        ]
        consent.record_statements(
            customer_id=outcome.customer_id, statements=words, author=_author(), now=now
        )
    return shut <= {_BY_STOP}


def _shut_by(customer_id: UUID) -> set[str]:
    """Return what switched SMS off as it stands, for any of the records that are this customer."""
    [live] = Customer.objects.filter(pk=customer_id).values_list(
        Coalesce("canonical_id", "id"), flat=True
    )
    ledger = consent_ledger.read_ledgers([live])[live]
    said = newest_entries(
        ledger.entries, ledger.members, StatementKey("preference", _ALLOW, CHANNEL)
    )
    return {
        _BY_STOP if _is_stop(entry) else _ELSEWHERE
        for entry in said
        if entry.kind == "preference.set" and entry.document["value"] is False
    }


def _is_stop(entry: LedgerEntry) -> bool:
    said = entry.document
    return bool(said["source_channel"] == CHANNEL and said["evidence"].get("kind") == "stop")


def _is_known(text: Text) -> bool:
    """Tell whether this very STOP is on a log; the same id with other words is another one."""
    key = UUID(log.message_key(_sender().source_id, text.sid))
    body = Event.objects.filter(message_key=key).values_list("body", flat=True).first()
    return body is not None and body["properties"].get("text") == text.body


def _is_stopped(number: str) -> bool:
    return Suppression.objects.filter(channel=CHANNEL, address=number, lifted_at=None).exists()


@transaction.atomic
def _keep(text: Text, now: datetime) -> None:
    outcome = _record(text, now)
    if outcome.customer_id is None or outcome.status != "accepted" or text.meant == "help":
        return
    staff_tasks.create(
        key=f"sms:{text.sid}",
        kind="reply",
        customer_id=outcome.customer_id,
        title="Answer an SMS",
        body=text.body,
        due_at=now + _SOON,
    )


def _record(text: Text, now: datetime) -> IngestOutcome:
    """Put the message on the log of whoever has the number, once."""
    sender = _sender()
    event: dict[str, Any] = {
        "type": "track",
        "event": "Message Received",
        "messageId": text.sid,
        "properties": {"channel": CHANNEL, "text": text.body, "to": text.to},
        "context": {"externalIds": [{"type": "phone", "id": text.number}]},
    }
    request_context = segment.RequestContext(received_at=now, is_trusted=True)
    found = segment.build_or_reject(event, request_context)
    return store.store_events(sender=sender, events=[found], received_at=now)[0]


def _evidence(text: Text) -> dict[str, str]:
    return {"kind": text.meant, "message": text.sid}


def _sender() -> Sender:
    source, _ = Source.objects.get_or_create(name=CHANNEL, defaults={"channel": CHANNEL})
    return Sender(source_id=source.pk, name=source.name, channel=CHANNEL, is_trusted=True)


def _author() -> Author:
    return Author(_sender())
