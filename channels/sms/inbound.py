"""Handle SMS from customers: STOP, START and HELP, and messages that staff answer."""

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
from channels.phone.caller_numbers import to_international
from channels.sms.keywords import Keyword, find_keyword
from customers.actions import consent
from customers.actions.changes import ChangeAuthor
from customers.consent import ledger as consent_ledger
from customers.consent.ledger_entries import LedgerEntry, StatementKey, newest_entries
from customers.consent.statements import ConsentStatement
from customers.db import retry
from customers.events import log
from customers.identity import lookup
from customers.identity.normalize import normalize
from customers.models import Customer, Event, Source, Suppression
from customers.types import IngestOutcome, Sender

# Seconds. The provider waits fifteen seconds for our answer, then repeats its request.
_WITHDRAWAL_TIMEOUT = 8.0
# The format of the provider's message ids: two letters for the kind, and 128 bits.
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
# The time within which staff answer.
_REPLY_WITHIN = timedelta(hours=1)
_MAX_NUMBER = 64
CHANNEL = "sms"
_ALLOW = "allow"
# The sources of an opt-out from SMS: the keyword STOP, or a statement in another channel.
_STOP_KEYWORD, _OTHER_SOURCE = "stop", "elsewhere"


class InboundSms(NamedTuple):
    """One SMS from a customer."""

    sid: str
    number: str
    to: str
    body: str
    keyword: Keyword
    # The language of the keyword; empty if the keyword is the same in all languages.
    language: str

    @property
    def has_valid_id(self) -> bool:
        """Return whether the id can identify a repeated delivery of the same SMS.

        The provider signs names and values joined without separators. An attacker with an old
        request could therefore move text from one field to the id without breaking the signature.
        A STOP is accepted with any id.
        """
        return self.keyword == "stop" or _SID.fullmatch(self.sid) is not None


def parse_sms(fields: Mapping[str, object]) -> InboundSms:
    """Return the SMS in the form of a provider's webhook; missing fields are empty."""
    form = {name: str(fields.get(name) or "") for name in ("From", "To", "Body", "OptOutType")}
    keyword, language = find_keyword(form["Body"], provider_keyword=form["OptOutType"])
    sid = str(fields.get("MessageSid") or fields.get("SmsSid") or "")
    number = to_international(form["From"][:_MAX_NUMBER])
    # Normalized like proved numbers; a short code or a name stays unchanged.
    number = normalize("phone", number, None) or number
    return InboundSms(sid, number, form["To"], form["Body"], keyword, language)


def handle_sms(sms: InboundSms, *, now: datetime) -> bool:
    """Apply the SMS, and return whether the customer allows SMS afterwards.

    A repeated delivery of the same SMS changes nothing.
    """
    if sms.keyword == "stop":
        _handle_stop(sms, now)
        return False
    if sms.keyword == "start":
        return _handle_start(sms, now)
    _create_reply_task(sms, now)
    return True


def language_for(sms: InboundSms, default: str) -> str:
    """Return the language of the reply: of the keyword, or of the last message to the number."""
    if sms.language:
        return sms.language
    customers = [match.id for match in lookup.find_matches("phone", sms.number)]
    messages = Message.objects.filter(customer_id__in=customers).exclude(language="")
    language = messages.order_by("-created_at", "-id").values_list("language", flat=True).first()
    return language or default


def _handle_stop(sms: InboundSms, now: datetime) -> None:
    # A repeated delivery of a STOP must not undo a START that came after it.
    if _is_on_log(sms):
        return
    # First and in a separate transaction: the number is suppressed even if the steps below fail,
    # and for all customers with this number.
    Suppression.objects.bulk_create(
        [
            Suppression(
                channel=CHANNEL,
                address=sms.number,
                reason=Suppression.Reason.STOPPED,
                evidence=f"sms:{sms.sid}",
                since=now,
            )
        ],
        ignore_conflicts=True,
    )
    owner = retry.on_conflict(lambda: _record_stop(sms, now))
    if owner:
        withdrawal.wait_for_deliveries(owner, _WITHDRAWAL_TIMEOUT)


def _record_stop(sms: InboundSms, now: datetime) -> UUID | None:
    """Store a STOP in the log and the ledger of the number's customer; return the canonical id.

    An unproved or shared number has a separate record. So each STOP has a ledger entry as proof,
    and no STOP counts for other people who used the same telephone.
    """
    outcome = _store_event(sms, now)
    if outcome.customer_id is None or outcome.status != "accepted":
        return outcome.customer_id
    opt_out_sources = _opt_out_sources(outcome.customer_id)
    statements = [ConsentStatement("signal.received", "sms_stop", evidence=_evidence(sms))]
    if not opt_out_sources:
        opt_out = ConsentStatement(
            "preference.set", _ALLOW, False, channel=CHANNEL, evidence=_evidence(sms)
        )
        statements.insert(0, opt_out)
    elif opt_out_sources == {_STOP_KEYWORD}:
        return outcome.customer_id
    receipt = consent.record_statements(
        customer_id=outcome.customer_id, statements=statements, author=_author(), now=now
    )
    return receipt.customer_id


def _handle_start(sms: InboundSms, now: datetime) -> bool:
    return retry.on_conflict(lambda: _record_start(sms, now))


def _record_start(sms: InboundSms, now: datetime) -> bool:
    """Undo a STOP, but not the customer's statements in other channels.

    Returns whether the customer allows SMS afterwards.
    """
    outcome = _store_event(sms, now)
    # A repeated delivery of a START must not undo a STOP that came after it.
    if outcome.status != "accepted":
        return not _is_stopped(sms.number)
    _lift_suppression(sms.number, now)
    if outcome.customer_id is None:
        return True
    opt_out_sources = _opt_out_sources(outcome.customer_id)
    if opt_out_sources == {_STOP_KEYWORD}:
        statements = [
            ConsentStatement(
                "preference.cleared", _ALLOW, channel=CHANNEL, evidence=_evidence(sms)
            ),
            ConsentStatement("signal.received", "sms_start", evidence=_evidence(sms)),
        ]
        consent.record_statements(
            customer_id=outcome.customer_id, statements=statements, author=_author(), now=now
        )
    return opt_out_sources <= {_STOP_KEYWORD}


def _lift_suppression(number: str, now: datetime) -> None:
    """Lift the suppression of a number, if STOP was its reason."""
    stopped = Suppression.objects.filter(
        channel=CHANNEL, address=number, reason=Suppression.Reason.STOPPED, lifted_at=None
    )
    stopped.update(lifted_at=now)


def _opt_out_sources(customer_id: UUID) -> set[str]:
    """Return the sources of the current opt-outs from SMS, over all records of the customer."""
    [live] = Customer.objects.filter(pk=customer_id).values_list(
        Coalesce("canonical_id", "id"), flat=True
    )
    ledger = consent_ledger.read_ledgers([live])[live]
    preferences = newest_entries(
        ledger.entries, ledger.record_ids, StatementKey("preference", _ALLOW, CHANNEL)
    )
    return {
        _STOP_KEYWORD if _is_stop(entry) else _OTHER_SOURCE
        for entry in preferences
        if entry.kind == "preference.set" and entry.document["value"] is False
    }


def _is_stop(entry: LedgerEntry) -> bool:
    document = entry.document
    return bool(
        document["source_channel"] == CHANNEL and document["evidence"].get("kind") == "stop"
    )


def _is_on_log(sms: InboundSms) -> bool:
    """Return whether this STOP is already on a log, with the same id and the same text."""
    key = UUID(log.message_key(_sender().source_id, sms.sid))
    body = Event.objects.filter(message_key=key).values_list("body", flat=True).first()
    return body is not None and body["properties"].get("text") == sms.body


def _is_stopped(number: str) -> bool:
    return Suppression.objects.filter(channel=CHANNEL, address=number, lifted_at=None).exists()


@transaction.atomic
def _create_reply_task(sms: InboundSms, now: datetime) -> None:
    outcome = _store_event(sms, now)
    if outcome.customer_id is None or outcome.status != "accepted" or sms.keyword == "help":
        return
    staff_tasks.create(
        key=f"sms:{sms.sid}",
        kind="reply",
        customer_id=outcome.customer_id,
        title="Answer an SMS",
        body=sms.body,
        due_at=now + _REPLY_WITHIN,
    )


def _store_event(sms: InboundSms, now: datetime) -> IngestOutcome:
    """Store the SMS once, on the log of the customer with the number."""
    sender = _sender()
    event: dict[str, Any] = {
        "type": "track",
        "event": "Message Received",
        "messageId": sms.sid,
        "properties": {"channel": CHANNEL, "text": sms.body, "to": sms.to},
        "context": {"externalIds": [{"type": "phone", "id": sms.number}]},
    }
    request_context = segment.RequestContext(received_at=now, is_trusted=True)
    parsed_event = segment.build_or_reject(event, request_context)
    stored = store.store_events(sender=sender, events=[parsed_event], received_at=now)
    return stored.outcomes[0]


def _evidence(sms: InboundSms) -> dict[str, str]:
    return {"kind": sms.keyword, "message": sms.sid}


def _sender() -> Sender:
    source, _ = Source.objects.get_or_create(name=CHANNEL, defaults={"channel": CHANNEL})
    return Sender(source_id=source.pk, name=source.name, channel=CHANNEL, is_trusted=True)


def _author() -> ChangeAuthor:
    return ChangeAuthor(_sender())
