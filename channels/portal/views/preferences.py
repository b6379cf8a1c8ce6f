"""The Preferences page, with one form for each consent and setting."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from butler.actions import withdrawal
from butler.actions.withdrawal import SentMessage
from butler.queries.inbox import ResolvedCustomer
from channels.pages import forms
from channels.pages.forms import InvalidForm
from channels.pages.own_facts import read_own_facts
from channels.pages.presenters.labels import MESSAGE_CHANNELS, translated
from channels.pages.presenters.messages import delivery_state
from channels.pages.presenters.preferences import AddressStatus, preferences_page
from channels.pages.time import time_of_day
from channels.portal.decorators import (
    contact_form,
    contact_page,
    not_found,
    render_page,
)
from customers.actions.changes import ChangeAuthor
from customers.actions.internal_events import NoSuchCustomer
from customers.consent import purpose_texts
from customers.consent.state import State
from customers.consent.statements import InvalidStatement
from customers.events import internal_sources
from customers.identity.families import ADDRESSES
from customers.models import Identifier
from customers.types import OpenedRecord


@contact_page
def preferences(request: HttpRequest, customer: ResolvedCustomer) -> HttpResponse:
    """Show the consents and preferences of the customer."""
    now = timezone.now()
    facts = read_own_facts(customer, now)
    if facts is None or facts.consent_state is None:
        # The preferences cannot be read. Butler then sends no messages, and the page shows none.
        template = "portal/preferences_unavailable.html"
        return render_page(request, template, customer, "preferences", status=503)
    language = get_language() or "en"
    purposes, topics = purpose_texts.purposes(language), purpose_texts.topics(language)
    current = preferences_page(facts, facts.consent_state, purposes, topics, now)
    if customer.part:
        current = replace(current, addresses=_listed(current.addresses, customer.part))
    suppressed_addresses = [
        (address, f"{address.suppression_text}.")
        for address in current.addresses
        if address.suppression_text
    ]
    context = {"preferences": current, "suppressed_addresses": suppressed_addresses}
    return render_page(request, "portal/preferences.html", customer, "preferences", **context)


def _listed(addresses: Sequence[AddressStatus], part: OpenedRecord) -> list[AddressStatus]:
    """Return the addresses that the session may see. Staff may have merged others into the record."""
    identifiers = Identifier.objects.filter(pk__in=part.listed_ids, kind__in=ADDRESSES)
    values = set(identifiers.values_list("value", flat=True))
    return [address for address in addresses if address.value in values]


@contact_form
def change(request: HttpRequest, customer: ResolvedCustomer, name: str) -> HttpResponse:
    """Save the form of this name, and redirect to its section of the page."""
    now = timezone.now()
    facts = read_own_facts(customer, now)
    state = facts.consent_state if facts else None
    if state is None:
        return not_found(request, customer, "preferences")
    purposes = [purpose.key for purpose in purpose_texts.purposes(get_language() or "en")]
    anchor = forms.anchor_of(name, request.POST, purposes)
    try:
        _save(request, customer, name, state, anchor, now)
    except InvalidForm as error:
        messages.error(request, _error_text(str(error)), anchor)
    except InvalidStatement as error:
        messages.error(request, _error_text(error.code), anchor)
    except NoSuchCustomer:
        messages.error(request, _error_text(""), anchor)
    return redirect(f"{resolve_url('portal:preferences')}#{anchor}")


def _save(
    request: HttpRequest,
    customer: ResolvedCustomer,
    name: str,
    state: State,
    anchor: str,
    now: datetime,
) -> None:
    topics = [topic.key for topic in purpose_texts.topics(get_language() or "en")]
    statements = forms.read_statements(name, request.POST, state, topics=topics, now=now)
    author = ChangeAuthor(internal_sources.signed_in_sender("customer portal", "web"))
    acknowledgement = withdrawal.record_statements(
        customer_id=customer.id, statements=statements, author=author, part=customer.part, now=now
    )
    messages.success(request, _("Saved. The change applies from now on."), anchor)
    if acknowledgement.sent_messages and any(
        forms.is_restriction(statement) for statement in statements
    ):
        messages.warning(request, _sent_before(acknowledgement.sent_messages), anchor)


def _error_text(code: str) -> str:
    return {
        "nothing": _("You changed no switch, so nothing was saved. Change a switch, then save."),
        "zone": _("We do not know this time zone. Choose one such as Europe/Amsterdam."),
        "budget": _("Nothing was changed. Enter a number of messages from 0 to 1000."),
        "quiet_hours": _(
            "Nothing was changed. Enter a start time, an end time and at least one day."
        ),
        "channel_order": _("Nothing was changed. Choose each channel only once."),
        "not_of_age": _(
            "You are too young to consent to this without a guardian, so nothing was changed."
        ),
    }.get(code) or _(
        "The form has an invalid value, so nothing was changed. Reload the page and try again."
    )


def _sent_before(sent: Sequence[SentMessage]) -> str:
    """Name the messages that were sent before the statement and cannot be withdrawn."""
    heading = ngettext(
        "%(count)d message had already left in the last hour:",
        "%(count)d messages had already left in the last hour:",
        len(sent),
    ) % {"count": len(sent)}
    messages_sent = [
        f"{message.subject or _('A message')}, {translated(MESSAGE_CHANNELS, message.channel)},"
        f" {time_of_day(message.at)}, {delivery_state(message.channel, message.state)}"
        for message in sent
    ]
    return f"{heading} {'; '.join(messages_sent)}."
