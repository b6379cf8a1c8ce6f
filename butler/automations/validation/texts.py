"""Validates the texts of messages: templates, buttons and layouts. Pure."""

from collections.abc import Collection

from butler.automations.context_schema import unknown_paths
from butler.automations.validation.problems import Problems
from butler.document import MessageStep, MessageText
from butler.messages.email_layout import compile_layout
from butler.messages.templating import InvalidTemplate, compile_template

# The values that can be used in the layout of an automation.
_LAYOUT_VALUES = frozenset(
    {"language", "company", "subject", "paragraphs", "action", "button", "reason", "links"}
)


def text_problems(text: MessageText, step: MessageStep) -> Problems:
    """Check the texts of a message in one language."""
    if not text.text.strip():
        yield "text", "is missing"
    if not text.subject.strip() and set(step.channels) - {"sms"}:
        yield "subject", "is missing"
    if "\n" in text.subject or "\r" in text.subject:
        yield "subject", "must be one line"
    yield from _button(text)
    for field in ("subject", "text", "short", "action", "path"):
        yield from template_problems(field, getattr(text, field))
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
        yield "action", "a button needs both a label (action) and the path of a page (path)"
    if text.path and (not text.path.startswith("/") or text.path[1:2] in ("/", "\\")):
        yield "path", "must be the path of a page of our own site, such as /orders/"


def template_problems(field: str, source: str) -> Problems:
    """Yield the problem of a template that is not valid, if there is one."""
    try:
        yield from _unknown_path_problem(
            field, compile_template(source, "path" if field == "path" else "plain").paths
        )
    except InvalidTemplate as error:
        yield field, str(error)


def _unknown_path_problem(field: str, paths: Collection[str]) -> Problems:
    if unknown := unknown_paths(paths):
        yield field, f"there is no value {', '.join(unknown)}"
