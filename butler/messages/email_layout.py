"""Lays out a message as e-mail: HTML in the default or an automation's layout, and text. Pure.

Butler converts MJML to HTML once, and inserts escaped values into the HTML of each message.
"""

import re
import textwrap
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from string import Template as Tokens
from typing import Any, NamedTuple

import mrml

from butler.messages.templating import MAX_SOURCE, InvalidTemplate, Template, compile_template

_LAYOUT_FOLDER = Path(__file__).parent / "layout"
_WIDTH = 76
_ENGLISH = "en"
_BREAK = "<br>"
# Placeholders in our own layout: [[name]] is a value, [[name: ... :name]] a block.
_BLOCK = re.compile(r"\[\[(\w+):(.*?):\1\]\]", re.DOTALL)
_PLACEHOLDER = re.compile(r"\[\[(\w+)\]\]")

# Tags that the layout of an automation may not have: scripts, frames, forms, external content.
_REFUSED_TAGS = frozenset(
    {"script", "iframe", "frame", "frameset", "object", "embed", "applet", "template", "base"}
    | {"form", "input", "button", "textarea", "select", "link", "svg", "math", "video", "audio"}
)
# The MJML parser recurses for each nested tag, and a stack overflow kills the process.
MAX_TAGS = 200
_TAG = re.compile(r"<[a-zA-Z]")
# Forbidden in a style: imports, expressions, and images that are not loaded over HTTPS.
_UNSAFE_STYLE = re.compile(
    r"@import|expression\s*\(|url\s*\((?!\s*[\"']?https://)|\\", re.IGNORECASE
)
_CONDITION = re.compile(r"\[if [^\]]*\]>(.*?)(?:<!\[endif\])?\Z", re.DOTALL)
_UNQUOTED = re.compile(r"=\s*\{")
_ADDRESSES = frozenset({"href", "src", "action", "background", "formaction", "poster", "srcset"})


class EmailContent(NamedTuple):
    """The values that a layout is filled with."""

    language: str
    company: str
    subject: str
    paragraphs: Sequence[Sequence[str]]
    # Both are empty if there is no button.
    button_label: str
    button_url: str
    # The reason for the message, and the labels and addresses of the links below it.
    reason: str
    links: Sequence[tuple[str, str]]


@cache
def layout_texts() -> dict[str, dict[str, str]]:
    """Return the texts of the layout by language, and its colors (`colors`)."""
    return tomllib.loads((_LAYOUT_FOLDER / "texts.toml").read_text(encoding="utf-8"))


def texts_for(language: str) -> dict[str, str]:
    """Return the texts of the layout in a language; in English for an unknown language."""
    return layout_texts().get(language, layout_texts()[_ENGLISH])


def render_html(content: EmailContent, *, mjml: str, values: Mapping[str, object]) -> str:
    """Return an e-mail as HTML, in the automation's layout or else in the default layout."""
    if not mjml:
        return _fill_own_layout(content)
    # The names that layouts of automations use.
    layout_values: dict[str, Any] = content._asdict() | {
        "action": content.button_label,
        "button": content.button_url,
        "links": [{"words": label, "url": url} for label, url in content.links],
    }
    return compile_layout(mjml).fill({**values, **layout_values})


def _fill_own_layout(content: EmailContent) -> str:
    """Fill the default layout. Rendering is slow, so this uses no template engine."""
    layout = _own_layout()
    placeholders = {
        name: escape(value) for name, value in content._asdict().items() if value.__class__ is str
    }
    lines = (_BREAK.join(map(escape, lines)) for lines in content.paragraphs)
    links = ({"label": escape(label), "url": escape(url)} for label, url in content.links)
    placeholders |= {
        "preview": escape(" ".join(line for lines in content.paragraphs for line in lines)[:140]),
        "paragraph": "".join(_fill(layout.paragraph, {"lines": each}) for each in lines),
        "button_block": _fill(layout.button_block, placeholders) if content.button_url else "",
        "link": " · ".join(_fill(layout.link, link) for link in links),
    }
    return _fill(layout.page, placeholders)


def render_text(content: EmailContent) -> str:
    """Return an e-mail as plain text with wrapped lines and full links."""
    parts = ["\n".join(map(_wrapped, lines)) for lines in content.paragraphs]
    if content.button_url:
        parts.append(f"{content.button_label}:\n{content.button_url}")
    footer = [_wrapped(content.reason), *(_link_line(label, url) for label, url in content.links)]
    # Two dashes and a space start a signature, which mail programs show in a lighter color.
    parts.append("\n".join(["-- ", content.company, *footer]))
    return "\n\n".join(parts) + "\n"


def unwrap(text: str) -> str:
    """Undo the wrapping: append each line whose first word did not fit on the line before it."""
    lines: list[str] = []
    last = ""
    for line in text.split("\n"):
        word = line.partition(" ")[0]
        if last and word and len(last) + 1 + len(word) > _WIDTH:
            lines[-1] += f" {line}"
        else:
            lines.append(line)
        last = line
    return "\n".join(lines)


def _link_line(label: str, url: str) -> str:
    """Return a link as text. A label that ends with "?" gets no colon."""
    return f"{label}{'' if label.endswith('?') else ':'} {url}"


@lru_cache(maxsize=512)
def compile_layout(mjml: str) -> Template:
    """Compile the layout of an automation; the result is cached. Raises InvalidTemplate."""
    if len(mjml) > MAX_SOURCE:
        raise InvalidTemplate(f"is longer than {MAX_SOURCE} characters")
    if len(_TAG.findall(mjml)) > MAX_TAGS:
        raise InvalidTemplate(f"has more than {MAX_TAGS} tags")
    html = _html(mjml)
    if problems := unsafe_html(html):
        raise InvalidTemplate("; ".join(problems))
    return compile_template(html, "markup")


def unsafe_html(html: str) -> list[str]:
    """Return the problems of HTML that runs code, or that a value could make run code."""
    finder = _UnsafeHtmlFinder()
    finder.feed(html)
    finder.close()
    return finder.problems


class _Layout(NamedTuple):
    """The default layout as HTML, with its repeated and optional blocks as separate fields."""

    page: str
    paragraph: str
    button_block: str
    link: str


@cache
def _own_layout() -> _Layout:
    tokens = Tokens((_LAYOUT_FOLDER / "mail.mjml").read_text(encoding="utf-8"))
    html = _html(tokens.substitute(layout_texts()["colors"]))
    blocks: dict[str, str] = dict(_BLOCK.findall(html))
    return _Layout(_BLOCK.sub(r"[[\1]]", html), **blocks)


def _fill(template: str, values: Mapping[str, str]) -> str:
    # One pass, so that a placeholder inside a value is not replaced.
    return _PLACEHOLDER.sub(lambda placeholder: values[placeholder[1]], template)


def _html(mjml: str) -> str:
    # No includes, and no fonts that the reader's mail program would download.
    parsing = mrml.ParserOptions(include_loader=mrml.noop_loader())
    rendering = mrml.RenderOptions(disable_comments=True, fonts={})
    try:
        return mrml.to_html(mjml, parsing, rendering).content
    except OSError as error:
        raise InvalidTemplate(f"is not MJML: {error}") from None


def _wrapped(line: str) -> str:
    if len(line) <= _WIDTH:
        return line
    return textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False)


class _UnsafeHtmlFinder(HTMLParser):
    """Finds addresses, styles and handlers that a value could turn into code."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self._inside_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside_style = tag == "style"
        if tag in _REFUSED_TAGS:
            self.problems.append(f"<{tag}> is not permitted in e-mail")
        # Without quotes, a value that contains a space would become two attributes.
        if _UNQUOTED.search(self.get_starttag_text() or ""):
            self.problems.append(f"an attribute of <{tag}> has a value without quotes")
        for name, value in attrs:
            self._check_attribute(tag, name, (value or "").strip())

    def _check_attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or "{" in name or "}" in name:
            self.problems.append(f"<{tag}> has the attribute {name}, which is not permitted")
        elif name == "style" and "{{" in value:
            self.problems.append(f"the style of <{tag}> contains a template value")
        elif name == "style" and _UNSAFE_STYLE.search(value):
            self.problems.append(f"the style of <{tag}> loads or runs external content")
        elif tag == "meta" and name == "http-equiv" and value.lower() == "refresh":
            self.problems.append("<meta> redirects to another page")
        elif name in _ADDRESSES and not _is_address(value):
            self.problems.append(f"{name} of <{tag}> leads to {value[:80]}, which is not permitted")

    def handle_endtag(self, tag: str) -> None:
        self._inside_style = False

    def handle_data(self, text: str) -> None:
        if self._inside_style and "{{" in text:
            self.problems.append("a style sheet contains a template value")
        if self._inside_style and _UNSAFE_STYLE.search(text):
            self.problems.append("a style sheet loads or runs external content")

    def handle_comment(self, comment: str) -> None:
        # Outlook renders the content of conditional comments.
        if inner := _CONDITION.match(comment):
            self.problems += unsafe_html(inner[1])


def _is_address(value: str) -> bool:
    """Return whether the value is one of our links, an https:// address or an anchor."""
    if "{" in value:
        inner = value.removeprefix("{{").removesuffix("}}").strip()
        return inner in ("button", "link.url") and value.startswith("{{") and value.endswith("}}")
    return value.startswith(("https://", "#"))
