"""Reads the file of an automation and finds all that is wrong with it, at once. Pure."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from butler.automations import sample_customers
from butler.automations.conditions import BadCondition
from butler.automations.conditions import check as check_condition
from butler.automations.context_schema import unknown
from butler.decisions.reasons.catalog import LANGUAGES
from butler.document import (
    BranchStep,
    Document,
    MessageStep,
    NextChannelStep,
    OnAbsence,
    OnDate,
    OnEvent,
    OnSchedule,
    OnTopic,
    Step,
    TaskStep,
    Text,
    WaitForStep,
    WaitStep,
)
from butler.due import civil_time
from butler.messages.email_layout import faults as faults_of_html
from butler.messages.email_layout import layout
from butler.messages.render import render
from butler.messages.templating import BadTemplate, Missing, compiled

CONSENT_CLASSES = frozenset({"relationship", "marketing", "peer"})
RELATION_CLASSES = frozenset({"service", "service_critical", "answer"})
RELATIONS = frozenset({"order", "visit", "request"})
STEPS = 40
DEPTH = 4

_KEY = re.compile(r"[a-z][a-z0-9-]{1,62}[a-z0-9]\Z")
_DATE = re.compile(r"(order\.visit_date|member\.birth_date|trait\.\w{1,64})\Z")
_AUDIENCE = re.compile(r"(everyone|visiting_today|consented:[\w-]+|notified:[\w-]+)\Z")


class Fault(NamedTuple):
    """One thing that is wrong, where, and why."""

    file: str
    field: str
    reason: str


class Shelf(NamedTuple):
    """What automations can refer to: purposes with their kind, topics, channels."""

    purposes: Mapping[str, str]
    topics: Collection[str]
    channels: Collection[str]


type Found = Iterator[tuple[str, str]]


def check(
    file: str, content: Mapping[str, Any], shelf: Shelf
) -> tuple[Document | None, list[Fault]]:
    """Return the automation of a file, and all that is wrong with it.

    Where its form is wrong already, what it means is not looked at.
    """
    found = list(_form(content))
    document = None
    if not found:
        document = msgspec.convert(content, Document)
        found = [one for look in _LOOKS for one in look(document, shelf)]
        if not file.startswith(f"{document.key}."):
            found.append(("key", f"the file would be called {document.key}.toml"))
    return document, [Fault(file, field, reason) for field, reason in dict.fromkeys(found)]


# Its form ------------------------------------------------------------------------------


def _form(content: Mapping[str, Any]) -> Found:
    """Convert each field by itself, so that one mistake does not hide the next."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(Document)}
    yield from ((name, "there is no such field") for name in content if name not in fields)
    for name, field in fields.items():
        if name not in content:
            if field.required:
                yield name, "is missing"
        elif name == "steps" and isinstance(content[name], list):
            for index, step in enumerate(content[name]):
                yield from _converts(f"steps.{index}", step, Step)
        else:
            yield from _converts(name, content[name], field.type)


def _converts(name: str, value: object, kind: Any) -> Found:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        inner = place.removesuffix("`").replace("[...]", "").replace("[", ".").replace("]", "")
        yield f"{name}{inner}", reason


# What it means -------------------------------------------------------------------------


def _identity(document: Document, shelf: Shelf) -> Found:
    if not _KEY.match(document.key):
        yield "key", "small letters, digits and hyphens, such as visit-reminder"
    for language in document.languages:
        if language not in LANGUAGES:
            yield "languages", f"{language} is none of {', '.join(LANGUAGES)}"
    for language in _languages(document):
        if not document.name.get(language, "").strip():
            yield f"name.{language}", "is missing"
    if not 1 <= document.priority <= 9:
        yield "priority", "from 1, which goes first, to 9"
    yield from _reads("expires", document.expires, civil_time.parse_length)
    if document.condition:
        yield from _condition("condition", document.condition)


def _right(document: Document, shelf: Shelf) -> Found:
    """Look whether what gives the right to say it can exist."""
    kind = document.message_class
    if document.topic not in shelf.topics:
        yield "topic", f"there is no topic {document.topic}"
    if kind in CONSENT_CLASSES and shelf.purposes.get(document.purpose) != "contact":
        yield (
            "purpose",
            f"{kind} needs consent to a purpose of contact; {document.purpose or 'none'} is not one",
        )
    if kind not in CONSENT_CLASSES and document.purpose:
        yield "purpose", f"{kind} does not rest on consent"
    if kind in RELATION_CLASSES and document.relation not in RELATIONS:
        yield "relation", f"{kind} needs one of {', '.join(sorted(RELATIONS))}"
    if kind == "answer" and document.relation in ("order", "visit"):
        yield "relation", "an answer is to a request"
    if kind not in RELATION_CLASSES and document.relation:
        yield "relation", f"{kind} does not rest on a relation"


def _trigger(document: Document, shelf: Shelf) -> Found:
    if getattr(document.trigger, "gather", "") and document.once_per != "event":
        yield "once_per", "each event, where they are gathered"
    look = _TRIGGER_LOOKS[type(document.trigger)]
    yield from ((f"trigger.{field}", why) for field, why in look(document.trigger, shelf))


def _on_event(trigger: OnEvent, shelf: Shelf) -> Found:
    if not trigger.event.strip():
        yield "event", "is missing"
    if trigger.gather:
        yield from _reads("gather", trigger.gather, civil_time.check_end)


def _on_absence(trigger: OnAbsence, shelf: Shelf) -> Found:
    if not trigger.event.strip():
        yield "event", "is missing"
    if not trigger.absent.strip() or trigger.absent == trigger.event:
        yield "absent", "another event than the first"
    yield from _reads("within", trigger.within, civil_time.parse_length)


def _on_date(trigger: OnDate, shelf: Shelf) -> Found:
    if not _DATE.match(trigger.date):
        yield "date", "order.visit_date, member.birth_date or trait.<name>"
    if not 0 <= trigger.days_before <= 365:
        yield "days_before", "from 0 to 365"
    yield from _reads("at", trigger.at, civil_time.parse_clock)


def _on_topic(trigger: OnTopic, shelf: Shelf) -> Found:
    if not trigger.topic.strip() or not trigger.status.strip():
        yield "topic", "a topic such as ride:*, and a status such as down"
    yield from _audience(trigger.audience, shelf)


def _on_schedule(trigger: OnSchedule, shelf: Shelf) -> Found:
    if bool(trigger.days) == bool(trigger.dates):
        yield "days", "either days of the week or dates"
    if any(not 1 <= day <= 7 for day in trigger.days):
        yield "days", "from 1, Monday, to 7"
    for day in trigger.dates:
        yield from _reads("dates", day, date.fromisoformat)
    yield from _reads("at", trigger.at, civil_time.parse_clock)
    yield from _audience(trigger.audience, shelf)


def _audience(audience: str, shelf: Shelf) -> Found:
    kind, _, name = audience.partition(":")
    if not _AUDIENCE.match(audience):
        yield (
            "audience",
            "everyone, visiting_today, consented:<purpose> or notified:<automation>",
        )
    elif kind == "consented" and name not in shelf.purposes:
        yield "audience", f"there is no purpose {name}"


def _steps(document: Document, shelf: Shelf) -> Found:
    placed = list(placed_steps(document.steps))
    if not any(isinstance(step, MessageStep | TaskStep) for _, step in placed):
        yield "steps", "nothing is said and nobody is asked"
    if len(placed) > STEPS:
        yield "steps", f"more than {STEPS}"
    for path, step in placed:
        if path.count(".") > 2 * DEPTH:
            yield f"steps.{path}", f"more than {DEPTH} inside one another"
        look = _STEP_LOOKS[type(step)]
        yield from ((f"steps.{path}.{field}", why) for field, why in look(step, document, shelf))
    said = False
    for path, step in placed:
        if isinstance(step, NextChannelStep) and not said:
            yield f"steps.{path}", "nothing was said before it"
        said = said or isinstance(step, MessageStep)


def placed_steps(steps: tuple[Step, ...], inside: str = "") -> Iterator[tuple[str, Step]]:
    """Yield every step with its place, in the order in which they are written."""
    for index, step in enumerate(steps):
        path = f"{inside}{index}"
        yield path, step
        for branch in ("then", "otherwise"):
            yield from placed_steps(getattr(step, branch, ()), f"{path}.{branch}.")


def _message(step: MessageStep, document: Document, shelf: Shelf) -> Found:
    yield from _channels(step.channels, shelf)
    languages = _languages(document)
    for language in languages:
        if language not in step.texts:
            yield f"texts.{language}", "is missing"
    for language, text in step.texts.items():
        if language not in languages:
            yield f"texts.{language}", f"is none of {', '.join(languages)}"
        yield from ((f"texts.{language}.{field}", why) for field, why in _text(text, step))


def _channels(channels: tuple[str, ...], shelf: Shelf) -> Found:
    if not channels or len(set(channels)) != len(channels):
        yield "channels", "at least one, each once"
    for channel in channels:
        if channel not in shelf.channels:
            yield "channels", f"{channel} is none of {', '.join(sorted(shelf.channels))}"


def _text(text: Text, step: MessageStep) -> Found:
    if not text.text.strip():
        yield "text", "is missing"
    if not text.subject.strip() and set(step.channels) - {"sms"}:
        yield "subject", "is missing"
    if "\n" in text.subject or "\r" in text.subject:
        yield "subject", "is one line"
    yield from _button(text)
    for field in ("subject", "text", "short", "action", "path"):
        yield from _template(field, getattr(text, field))
    if text.mjml:
        try:
            yield from _known("mjml", [p for p in layout(text.mjml).paths if p not in _FRAME])
        except BadTemplate as error:
            yield "mjml", str(error)


def _button(text: Text) -> Found:
    if bool(text.path) != bool(text.action):
        yield "action", "a button has words (action) and a page it leads to (path)"
    if text.path and (not text.path.startswith("/") or text.path[1:2] in ("/", "\\")):
        yield "path", "a page of our own site, such as /orders/"


# What our letters give to a layout of an automation's own.
_FRAME = frozenset(
    {"language", "company", "subject", "paragraphs", "action", "button", "reason", "links"}
)


def _template(field: str, source: str) -> Found:
    try:
        yield from _known(field, compiled(source, "path" if field == "path" else "plain").paths)
    except BadTemplate as error:
        yield field, str(error)


def _known(field: str, paths: Collection[str]) -> Found:
    if strangers := unknown(paths):
        yield field, f"nothing is called {', '.join(strangers)}"


def _wait(step: WaitStep, document: Document, shelf: Shelf) -> Found:
    if bool(step.length) == bool(step.until):
        yield "length", "either a length of time or a time of day (until)"
    elif step.length:
        yield from _reads("length", step.length, civil_time.parse_length)
    else:
        yield from _reads("until", step.until, civil_time.parse_clock)


def _wait_for(step: WaitForStep, document: Document, shelf: Shelf) -> Found:
    if not step.event.strip():
        yield "event", "is missing"
    yield from _reads("within", step.within, civil_time.parse_length)


def _branch(step: BranchStep, document: Document, shelf: Shelf) -> Found:
    yield from _condition("when", step.when)


def _next_channel(step: NextChannelStep, document: Document, shelf: Shelf) -> Found:
    yield from _reads("within", step.within, civil_time.parse_length)
    yield from _channels(step.channels, shelf)


def _task(step: TaskStep, document: Document, shelf: Shelf) -> Found:
    if not step.title.strip():
        yield "title", "is missing"
    yield from _reads("within", step.within, civil_time.parse_length)
    for field in ("title", "body"):
        yield from _template(field, getattr(step, field))


# What it says --------------------------------------------------------------------------


def _said(document: Document, shelf: Shelf) -> Found:
    """Say every text to the people of the samples."""
    people = (
        ("", sample_customers.full(document)),
        ("may be missing: ", sample_customers.sparse(document)),
    )
    for path, step in placed_steps(document.steps):
        if not isinstance(step, MessageStep):
            continue
        for language in step.texts:
            for caution, context in people:
                reason = _try(document, path, step, context, language)
                if reason:
                    yield f"steps.{path}.texts.{language}", caution + reason
                    break


def _try(
    document: Document, path: str, step: MessageStep, context: dict[str, Any], language: str
) -> str:
    try:
        for channel in (*step.channels, "email"):
            words = render(document, path, channel, context, sample_customers.LINKS, language)
            if not words.text.strip():
                return "nothing is said"
            if found := faults_of_html(words.html):
                return "; ".join(found)
    except Missing as missing:
        return ", ".join(missing.names)
    except BadTemplate:
        # It was told of where it stands.
        return ""
    return ""


def _languages(document: Document) -> tuple[str, ...]:
    return document.languages or tuple(LANGUAGES)


def _reads(field: str, value: str, read: Callable[[str], object]) -> Found:
    try:
        read(value)
    except ValueError as error:
        yield field, str(error)


def _condition(field: str, expression: str) -> Found:
    try:
        check_condition(expression)
    except BadCondition as error:
        yield field, str(error)


_TRIGGER_LOOKS: dict[type, Callable[..., Found]] = {
    OnEvent: _on_event,
    OnAbsence: _on_absence,
    OnDate: _on_date,
    OnTopic: _on_topic,
    OnSchedule: _on_schedule,
}
_STEP_LOOKS: dict[type, Callable[..., Found]] = {
    MessageStep: _message,
    WaitStep: _wait,
    WaitForStep: _wait_for,
    BranchStep: _branch,
    NextChannelStep: _next_channel,
    TaskStep: _task,
}
_LOOKS = (_identity, _right, _trigger, _steps, _said)
