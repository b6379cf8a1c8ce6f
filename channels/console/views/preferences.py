"""Consent and preferences that a customer states to a staff member."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from butler.actions import withdrawal
from butler.actions.withdrawal import SentMessage
from butler.decisions.inputs import read_facts
from butler.types import Facts
from channels.console.presenters import labels
from channels.console.views import access, audit
from channels.console.views.live_records import customer_name, find_live_id
from channels.pages import forms
from channels.pages.forms import InvalidForm
from channels.pages.presenters.preferences import preferences_page
from customers.actions.internal_events import NoSuchCustomer
from customers.consent import purpose_texts
from customers.consent.state import State
from customers.consent.statements import ConsentStatement, InvalidStatement
from customers.queries import lists
from customers.queries.consent_shapes import PurposeShape

# The ways in which the customer makes the statement, by the kind of evidence.
EVIDENCE_KINDS = {"voice": "on the phone", "staff": "in front of me", "paper": "in a letter"}
# The last call is still evidence for this long after its end.
_CALL_GRACE = timedelta(hours=1)
_ERROR_TEXTS = {
    "nothing": "You changed no switch, so nothing was saved. Change a switch, then save.",
    "zone": "This time zone is unknown. Choose one such as Europe/Amsterdam.",
    "budget": "Nothing was changed. Enter a number of messages from 0 to 1000.",
    "quiet_hours": "Nothing was changed. Enter a start time, an end time and at least one day.",
    "channel_order": "Nothing was changed. Choose each channel only once.",
    "unread": "Nothing was changed. Read the text to the customer first, because they consent to this text.",
}
_NOTHING_CHANGED = "The form has an invalid value, so nothing was changed."


@require_safe
@access.page("customers.change_consentstate")
def show_preferences(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show the current preferences, with the notices to read aloud in the customer's language."""
    now = timezone.now()
    live_id, facts = _facts(customer_id, now)
    audit.log_console_access(
        request, [live_id], part="preferences", reason=request.GET.get("for", "")
    )
    state = facts.consent_state if facts else None
    if facts is None or state is None:
        # Without readable facts, show no preferences instead of wrong ones.
        template = "console/preferences_unavailable.html"
        return render(request, template, {"section": "search"}, status=503)
    context = _page_context(request, live_id, facts, state, now)
    return render(request, "console/preferences.html", context)


def _page_context(
    request: HttpRequest, live_id: UUID, facts: Facts, state: State, now: datetime
) -> dict[str, Any]:
    language = _language(request.GET.get("aloud", ""), facts)
    how = _evidence_kind(request.GET.get("how"))
    page = preferences_page(facts, state, _purposes(language), purpose_texts.topics("en"), now)
    return {
        "customer_id": live_id,
        "name": customer_name(live_id),
        "preferences": page,
        "questions": [
            (question, labels.consent_answer(state.consents.get(question.key)))
            for question in page.questions
        ],
        "aloud": language,
        "languages": settings.LANGUAGES,
        "how": how,
        "hidden_fields": [("how", how), ("aloud", language)],
        "evidence_kinds": EVIDENCE_KINDS.items(),
        "suppressed_addresses": [
            (address, labels.SUPPRESSIONS.get(address.suppression, address.suppression))
            for address in page.addresses
            if address.suppression
        ],
        "section": "search",
    }


@require_POST
@access.page("customers.change_consentstate")
def change(request: HttpRequest, customer_id: UUID, name: str) -> HttpResponse:
    """Save the form of this name for the customer, and redirect to its section of the page."""
    now = timezone.now()
    live_id, facts = _facts(customer_id, now)
    purposes = [purpose.key for purpose in purpose_texts.purposes("en")]
    anchor = forms.anchor_of(name, request.POST, purposes)
    try:
        _save(request, live_id, name, facts.consent_state if facts else None, anchor, now)
    except InvalidForm as error:
        messages.error(request, _ERROR_TEXTS.get(str(error), _NOTHING_CHANGED), anchor)
    except InvalidStatement as error:
        messages.error(request, f"{_NOTHING_CHANGED} {error.detail}", anchor)
    except NoSuchCustomer:
        raise Http404 from None
    query = {
        field: text for field in ("how", "aloud") if (text := request.POST.get(field, "")[:10])
    }
    address = resolve_url("console:preferences", live_id)
    return redirect(f"{address}?{urlencode(query)}#{anchor}")


def _save(
    request: HttpRequest,
    live_id: UUID,
    name: str,
    state: State | None,
    anchor: str,
    now: datetime,
) -> None:
    if state is None:
        raise InvalidForm("state")
    statements = _statements(request, name, state, live_id, now)
    author = audit.author(request)
    acknowledgement = withdrawal.record_statements(
        customer_id=live_id, statements=statements, author=author, now=now
    )
    messages.success(request, "Saved. The change applies from now on.", anchor)
    if acknowledgement.sent_messages and any(
        forms.is_restriction(statement) for statement in statements
    ):
        messages.warning(request, _sent_before(acknowledgement.sent_messages), anchor)


def _statements(
    request: HttpRequest, name: str, state: State, live_id: UUID, now: datetime
) -> list[ConsentStatement]:
    was_read_aloud = "read" in request.POST
    topics = [topic.key for topic in purpose_texts.topics("en")]
    evidence = _evidence(request, live_id, now) | ({"read": "aloud"} if was_read_aloud else {})
    if request.POST.getlist("initiative") == ["customer"]:
        evidence["initiative"] = "customer"
    statements = forms.read_statements(
        name, request.POST, state, topics=topics, now=now, evidence=evidence
    )
    # Consent is to a notice, so it must have been read aloud.
    if not was_read_aloud and any(statement.kind == "consent.given" for statement in statements):
        raise InvalidForm("unread")
    return statements


def _evidence(request: HttpRequest, live_id: UUID, now: datetime) -> dict[str, str]:
    """Return the evidence: the way of the statement, the role of the staff member, the call."""
    kind = _evidence_kind(request.POST.get("how"))
    evidence = {"kind": kind, "page": "/console/", "heard_as": audit.role(request)[:200]}
    if kind != "voice":
        return evidence
    for interaction in lists.interactions(live_id, cursor=None, limit=1, part=None).results:
        is_recent = now - (interaction.ended_at or now) < _CALL_GRACE
        if interaction.kind == "call" and is_recent:
            evidence["call"] = interaction.reference[:200]
    return evidence


def _facts(customer_id: UUID, now: datetime) -> tuple[UUID, Facts | None]:
    live_id = find_live_id(customer_id)
    return live_id, read_facts([live_id], now=now).get(live_id)


def _purposes(language: str) -> list[PurposeShape]:
    """Return the purposes with English names and the notices in the customer's language."""
    english = {purpose.key: purpose for purpose in purpose_texts.purposes("en")}
    return [
        msgspec.structs.replace(
            purpose,
            name=english[purpose.key].name,
            description=english[purpose.key].description,
        )
        for purpose in purpose_texts.purposes(language)
    ]


def _language(chosen: str, facts: Facts) -> str:
    languages, preferred = dict(settings.LANGUAGES), facts.language.partition("-")[0]
    return next((code for code in (chosen, preferred) if code in languages), "en")


def _evidence_kind(kind: str | None) -> str:
    return kind if kind in EVIDENCE_KINDS else "voice"


def _sent_before(sent: Sequence[SentMessage]) -> str:
    """Name the messages that were sent before the statement and cannot be withdrawn."""
    descriptions = [
        f"{message.subject or 'a message'},"
        f" {labels.CHANNEL_NAMES.get(message.channel, message.channel)},"
        f" {timezone.localtime(message.at):%H:%M},"
        f" {labels.MESSAGE_STATES.get(message.state, message.state)}"
        for message in sent
    ]
    noun = "message" if len(sent) == 1 else "messages"
    return (
        f"Tell the customer: {len(sent)} {noun} had already left in the last hour:"
        f" {'; '.join(descriptions)}."
    )
