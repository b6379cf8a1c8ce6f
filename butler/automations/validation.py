"""Validates the file of an automation and returns all of its problems at once. Pure."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from butler.automations import sample_customers
from butler.automations.conditions import InvalidCondition, validate_condition
from butler.automations.context_schema import unknown_paths
from butler.decisions.reasons.catalog import LANGUAGES
from butler.document import (
    BranchStep,
    Document,
    MessageStep,
    MessageText,
    NextChannelStep,
    OnAbsence,
    OnDate,
    OnEvent,
    OnSchedule,
    OnTopic,
    Step,
    TaskStep,
    WaitForStep,
    WaitStep,
    steps_with_paths,
)
from butler.due import civil_time
from butler.messages.email_layout import compile_layout, unsafe_html
from butler.messages.render import render
from butler.messages.templating import InvalidTemplate, MissingValues, compile_template

CONSENT_CLASSES = frozenset({"relationship", "marketing", "peer"})
RELATION_CLASSES = frozenset({"service", "service_critical", "answer"})
RELATIONS = frozenset({"order", "visit", "request"})
MAX_STEPS = 40
MAX_DEPTH = 4

_KEY = re.compile(r"[a-z][a-z0-9-]{1,62}[a-z0-9]\Z")
_DATE = re.compile(r"(order\.visit_date|member\.birth_date|trait\.\w{1,64})\Z")
_AUDIENCE = re.compile(r"(everyone|visiting_today|consented:[\w-]+|notified:[\w-]+)\Z")


class FileProblem(NamedTuple):
    """One problem of a file: the field, and the reason for its author."""

    file: str
    field: str
    reason: str


class AllowedReferences(NamedTuple):
    """What automations can refer to: purposes with their kinds, topics, channels."""

    purposes: Mapping[str, str]
    topics: Collection[str]
    channels: Collection[str]


# The field of each problem, and the reason.
type Problems = Iterator[tuple[str, str]]


def validate_file(
    file: str, content: Mapping[str, Any], allowed: AllowedReferences
) -> tuple[Document | None, list[FileProblem]]:
    """Return the automation of a file, and all of its problems.

    Where its structure is invalid, its meaning is not checked.
    """
    problems = list(_structure(content))
    document = None
    if not problems:
        document = msgspec.convert(content, Document)
        problems = [problem for find in _CHECKS for problem in find(document, allowed)]
        if not file.startswith(f"{document.key}."):
            problems.append(("key", f"the file would be called {document.key}.toml"))
    return document, [FileProblem(file, field, reason) for field, reason in dict.fromkeys(problems)]


# Its structure -------------------------------------------------------------------------


def _structure(content: Mapping[str, Any]) -> Problems:
    """Convert each field by itself, so that one mistake does not hide the next."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(Document)}
    yield from ((name, "there is no such field") for name in content if name not in fields)
    for name, field in fields.items():
        if name not in content:
            if field.required:
                yield name, "is missing"
        elif name == "steps" and isinstance(content[name], list):
            for index, step in enumerate(content[name]):
                yield from _conversion_problem(f"steps.{index}", step, Step)
        else:
            yield from _conversion_problem(name, content[name], field.type)


def _conversion_problem(name: str, value: object, kind: Any) -> Problems:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        inner_path = path.removesuffix("`").replace("[...]", "").replace("[", ".").replace("]", "")
        yield f"{name}{inner_path}", reason


# Its meaning ---------------------------------------------------------------------------


def _identity(document: Document, allowed: AllowedReferences) -> Problems:
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
    yield from _parse_problem("expires", document.expires, civil_time.parse_length)
    if document.condition:
        yield from _condition("condition", document.condition)


def _legal_basis(document: Document, allowed: AllowedReferences) -> Problems:
    """Check that the class can rest on this purpose or relation."""
    kind = document.message_class
    if document.topic not in allowed.topics:
        yield "topic", f"there is no topic {document.topic}"
    if kind in CONSENT_CLASSES and allowed.purposes.get(document.purpose) != "contact":
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


def _trigger(document: Document, allowed: AllowedReferences) -> Problems:
    if getattr(document.trigger, "gather", "") and document.once_per != "event":
        yield "once_per", "each event, where they are gathered"
    find = _TRIGGER_CHECKS[type(document.trigger)]
    yield from ((f"trigger.{field}", reason) for field, reason in find(document.trigger, allowed))


def _on_event(trigger: OnEvent, allowed: AllowedReferences) -> Problems:
    if not trigger.event.strip():
        yield "event", "is missing"
    if trigger.gather:
        yield from _parse_problem("gather", trigger.gather, civil_time.check_end)


def _on_absence(trigger: OnAbsence, allowed: AllowedReferences) -> Problems:
    if not trigger.event.strip():
        yield "event", "is missing"
    if not trigger.absent.strip() or trigger.absent == trigger.event:
        yield "absent", "another event than the first"
    yield from _parse_problem("within", trigger.within, civil_time.parse_length)


def _on_date(trigger: OnDate, allowed: AllowedReferences) -> Problems:
    if not _DATE.match(trigger.date):
        yield "date", "order.visit_date, member.birth_date or trait.<name>"
    if not 0 <= trigger.days_before <= 365:
        yield "days_before", "from 0 to 365"
    yield from _parse_problem("at", trigger.at, civil_time.parse_clock)


def _on_topic(trigger: OnTopic, allowed: AllowedReferences) -> Problems:
    if not trigger.topic.strip() or not trigger.status.strip():
        yield "topic", "a topic such as ride:*, and a status such as down"
    yield from _audience(trigger.audience, allowed)


def _on_schedule(trigger: OnSchedule, allowed: AllowedReferences) -> Problems:
    if bool(trigger.days) == bool(trigger.dates):
        yield "days", "either days of the week or dates"
    if any(not 1 <= day <= 7 for day in trigger.days):
        yield "days", "from 1, Monday, to 7"
    for day in trigger.dates:
        yield from _parse_problem("dates", day, date.fromisoformat)
    yield from _parse_problem("at", trigger.at, civil_time.parse_clock)
    yield from _audience(trigger.audience, allowed)


def _audience(audience: str, allowed: AllowedReferences) -> Problems:
    kind, _, name = audience.partition(":")
    if not _AUDIENCE.match(audience):
        yield "audience", "everyone, visiting_today, consented:<purpose> or notified:<automation>"
    elif kind == "consented" and name not in allowed.purposes:
        yield "audience", f"there is no purpose {name}"


def _steps(document: Document, allowed: AllowedReferences) -> Problems:
    steps = list(steps_with_paths(document.steps))
    if not any(isinstance(step, MessageStep | TaskStep) for _, step in steps):
        yield "steps", "nothing is said and nobody is asked"
    if len(steps) > MAX_STEPS:
        yield "steps", f"more than {MAX_STEPS}"
    for path, step in steps:
        if path.count(".") > 2 * MAX_DEPTH:
            yield f"steps.{path}", f"more than {MAX_DEPTH} inside one another"
        find = _STEP_CHECKS[type(step)]
        yield from (
            (f"steps.{path}.{field}", reason) for field, reason in find(step, document, allowed)
        )
    has_message = False
    for path, step in steps:
        if isinstance(step, NextChannelStep) and not has_message:
            yield f"steps.{path}", "nothing was said before it"
        has_message = has_message or isinstance(step, MessageStep)


def _message(step: MessageStep, document: Document, allowed: AllowedReferences) -> Problems:
    yield from _channels(step.channels, allowed)
    languages = _languages(document)
    for language in languages:
        if language not in step.texts:
            yield f"texts.{language}", "is missing"
    for language, text in step.texts.items():
        if language not in languages:
            yield f"texts.{language}", f"is none of {', '.join(languages)}"
        yield from ((f"texts.{language}.{field}", reason) for field, reason in _text(text, step))


def _channels(channels: tuple[str, ...], allowed: AllowedReferences) -> Problems:
    if not channels or len(set(channels)) != len(channels):
        yield "channels", "at least one, each once"
    for channel in channels:
        if channel not in allowed.channels:
            yield "channels", f"{channel} is none of {', '.join(sorted(allowed.channels))}"


def _text(text: MessageText, step: MessageStep) -> Problems:
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
            yield from _unknown_path_problem(
                "mjml",
                [path for path in compile_layout(text.mjml).paths if path not in _LAYOUT_VALUES],
            )
        except InvalidTemplate as error:
            yield "mjml", str(error)


def _button(text: MessageText) -> Problems:
    if bool(text.path) != bool(text.action):
        yield "action", "a button has words (action) and a page it leads to (path)"
    if text.path and (not text.path.startswith("/") or text.path[1:2] in ("/", "\\")):
        yield "path", "a page of our own site, such as /orders/"


# The values that a layout of an automation's own is filled with.
_LAYOUT_VALUES = frozenset(
    {"language", "company", "subject", "paragraphs", "action", "button", "reason", "links"}
)


def _template(field: str, source: str) -> Problems:
    try:
        yield from _unknown_path_problem(
            field, compile_template(source, "path" if field == "path" else "plain").paths
        )
    except InvalidTemplate as error:
        yield field, str(error)


def _unknown_path_problem(field: str, paths: Collection[str]) -> Problems:
    if unknown := unknown_paths(paths):
        yield field, f"nothing is called {', '.join(unknown)}"


def _wait(step: WaitStep, document: Document, allowed: AllowedReferences) -> Problems:
    if bool(step.length) == bool(step.until):
        yield "length", "either a length of time or a time of day (until)"
    elif step.length:
        yield from _parse_problem("length", step.length, civil_time.parse_length)
    else:
        yield from _parse_problem("until", step.until, civil_time.parse_clock)


def _wait_for(step: WaitForStep, document: Document, allowed: AllowedReferences) -> Problems:
    if not step.event.strip():
        yield "event", "is missing"
    yield from _parse_problem("within", step.within, civil_time.parse_length)


def _branch(step: BranchStep, document: Document, allowed: AllowedReferences) -> Problems:
    yield from _condition("when", step.when)


def _next_channel(
    step: NextChannelStep, document: Document, allowed: AllowedReferences
) -> Problems:
    yield from _parse_problem("within", step.within, civil_time.parse_length)
    yield from _channels(step.channels, allowed)


def _task(step: TaskStep, document: Document, allowed: AllowedReferences) -> Problems:
    if not step.title.strip():
        yield "title", "is missing"
    yield from _parse_problem("within", step.within, civil_time.parse_length)
    for field in ("title", "body"):
        yield from _template(field, getattr(step, field))


# Its messages --------------------------------------------------------------------------


def _sample_messages(document: Document, allowed: AllowedReferences) -> Problems:
    """Render every text for the sample customers."""
    samples = (
        ("", sample_customers.full(document)),
        ("may be missing: ", sample_customers.sparse(document)),
    )
    for path, step in steps_with_paths(document.steps):
        if not isinstance(step, MessageStep):
            continue
        for language in step.texts:
            for prefix, context in samples:
                reason = _rendering_problem(document, path, step, context, language)
                if reason:
                    yield f"steps.{path}.texts.{language}", prefix + reason
                    break


def _rendering_problem(
    document: Document, path: str, step: MessageStep, context: dict[str, Any], language: str
) -> str:
    try:
        for channel in (*step.channels, "email"):
            message = render(document, path, channel, context, sample_customers.LINKS, language)
            if not message.text.strip():
                return "nothing is said"
            if problems := unsafe_html(message.html):
                return "; ".join(problems)
    except MissingValues as missing:
        return ", ".join(missing.names)
    except InvalidTemplate:
        # Another check yields this problem.
        return ""
    return ""


def _languages(document: Document) -> tuple[str, ...]:
    return document.languages or tuple(LANGUAGES)


def _parse_problem(field: str, value: str, parse: Callable[[str], object]) -> Problems:
    try:
        parse(value)
    except ValueError as error:
        yield field, str(error)


def _condition(field: str, expression: str) -> Problems:
    try:
        validate_condition(expression)
    except InvalidCondition as error:
        yield field, str(error)


_TRIGGER_CHECKS: dict[type, Callable[..., Problems]] = {
    OnEvent: _on_event,
    OnAbsence: _on_absence,
    OnDate: _on_date,
    OnTopic: _on_topic,
    OnSchedule: _on_schedule,
}
_STEP_CHECKS: dict[type, Callable[..., Problems]] = {
    MessageStep: _message,
    WaitStep: _wait,
    WaitForStep: _wait_for,
    BranchStep: _branch,
    NextChannelStep: _next_channel,
    TaskStep: _task,
}
_CHECKS = (_identity, _legal_basis, _trigger, _steps, _sample_messages)
