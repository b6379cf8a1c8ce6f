"""Renders the message of a step for one channel in one language, with a context. Pure.

If a text needs a missing value, rendering raises an error. It never leaves a gap in a sentence.
"""

from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

from butler.document import AutomationDocument, MessageStep, MessageText, step_at
from butler.messages.email_layout import (
    EmailContent,
    compile_layout,
    render_html,
    render_text,
    texts_for,
)
from butler.messages.sanitize import sanitize_line, sanitize_values
from butler.messages.templating import MissingValues, compile_template
from butler.types import RenderedMessage

MAX_SUBJECT = 150
# In characters: about three parts of an SMS, without the link.
MAX_SMS = 480
MAX_LABEL = 60

# The values that all messages use, for dates and for the name of the company.
_COMMON_PATHS = ("company.name", "customer.language", "customer.zone", "now")

# Classes with consent as their legal basis. Their messages contain a way to unsubscribe.
_CONSENT_CLASSES = ("relationship", "marketing", "peer")


class Button(NamedTuple):
    """The button of a message, which leads to a page of our own site."""

    label: str
    url: str


class NotRenderable(Exception):
    """A message cannot be rendered; `reason` is a code of butler.decisions.reasons.catalog."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _TemplateSource(NamedTuple):
    """The text of a message in one language, and the values that it is filled with."""

    document: AutomationDocument
    text: MessageText
    language: str
    values: Mapping[str, object]
    subject: str
    links: Mapping[str, str]

    def paragraphs(self) -> list[list[str]]:
        """Return the filled text as paragraphs, each a list of lines."""
        return _paragraphs(compile_template(self.text.text).fill(self.values))


def render(
    document: AutomationDocument,
    step: str,
    channel: str,
    context: Mapping[str, object],
    links: Mapping[str, str],
    language: str,
) -> RenderedMessage:
    """Return the message of a step for one channel. Raises MissingValues and InvalidTemplate.

    `links` are absolute addresses: `site` (without a final slash), `why`, `preferences`, and
    `unsubscribe`, which is empty for messages without consent, and `not_mine`, which only messages to
    unconfirmed addresses have. Only e-mail has HTML.
    """
    text, text_language = _text(document, step, language)
    values = _values(context, text_language)
    subject = sanitize_line(compile_template(text.subject).fill(values), MAX_SUBJECT)
    source = _TemplateSource(document, text, text_language, values, subject, links)
    return _RENDERERS.get(channel, _render_inbox)(source, _button(text, values, links))


def _render_sms(source: _TemplateSource, link: Button) -> RenderedMessage:
    template = compile_template(source.text.short or source.text.text)
    short = sanitize_line(template.fill(source.values), MAX_SMS)
    sms = _sms(source.document, short, link, source.language)
    sms = _with_refusal(sms, source.links, source.language)
    return RenderedMessage(language=source.language, subject="", text=sms)


def _render_inbox(source: _TemplateSource, link: Button) -> RenderedMessage:
    text = "\n\n".join("\n".join(lines) for lines in source.paragraphs())
    return RenderedMessage(language=source.language, subject=source.subject, text=text)


def _render_email(source: _TemplateSource, link: Button) -> RenderedMessage:
    content = EmailContent(
        language=source.language,
        company=_company(source.values),
        subject=source.subject,
        paragraphs=source.paragraphs(),
        button_label=link.label,
        button_url=link.url,
        reason=texts_for(source.language)[_reason(source.document)],
        links=_links(source.links, source.language),
    )
    return RenderedMessage(
        language=source.language,
        subject=source.subject,
        text=render_text(content),
        html=render_html(content, mjml=source.text.mjml, values=source.values),
    )


_RENDERERS = {"sms": _render_sms, "email": _render_email}


def render_stored(
    document: AutomationDocument | None,
    *,
    step: str,
    channel: str,
    context: Mapping[str, Any],
    language: str,
    links: Mapping[str, str],
) -> RenderedMessage:
    """Return the rendered text of a queued message; raise NotRenderable if a value is missing.

    A message without a document comes from no automation. Its context contains the text:
    {"words": {"subject", "text"}}.
    """
    if document is None:
        return _written_message(context.get("words", {}), language, links)
    try:
        return render(document, step, channel, context, links, language)
    except MissingValues as missing:
        raise NotRenderable("missing_value") from missing


def _written_message(
    written: Mapping[str, str], language: str, links: Mapping[str, str]
) -> RenderedMessage:
    """Return a message without an automation; its text is used without changes."""
    if not written.get("text"):
        raise NotRenderable("missing_value")
    return RenderedMessage(
        language=language,
        subject=written.get("subject", ""),
        text=_with_refusal(written["text"], links, language),
        html=_html_with_refusal(written.get("html", ""), links, language),
    )


def _with_refusal(text: str, links: Mapping[str, str], language: str) -> str:
    """Return a text with the link "Not mine" in a line of its own, if the message has one."""
    url = links.get("not_mine")
    return f"{text}\n{texts_for(language)['not_mine_short']} {url}" if url else text


def _html_with_refusal(html: str, links: Mapping[str, str], language: str) -> str:
    url = links.get("not_mine")
    if not html or not url:
        return html
    line = f'<p><a href="{escape(url)}">{escape(texts_for(language)["not_mine"])}</a></p>'
    before, end, after = html.rpartition("</body>")
    return f"{before}{line}{end}{after}" if end else html + line


def button(
    document: AutomationDocument,
    step: str,
    context: Mapping[str, object],
    links: Mapping[str, str],
    language: str,
) -> Button | None:
    """Return the button of a message, or None if it has none. Raises MissingValues."""
    text, text_language = _text(document, step, language)
    link = _button(text, _values(context, text_language), links)
    return link if link.url else None


def value_paths(document: AutomationDocument, step: str) -> frozenset[str]:
    """Return the paths of all values that the texts of a step read, in all languages."""
    paths = set(_COMMON_PATHS)
    for text in _message_step(document, step).texts.values():
        for source in (text.subject, text.text, text.short, text.action):
            paths.update(compile_template(source).paths)
        paths.update(compile_template(text.path, "path").paths)
        if text.mjml:
            paths.update(compile_layout(text.mjml).paths)
    return frozenset(paths)


def choose_language(texts: Mapping[str, object], language: str) -> str:
    """Return the language of the texts to use: the given one, else English, else the first."""
    base = language.lower().replace("_", "-").split("-")[0]
    for choice in (language, base, "en"):
        if choice in texts:
            return choice
    return next(iter(texts))


def _text(document: AutomationDocument, step: str, language: str) -> tuple[MessageText, str]:
    texts = _message_step(document, step).texts
    text_language = choose_language(texts, language)
    return texts[text_language], text_language


def _message_step(document: AutomationDocument, path: str) -> MessageStep:
    step = step_at(document, path)
    if not isinstance(step, MessageStep):
        raise LookupError(f"no message at {path}")
    return step


def _values(context: Mapping[str, object], language: str) -> dict[str, object]:
    values = sanitize_values(context)
    customer = values.get("customer")
    zone = customer.get("zone", "") if isinstance(customer, dict) else ""
    return {**values, "language": language, "zone": zone}


def _company(values: Mapping[str, object]) -> str:
    company = values.get("company")
    return str(company.get("name", "")) if isinstance(company, dict) else ""


def _button(text: MessageText, values: Mapping[str, object], links: Mapping[str, str]) -> Button:
    if not text.path:
        return Button("", "")
    label = sanitize_line(compile_template(text.action).fill(values), MAX_LABEL)
    return Button(label, links.get("site", "") + compile_template(text.path, "path").fill(values))


def _paragraphs(text: str) -> list[list[str]]:
    """Split a text into paragraphs at empty lines. Sanitized values contain no empty lines."""
    blocks = "\n".join(line.strip() for line in text.strip().splitlines()).split("\n\n")
    return [block.strip().split("\n") for block in blocks if block.strip()]


def _sms(document: AutomationDocument, short: str, link: Button, language: str) -> str:
    parts = [short, link.url]
    if document.message_class in _CONSENT_CLASSES:
        parts.append(texts_for(language)["stop"])
    return "\n".join(part for part in parts if part)


def _reason(document: AutomationDocument) -> str:
    if document.message_class in _CONSENT_CLASSES:
        return "consent"
    if document.message_class == "legal_duty":
        return "duty"
    if document.message_class == "answer":
        return "request"
    return document.relation if document.relation in ("visit", "request") else "order"


def _links(links: Mapping[str, str], language: str) -> list[tuple[str, str]]:
    labels = texts_for(language)
    return [
        (labels[name], links[name])
        for name in ("why", "preferences", "unsubscribe", "not_mine")
        if links.get(name)
    ]
