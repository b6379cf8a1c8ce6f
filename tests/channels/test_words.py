"""The words on the pages: docs/words.md names one term for each thing, and the retired ones."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import pofile

from tests.channels.portal.page_texts import texts_of

ROOT = Path(__file__).parents[2]
LANGUAGES = {"English": "en", "Dutch": "nl", "Swedish": "sv", "Danish": "da"}
FOLDERS = (
    "channels/console",
    "channels/portal",
    "channels/pages",
    "channels/email",
    "channels/sms",
)
FOLDERS += ("examples/themepark",)
_MARKUP = re.compile(r"\{%\s*(?!translate|blocktranslate)[^%]*%\}|\{#.*?#\}|\{\{.*?\}\}|<!--.*?-->")

# Names of events, such as "Order Completed", are no texts.
_EVENT_NAME = re.compile(r"([A-Z]\w+ ?)+")


def retired_terms(language: str) -> list[str]:
    """Return the retired terms of a language, from docs/words.md."""
    page = (ROOT / "docs/words.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    [section] = [text for name, text in sections.items() if LANGUAGES.get(name) == language]
    rows = re.findall(r"^\| (?!thing)[^|-][^|]*\|[^|]*\|([^|]*)\|$", section, re.MULTILINE)
    terms = [term.strip() for row in rows for term in row.split(";")]
    return [term for term in terms if term]


def shown_texts(language: str) -> Iterator[tuple[Path, str]]:
    """Yield the texts of pages in a language, with the file of each."""
    for folder in FOLDERS:
        if language == "en":
            yield from _english_texts(ROOT / folder)
        for path in (ROOT / folder / "locale" / language).rglob("django.po"):
            with path.open("rb") as file:
                for message in pofile.read_po(file):
                    strings = message.string
                    yield path, strings if isinstance(strings, str) else " ".join(strings)


def _english_texts(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in folder.rglob("*.html"):
        yield path, " ".join(_MARKUP.sub(" ", path.read_text()).split())
    for path in folder.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            text = str(node.value) if isinstance(node, ast.Constant) else ""
            if " " in text and not _EVENT_NAME.fullmatch(text) and id(node) not in docstrings:
                yield path, text


@pytest.mark.parametrize("language", LANGUAGES.values())
def test_no_page_shows_a_retired_term(language):
    terms = retired_terms(language)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, terms))})\b", re.IGNORECASE)

    assert len(terms) > 10
    assert [
        f"{path.relative_to(ROOT)}: {match[0]} in {text[:80]}"
        for path, text in shown_texts(language)
        for match in pattern.finditer(text)
    ] == []


@pytest.mark.parametrize("language", [code for code in LANGUAGES.values() if code != "en"])
def test_every_text_of_a_page_has_a_translation(language):
    catalogs = [
        path
        for folder in ("channels", "examples", "customers")
        for path in (ROOT / folder).rglob(f"locale/{language}/LC_MESSAGES/django.po")
    ]
    translated = set()
    for path in catalogs:
        with path.open("rb") as file:
            translated |= {_first(message.id) for message in pofile.read_po(file) if message.string}

    shown = {
        text for folder in ("portal", "pages", "email", "console") for text in texts_of(folder)
    }
    assert len(shown) > 200
    assert shown - translated == set()


def _first(text: str | list[str] | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]
