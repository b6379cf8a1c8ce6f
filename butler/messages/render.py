"""Puts a message into words: one step, one channel, one language, filled with a context. Pure.

A value that a text needs and that is not there is an error, never a gap in a sentence.
"""

from collections.abc import Mapping
from typing import NamedTuple

from butler.document import Document, MessageStep, Text, step_at
from butler.messages.email_layout import Letter, as_html, as_text, framing, layout
from butler.messages.sanitize import inert, one_line
from butler.messages.templating import BadTemplate, Missing, compiled

__all__ = ["BadTemplate", "Missing", "Words", "button", "language_of", "reads", "render"]

SUBJECT = 150
# Three parts of a text message, give or take; a link comes on top.
SHORT = 480

# What dates are told by, and who writes.
_ALWAYS = ("company.name", "customer.language", "customer.zone", "now")

# What needs consent can be ended; the frame says so.
_BY_CONSENT = ("relationship", "marketing", "peer")


class Words(NamedTuple):
    """What is said, and in which of the languages it can be said in."""

    subject: str
    text: str
    html: str
    language: str


class Button(NamedTuple):
    """Where a message leads on our own site, and what the button there says."""

    words: str
    url: str


def render(
    document: Document,
    step: str,
    channel: str,
    context: Mapping[str, object],
    links: Mapping[str, str],
    language: str,
) -> Words:
    """Return the words of a message step for one channel; raise Missing.

    `links` are absolute addresses: `site` (no slash at its end), `why`, `preferences`, and
    `unsubscribe`, which is empty where nothing can be ended. HTML is for mail alone.
    """
    text, spoken = _text(document, step, language)
    values = _values(context, spoken)
    subject = one_line(compiled(text.subject).fill(values), SUBJECT)
    pressed = _button(text, values, links)
    if channel == "sms":
        short = one_line(compiled(text.short or text.text).fill(values), SHORT)
        return Words("", _sms(document, short, pressed, spoken), "", spoken)
    paragraphs = _paragraphs(compiled(text.text).fill(values))
    if channel != "email":
        return Words(subject, "\n\n".join("\n".join(lines) for lines in paragraphs), "", spoken)
    letter = Letter(
        language=spoken,
        company=_company(values),
        subject=subject,
        paragraphs=paragraphs,
        action=pressed.words,
        button=pressed.url,
        reason=framing(spoken)[_reason(document)],
        links=_links(links, spoken),
    )
    return Words(subject, as_text(letter), as_html(letter, mjml=text.mjml, values=values), spoken)


def button(
    document: Document,
    step: str,
    context: Mapping[str, object],
    links: Mapping[str, str],
    language: str,
) -> Button | None:
    """Return the button of a message, for a page that shows it with one; raise Missing."""
    text, spoken = _text(document, step, language)
    pressed = _button(text, _values(context, spoken), links)
    return pressed if pressed.url else None


def reads(document: Document, step: str) -> frozenset[str]:
    """Return the paths of all that the words of a step are made of, in whatever language."""
    found = step_at(document, step)
    if not isinstance(found, MessageStep):
        raise LookupError(f"nothing is said at {step}")
    paths = set(_ALWAYS)
    for text in found.texts.values():
        for source in (text.subject, text.text, text.short, text.action):
            paths.update(compiled(source).paths)
        paths.update(compiled(text.path, "path").paths)
        if text.mjml:
            paths.update(layout(text.mjml).paths)
    return frozenset(paths)


def language_of(texts: Mapping[str, object], language: str) -> str:
    """Return which of the languages is spoken: the one asked for, English, or the first."""
    base = language.lower().replace("_", "-").split("-")[0]
    for choice in (language, base, "en"):
        if choice in texts:
            return choice
    return next(iter(texts))


def _text(document: Document, step: str, language: str) -> tuple[Text, str]:
    found = step_at(document, step)
    if not isinstance(found, MessageStep):
        raise LookupError(f"nothing is said at {step}")
    spoken = language_of(found.texts, language)
    return found.texts[spoken], spoken


def _values(context: Mapping[str, object], language: str) -> dict[str, object]:
    values = inert(context)
    customer = values.get("customer")
    zone = customer.get("zone", "") if isinstance(customer, dict) else ""
    return {**values, "language": language, "zone": zone}


def _company(values: Mapping[str, object]) -> str:
    company = values.get("company")
    return str(company.get("name", "")) if isinstance(company, dict) else ""


def _button(text: Text, values: Mapping[str, object], links: Mapping[str, str]) -> Button:
    if not text.path:
        return Button("", "")
    words = one_line(compiled(text.action).fill(values), 60)
    return Button(words, links.get("site", "") + compiled(text.path, "path").fill(values))


def _paragraphs(text: str) -> list[list[str]]:
    """Cut a text at its empty lines; values have none, so they make no paragraphs."""
    blocks = "\n".join(line.strip() for line in text.strip().splitlines()).split("\n\n")
    return [block.strip().split("\n") for block in blocks if block.strip()]


def _sms(document: Document, short: str, pressed: Button, language: str) -> str:
    parts = [short, pressed.url]
    if document.message_class in _BY_CONSENT:
        parts.append(framing(language)["stop"])
    return "\n".join(part for part in parts if part)


def _reason(document: Document) -> str:
    if document.message_class in _BY_CONSENT:
        return "consent"
    if document.message_class == "legal_duty":
        return "duty"
    if document.message_class == "answer":
        return "request"
    return document.relation if document.relation in ("visit", "request") else "order"


def _links(links: Mapping[str, str], language: str) -> list[tuple[str, str]]:
    words = framing(language)
    return [
        (words[name], links[name])
        for name in ("why", "preferences", "unsubscribe")
        if links.get(name)
    ]
