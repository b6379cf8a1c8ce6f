"""What we may do, on one page: consents and preferences, each a small form of its own."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from butler.actions import withdrawal
from butler.actions.withdrawal import SentMessage
from butler.decisions.inputs import read_facts
from butler.queries.inbox import ResolvedCustomer
from butler.types import Facts
from channels.pages import forms
from channels.pages.forms import Form, Unreadable
from channels.pages.presenters import events
from channels.pages.presenters import messages as presenter_messages
from channels.pages.presenters.preferences import choices
from channels.pages.time import time_of_day
from channels.portal.decorators import form, missing, page, shown
from customers.actions.changes import ChangeAuthor
from customers.actions.consent import ConsentStatement, InvalidStatement, NoSuchCustomer
from customers.consent import history
from customers.events import internal_sources


@page
def preferences(request: HttpRequest, door: ResolvedCustomer) -> HttpResponse:
    """Show everything the customer can say yes, no, when and how to."""
    now = timezone.now()
    facts = _facts(door, now)
    if facts is None or facts.control is None:
        # Nothing is sent to whom we cannot read, and to guess here would be to speak for them.
        return shown(
            request, "portal/preferences_unavailable.html", door, "preferences", status=503
        )
    language = get_language() or "en"
    context = {
        "choices": choices(
            facts, facts.control, history.purposes(language), history.topics(language), now
        )
    }
    return shown(request, "portal/preferences.html", door, "preferences", **context)


@form
def change(request: HttpRequest, door: ResolvedCustomer, what: str) -> HttpResponse:
    """Take one form, and come back to where it stands on the page."""
    now = timezone.now()
    facts = _facts(door, now)
    state = facts.control if facts else None
    if state is None:
        return missing(request, door, "preferences")
    posted: Form = dict(request.POST.lists())
    place = forms.place(what, posted, [one.key for one in history.purposes(get_language() or "en")])
    try:
        topics = [topic.key for topic in history.topics(get_language() or "en")]
        words = forms.words(what, posted, state, topics=topics, now=now)
        author = ChangeAuthor(internal_sources.signed_in_sender("customer portal", "web"))
        acknowledgement = withdrawal.record_statements(
            customer_id=door.id, statements=words, author=author, now=now
        )
    except Unreadable as wrong:
        messages.error(request, _unreadable(str(wrong)), place)
    except InvalidStatement as wrong:
        messages.error(request, _unreadable(wrong.code), place)
    except NoSuchCustomer:
        messages.error(request, _unreadable(""), place)
    else:
        messages.success(request, _("Saved. It holds from this moment on."), place)
        _tell_what_left(request, acknowledgement.sent_messages, words, place)
    return redirect(f"{resolve_url('portal:preferences')}#{place}")


def _facts(door: ResolvedCustomer, now: datetime) -> Facts | None:
    return read_facts([door.id], now=now).get(door.id)


def _unreadable(code: str) -> str:
    return {
        "nothing": _("You did not switch anything, so nothing was changed."),
        "zone": _("We do not know this time zone. Choose one such as Europe/Amsterdam."),
        "budget": _("Say how many messages as a number up to 1000."),
        "quiet_hours": _("Say from when until when, and on which days."),
        "channel_order": _("Choose each way only once."),
        "not_of_age": _("You are too young to say yes to this alone, so nothing was changed."),
    }.get(code) or _("That could not be understood, so nothing was changed.")


def _tell_what_left(
    request: HttpRequest, left: Sequence[SentMessage], words: Sequence[ConsentStatement], place: str
) -> None:
    """Say what had already left when we heard it: that much we cannot take back."""
    if not left or not any(forms.narrows(word) for word in words):
        return
    count = len(left)
    head = ngettext(
        "%(count)d message had already left in the last hour:",
        "%(count)d messages had already left in the last hour:",
        count,
    ) % {"count": count}
    said = [
        f"{one.subject or _('A message')}, {events.say(events.WAYS, one.channel)},"
        f" {time_of_day(one.at)},"
        f" {presenter_messages.became(one.channel, one.state)}"
        for one in left
    ]
    messages.warning(request, f"{head} {'; '.join(said)}.", place)
