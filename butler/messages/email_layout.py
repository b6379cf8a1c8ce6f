"""A message as mail: our own layout, or an automation's, and the same as plain text. Pure.

MJML becomes HTML before anything is put in, once; values only ever meet the finished HTML, and
are escaped there.
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

from butler.messages.templating import SOURCE, BadTemplate, Template, compiled

_HERE = Path(__file__).parent / "layout"
_WIDTH = 76
_ENGLISH = "en"
_BREAK = "<br>"
# Places in our own layout: [[name]] is a value, [[name: ... :name]] a part.
_PART = re.compile(r"\[\[(\w+):(.*?):\1\]\]", re.DOTALL)
_PLACE = re.compile(r"\[\[(\w+)\]\]")

# In an automation's own layout: what runs, frames, asks or loads has no place in mail.
_REFUSED = frozenset(
    {"script", "iframe", "frame", "frameset", "object", "embed", "applet", "template", "base"}
    | {"form", "input", "button", "textarea", "select", "link", "svg", "math", "video", "audio"}
)
# Each tag of MJML is a call inside another for who reads it, and a stack ends a process.
TAGS = 200
_TAG = re.compile(r"<[a-zA-Z]")
# Of a style: other styles, what runs, and pictures from elsewhere than the web.
_ODD_STYLE = re.compile(r"@import|expression\s*\(|url\s*\((?!\s*[\"']?https://)|\\", re.IGNORECASE)
_CONDITION = re.compile(r"\[if [^\]]*\]>(.*?)(?:<!\[endif\])?\Z", re.DOTALL)
_UNQUOTED = re.compile(r"=\s*\{")
_ADDRESSES = frozenset({"href", "src", "action", "background", "formaction", "poster", "srcset"})


class Letter(NamedTuple):
    """What a layout is filled with."""

    language: str
    company: str
    subject: str
    paragraphs: Sequence[Sequence[str]]
    # What the button says and where it leads; empty where there is none.
    action: str
    button: str
    # Why this came, and the links under it: what they say, where they lead.
    reason: str
    links: Sequence[tuple[str, str]]


@cache
def frame() -> dict[str, dict[str, str]]:
    """Return the words around every letter, by language, and its colors."""
    return tomllib.loads((_HERE / "words.toml").read_text(encoding="utf-8"))


def framing(language: str) -> dict[str, str]:
    return frame().get(language, frame()[_ENGLISH])


def as_html(letter: Letter, *, mjml: str, values: Mapping[str, object]) -> str:
    """Return the letter as HTML, in our layout or, if it has one, in the automation's own."""
    if not mjml:
        return _own(letter)
    filling: dict[str, Any] = letter._asdict()
    filling["links"] = [{"words": words, "url": url} for words, url in letter.links]
    return layout(mjml).fill({**values, **filling})


def _own(letter: Letter) -> str:
    """Fill our own layout. It is most of the work of a letter, so without an engine."""
    own = _own_layout()
    plain = {
        name: escape(value) for name, value in letter._asdict().items() if value.__class__ is str
    }
    lines = (_BREAK.join(map(escape, lines)) for lines in letter.paragraphs)
    links = ({"words": escape(words), "url": escape(url)} for words, url in letter.links)
    plain |= {
        "preview": escape(" ".join(line for lines in letter.paragraphs for line in lines)[:140]),
        "paragraph": "".join(_fill(own.paragraph, {"lines": one}) for one in lines),
        "pressed": _fill(own.pressed, plain) if letter.button else "",
        "link": " · ".join(_fill(own.link, link) for link in links),
    }
    return _fill(own.page, plain)


def as_text(letter: Letter) -> str:
    """Return the letter as plain text, wrapped, with its links written out."""
    parts = ["\n".join(map(_wrapped, lines)) for lines in letter.paragraphs]
    if letter.button:
        parts.append(f"{letter.action}:\n{letter.button}")
    foot = [_wrapped(letter.reason), *(_linked(words, url) for words, url in letter.links)]
    # Two dashes and a space begin a signature: mail programs show it paler.
    parts.append("\n".join(["-- ", letter.company, *foot]))
    return "\n\n".join(parts) + "\n"


def unwrapped(text: str) -> str:
    """Undo the wrapping: a line that had no room for the next word goes on with it."""
    found: list[str] = []
    last = ""
    for line in text.split("\n"):
        word = line.partition(" ")[0]
        if last and word and len(last) + 1 + len(word) > _WIDTH:
            found[-1] += f" {line}"
        else:
            found.append(line)
        last = line
    return "\n".join(found)


def _linked(words: str, url: str) -> str:
    """Write a link out; after a question there is no colon."""
    return f"{words}{'' if words.endswith('?') else ':'} {url}"


@lru_cache(maxsize=512)
def layout(mjml: str) -> Template:
    """Compile an automation's own layout. Raises BadTemplate."""
    if len(mjml) > SOURCE:
        raise BadTemplate(f"longer than {SOURCE} characters")
    if len(_TAG.findall(mjml)) > TAGS:
        raise BadTemplate(f"more than {TAGS} tags")
    html = _html(mjml)
    if found := faults(html):
        raise BadTemplate("; ".join(found))
    return compiled(html, "markup")


def faults(html: str) -> list[str]:
    """Return what in this HTML runs, or could be made to by a value."""
    watch = _Watch()
    watch.feed(html)
    watch.close()
    return watch.faults


class _Layout(NamedTuple):
    """Our layout as HTML, with the parts that come several times or not at all taken out."""

    page: str
    paragraph: str
    pressed: str
    link: str


@cache
def _own_layout() -> _Layout:
    tokens = Tokens((_HERE / "mail.mjml").read_text(encoding="utf-8"))
    html = _html(tokens.substitute(frame()["colors"]))
    parts: dict[str, str] = dict(_PART.findall(html))
    return _Layout(_PART.sub(r"[[\1]]", html), **parts)


def _fill(template: str, values: Mapping[str, str]) -> str:
    # In one pass, so that nothing in a value is taken for a place to fill.
    return _PLACE.sub(lambda place: values[place[1]], template)


def _html(mjml: str) -> str:
    # Nothing is included from anywhere, and no font is fetched by whoever reads the mail.
    parsing = mrml.ParserOptions(include_loader=mrml.noop_loader())
    rendering = mrml.RenderOptions(disable_comments=True, fonts={})
    try:
        return mrml.to_html(mjml, parsing, rendering).content
    except OSError as error:
        raise BadTemplate(f"no MJML: {error}") from None


def _wrapped(line: str) -> str:
    if len(line) <= _WIDTH:
        return line
    return textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False)


class _Watch(HTMLParser):
    """Finds what a value could turn into code: an address, a style, a handler."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._inside_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside_style = tag == "style"
        if tag in _REFUSED:
            self.faults.append(f"<{tag}> has no place in mail")
        # Without quotes around it, a value with a space in it is two attributes.
        if _UNQUOTED.search(self.get_starttag_text() or ""):
            self.faults.append(f"a value without quotes in <{tag}>")
        for name, value in attrs:
            self._look(tag, name, (value or "").strip())

    def _look(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or "{" in name or "}" in name:
            self.faults.append(f"<{tag}> has {name}")
        elif name == "style" and "{{" in value:
            self.faults.append(f"a value in the style of <{tag}>")
        elif name == "style" and _ODD_STYLE.search(value):
            self.faults.append(f"the style of <{tag}> loads or runs something")
        elif tag == "meta" and name == "http-equiv" and value.lower() == "refresh":
            self.faults.append("<meta> leads elsewhere")
        elif name in _ADDRESSES and not _is_address(value):
            self.faults.append(f"{name} of <{tag}> leads to {value[:80]}")

    def handle_endtag(self, tag: str) -> None:
        self._inside_style = False

    def handle_data(self, data: str) -> None:
        if self._inside_style and "{{" in data:
            self.faults.append("a value in a style sheet")
        if self._inside_style and _ODD_STYLE.search(data):
            self.faults.append("a style sheet loads or runs something")

    def handle_comment(self, data: str) -> None:
        # Outlook reads what is inside of these.
        if inner := _CONDITION.match(data):
            self.faults += faults(inner[1])


def _is_address(value: str) -> bool:
    """Tell whether it is one of our links, whole, or a plain address on the web."""
    if "{" in value:
        inner = value.removeprefix("{{").removesuffix("}}").strip()
        return inner in ("button", "link.url") and value.startswith("{{") and value.endswith("}}")
    return value.startswith(("https://", "#"))
