"""The text of each button begins with a verb from the table of docs/words.md.

A translation uses the verb of the same row. In Dutch the verb may stand at the end.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from babel.messages import pofile

from butler.admin.versions import TRANSITIONS

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "nl", "sv", "da")

_DJANGO_TAG = r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}"
_ELEMENT = re.compile(
    rf"<(button|a|summary)\b((?:{_DJANGO_TAG}|[^>{{])*)>(.*?)</\1\s*>|"
    rf"<(input)\b((?:{_DJANGO_TAG}|[^>{{])*)>",
    re.DOTALL,
)
_BUTTON_CLASS = re.compile(r'class="(?:[^"]*\s)?(?:link-)?button[\s"{]')
_SUBMIT_INPUT = re.compile(r'type="(?:submit|button|reset|image)"')
_TRANSLATE = re.compile(r"\{%\s*translate\s+(['\"])(.*?)\1.*?%\}")
_BLOCK = re.compile(r"\{%\s*blocktranslate\b.*?%\}(.*?)\{%\s*endblocktranslate\s*%\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_DETAIL = re.compile(r"<(svg|span)\b.*?</\1\s*>", re.DOTALL)
_VARIABLE = re.compile(r"\{\{\s*([\w.]+)[^}]*\}\}")
# A button that shows the name of a language, in this language, says enough.
_LANGUAGE_NAME = "language.name_local"


class Label(NamedTuple):
    """A text of a button in English; only translated texts appear in other languages."""

    text: str
    is_translated: bool


def labels_of(template: str) -> Iterator[Label]:
    """Yield the labels of the buttons in a template; a variable stays as it is written."""
    for tag, attributes, content, input_tag, input_attributes in _ELEMENT.findall(template):
        if input_tag:
            if _SUBMIT_INPUT.search(input_attributes):
                yield Label(f"input{input_attributes}", False)
        elif tag == "button" or _BUTTON_CLASS.search(attributes):
            yield from _labels_in(content)


def _labels_in(content: str) -> Iterator[Label]:
    content = _DETAIL.sub("", content)
    for match in (*_TRANSLATE.finditer(content), *_BLOCK.finditer(content)):
        text = match[match.lastindex or 0]
        yield Label(" ".join(_PLACEHOLDER.sub(r"%(\1)s", text).split()), True)
    content = _BLOCK.sub("", _TRANSLATE.sub("", content))
    # The branches of a condition are separate labels.
    for piece in re.split(r"\{%.*?%\}|<[^>]*>", content):
        if piece.strip():
            yield Label(" ".join(piece.split()), False)


def labels_of_variable(name: str, templates: Mapping[Path, str]) -> list[Label]:
    """Return the texts that templates assign to a variable, such as yes=_("Give consent")."""
    assigned = re.compile(
        rf"\b{name}=(_\()?\"(.*?)\"|\{{% translate \"(.*?)\" as {name} %\}}", re.DOTALL
    )
    return [
        Label(text or translated, bool(gettext or translated))
        for template in templates.values()
        for gettext, text, translated in assigned.findall(template)
    ]


@cache
def _templates() -> Mapping[Path, str]:
    return {
        path: path.read_text()
        for folder in ("channels", "butler", "customers", "examples")
        for path in (ROOT / folder).rglob("templates/**/*.html")
    }


def _labels() -> Iterator[tuple[str, Label]]:
    """Yield the place and each label of all buttons, with the values of variables."""
    for path, template in _templates().items():
        place = str(path.relative_to(ROOT))
        for label in labels_of(template):
            variable = _VARIABLE.fullmatch(label.text)
            if variable is None:
                yield place, label
            elif variable[1] == "label":
                for transitions in TRANSITIONS.values():
                    yield from ((place, Label(text, False)) for _, text in transitions)
            elif variable[1] != _LANGUAGE_NAME:
                values = labels_of_variable(variable[1], _templates())
                # A variable without a known text is an offender itself.
                yield from ((place, value) for value in values or [label])


@cache
def _translations(language: str) -> Mapping[str, str]:
    texts = {}
    for folder in ("channels", "examples", "customers"):
        for path in (ROOT / folder).rglob(f"locale/{language}/LC_MESSAGES/django.po"):
            with path.open("rb") as file:
                texts |= {
                    message.id: message.string
                    for message in pofile.read_po(file)
                    if isinstance(message.id, str) and isinstance(message.string, str)
                }
    return texts


@cache
def _verbs() -> list[dict[str, list[str]]]:
    """Return the rows of the table: the verbs of each language."""
    page = (ROOT / "docs/words.md").read_text()
    section = page.partition("\n## Buttons\n")[2].partition("\n## ")[0]
    rows = [line[1:-1].split("|") for line in section.splitlines() if line.startswith("|")]
    return [
        {
            language: [verb.strip() for verb in cell.split(";") if verb.strip()]
            for language, cell in zip(LANGUAGES, row, strict=True)
        }
        for row in rows[2:]
    ]


def _has_verb(text: str, verbs: list[str], language: str) -> bool:
    for verb in verbs:
        if re.match(rf"{re.escape(verb)}\b", text, re.IGNORECASE):
            return True
        if language == "nl" and re.search(rf"\b{re.escape(verb)}$", text, re.IGNORECASE):
            return True
    return False


def _offenders(texts: Mapping[str, str]) -> list[str]:
    """Return the languages in which the text has no verb of any row that fits the English text."""
    rows = [row for row in _verbs() if _has_verb(texts["en"], row["en"], "en")]
    return [
        f"{language}: {text}"
        for language, text in texts.items()
        if not any(_has_verb(text, row[language], language) for row in rows)
    ]


def test_every_button_begins_with_a_verb_of_the_word_list():
    labels = sorted(set(_labels()))

    assert len({label for _, label in labels}) > 60
    assert [
        f"{place}: {offender}"
        for place, label in labels
        for offender in _offenders(
            {"en": label.text}
            | {
                language: _translations(language).get(label.text, "")
                for language in LANGUAGES[1:]
                if label.is_translated
            }
        )
    ] == []


def test_every_button_of_an_example_message_begins_with_a_verb():
    actions = [
        (path.name, {language: str(text["action"]) for language, text in texts.items()})
        for path in (ROOT / "examples").rglob("automations/*.toml")
        for texts in _texts_of_messages(tomllib.loads(path.read_text()))
        if any("action" in text for text in texts.values())
    ]

    assert len(actions) > 5
    assert [
        f"{name}: {offender}" for name, texts in actions for offender in _offenders(texts)
    ] == []


def _texts_of_messages(value: object) -> Iterator[dict[str, dict[str, object]]]:
    if isinstance(value, list):
        for member in value:
            yield from _texts_of_messages(member)
    elif isinstance(value, dict):
        texts = value.get("texts")
        if isinstance(texts, dict) and all(isinstance(text, dict) for text in texts.values()):
            yield texts
        for member in value.values():
            yield from _texts_of_messages(member)


def test_every_verb_of_the_word_list_is_used():
    texts = [label.text for _, label in _labels()]
    texts += [
        str(text.get("action", ""))
        for path in (ROOT / "examples").rglob("automations/*.toml")
        for languages in _texts_of_messages(tomllib.loads(path.read_text()))
        for text in languages.values()
    ]

    assert [
        verb
        for row in _verbs()
        for verb in row["en"]
        if not any(_has_verb(text, [verb], "en") for text in texts)
    ] == []


def test_labels_of_buttons_are_found():
    template = """
    <button type="submit"{% if a %} disabled{% endif %}>
      <svg><use href="#i" /></svg> {% translate "Send code" %}
    </button>
    <a class="button secondary" href="{% url 'a' %}">Open<span class="hidden"> {{ name }}</span></a>
    <a href="/">Home</a>
    <summary class="button">{% if a %}Stop{% else %}{{ label }}{% endif %}</summary>
    <button>{% blocktranslate with name=x %}Write in {{ name }}{% endblocktranslate %}</button>
    <input type="submit" value="Go">
    """

    assert {(label.text, label.is_translated) for label in labels_of(template)} == {
        ("Send code", True),
        ("Open", False),
        ("Stop", False),
        ("{{ label }}", False),
        ("Write in %(name)s", True),
        ('input type="submit" value="Go"', False),
    }
    assert labels_of_variable("yes", {Path(): '{% with yes=_("Allow") no="B" %}'}) == [
        Label("Allow", True)
    ]


def test_label_without_a_verb_is_an_offender():
    assert _offenders({"en": "Yes", "nl": "Ja"}) == ["en: Yes", "nl: Ja"]
    assert _offenders({"en": "Newer"}) == ["en: Newer"]
    assert _offenders({"en": "Save limit", "nl": "Grens opslaan", "sv": "Gräns"}) == ["sv: Gräns"]
    assert _offenders({"en": "Save limit", "nl": "Grens sturen"}) == ["nl: Grens sturen"]
