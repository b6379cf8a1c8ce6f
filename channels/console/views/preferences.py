"""What a customer allows and how they want it, written down while they say it to a colleague."""

from collections.abc import Sequence
from datetime import datetime, timedelta
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
from channels.console.presenters import events
from channels.console.views import access, audit
from channels.pages import forms
from channels.pages.forms import Form, Unreadable
from channels.pages.presenters.preferences import choices
from customers.actions.consent import ConsentStatement, InvalidStatement, NoSuchCustomer
from customers.consent import history
from customers.consent.state import State
from customers.identity.search import describe
from customers.queries import lists
from customers.queries.shapes import PurposeShape

# How somebody says it to us, and what that is called.
HOW = {"voice": "on the phone", "staff": "in front of me", "paper": "in a letter"}
# A call that ended so long ago is still what they said it in.
_JUST_NOW = timedelta(hours=1)
_UNREADABLE = {
    "nothing": "Nothing was switched, so nothing was changed.",
    "zone": "There is no such time zone. Choose one such as Europe/Amsterdam.",
    "budget": "Say how many messages as a number up to 1000.",
    "quiet_hours": "Say from when until when, and on which days.",
    "channel_order": "Choose each way only once.",
    "unread": "Read the words to them first: they are what is agreed to.",
}
_NOTHING_DONE = "That could not be understood, so nothing was changed."


@require_safe
@access.page("customers.change_control")
def show(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show what holds, with the words to read aloud in the customer's language."""
    now = timezone.now()
    live, facts = _facts(customer_id, now)
    audit.look(request, [live], what="control", reason=request.GET.get("for", ""))
    state = facts.control if facts else None
    if facts is None or state is None:
        # To guess here would be to speak for them.
        return render(
            request, "console/preferences_unavailable.html", {"here": "search"}, status=503
        )
    named = describe([live], today=timezone.localdate(now))
    aloud = _language(request.GET.get("aloud", ""), facts)
    found = choices(facts, state, _purposes(aloud), history.topics("en"), now)
    context = {
        "customer_id": live,
        "name": named[0].name if named else "",
        "choices": found,
        "asked": [(one, events.answered(state.consents.get(one.key))) for one in found.asked],
        "aloud": aloud,
        "languages": settings.LANGUAGES,
        "spoken": events.LANGUAGES,
        "how": _how(request.GET.get("how")),
        "hows": HOW.items(),
        "closed": [
            (one.way, one.value, events.CLOSED.get(one.closed, one.closed))
            for one in found.reach
            if one.closed
        ],
        "here": "search",
    }
    return render(request, "console/preferences.html", context)


@require_POST
@access.page("customers.change_control")
def say(request: HttpRequest, customer_id: UUID, what: str) -> HttpResponse:
    """Take one form for the customer; answer with what had already left."""
    now = timezone.now()
    live, facts = _facts(customer_id, now)
    state = facts.control if facts else None
    posted: Form = dict(request.POST.lists())
    place = forms.place(what, posted, [one.key for one in history.purposes("en")])
    try:
        if state is None:
            raise Unreadable("state")
        words = _words(request, what, posted, state, live, now)
        acknowledgement = withdrawal.record_statements(
            customer_id=live, statements=words, author=audit.author(request), now=now
        )
    except Unreadable as wrong:
        messages.error(request, _UNREADABLE.get(str(wrong), _NOTHING_DONE), place)
    except InvalidStatement as wrong:
        messages.error(request, f"{_NOTHING_DONE} {wrong.detail}", place)
    except NoSuchCustomer:
        raise Http404 from None
    else:
        messages.success(request, "Written down. It holds from this moment on.", place)
        if acknowledgement.sent_messages and any(forms.narrows(word) for word in words):
            messages.warning(request, _left(acknowledgement.sent_messages), place)
    query = {name: said for name in ("how", "aloud") if (said := request.POST.get(name, "")[:10])}
    return redirect(f"{resolve_url('console:wishes', live)}?{urlencode(query)}#{place}")


def _words(
    request: HttpRequest, what: str, posted: Form, state: State, live: UUID, now: datetime
) -> list[ConsentStatement]:
    is_read = "read" in posted
    topics = [topic.key for topic in history.topics("en")]
    evidence = _evidence(request, live, now) | ({"read": "aloud"} if is_read else {})
    if posted.get("initiative") == ["customer"]:
        evidence["initiative"] = "customer"
    words = forms.words(what, posted, state, topics=topics, now=now, evidence=evidence)
    # A yes is to words; whoever did not hear them has agreed to nothing.
    if not is_read and any(word.kind == "consent.given" for word in words):
        raise Unreadable("unread")
    return words


def _evidence(request: HttpRequest, live: UUID, now: datetime) -> dict[str, str]:
    """Say how we know: who heard it as what, and in which call."""
    how = _how(request.POST.get("how"))
    evidence = {"kind": how, "page": "/console/", "heard_as": audit.role(request)[:200]}
    if how != "voice":
        return evidence
    last = lists.interactions(live, cursor=None, limit=1).results
    is_it = last and last[0].kind == "call" and now - (last[0].ended_at or now) < _JUST_NOW
    return evidence | ({"call": last[0].reference[:200]} if is_it else {})


def _facts(customer_id: UUID, now: datetime) -> tuple[UUID, Facts | None]:
    live = lists.live_id(customer_id)
    if live is None:
        raise Http404
    return live, read_facts([live], now=now).get(live)


def _purposes(aloud: str) -> list[PurposeShape]:
    """Return what is asked for: called as colleagues call it, with the words to read aloud."""
    named = {one.key: one for one in history.purposes("en")}
    return [
        msgspec.structs.replace(
            one, name=named[one.key].name, description=named[one.key].description
        )
        for one in history.purposes(aloud)
    ]


def _language(wanted: str, facts: Facts) -> str:
    known, theirs = dict(settings.LANGUAGES), facts.language.partition("-")[0]
    return next((one for one in (wanted, theirs) if one in known), "en")


def _how(said: str | None) -> str:
    return said if said in HOW else "voice"


def _left(left: Sequence[SentMessage]) -> str:
    """Say what had already left when we heard it: that much cannot be taken back."""
    count = len(left)
    said = [
        f"{one.subject or 'a message'}, {events.CHANNELS.get(one.channel, one.channel)},"
        f" {timezone.localtime(one.at):%H:%M}, {events.BECAME.get(one.state, one.state)}"
        for one in left
    ]
    many = "message" if count == 1 else "messages"
    return f"Tell them: {count} {many} had already left in the last hour: {'; '.join(said)}."
