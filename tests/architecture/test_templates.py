"""Templates stay readable, and name only templates, static files and pages of the layers below.

Import contracts see no arrow through a template, so this module reads the names in templates, in
scripts and in Python, and compares them with the layers in pyproject.toml.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.tree import ROOT, files

LONGEST_LINE = 120
_WITH_ATTRIBUTES = re.compile(r"<[a-z][a-z0-9]*\s+[^\s/>]")

_FILE_TAG = re.compile(r"\{%\s*(?:extends|include|static)\s+['\"](\w+)/")
_URL_TAG = re.compile(r"\{%\s*url\s+['\"]([\w:-]+)['\"]")
_SCRIPT_IMPORT = re.compile(r"(?:\bfrom|\bimport|url\()\s*['\"]\.\./(\w+)/")
_FILE_NAME = re.compile(r"(\w+)/[\w/.-]+\.(?:html|css|js|svg)(?:#\w+)?")
_FOLDER = re.compile(r"(\w+)/")
_URL_FUNCTIONS = {"redirect", "resolve_url", "reverse", "reverse_lazy"}


def _lines():
    for path in files("*.html"):
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            yield f"{path}:{number}", line


def test_lines_of_templates_are_short():
    lines = list(_lines())

    assert len(lines) > 1000
    assert [place for place, line in lines if len(line) > LONGEST_LINE] == []


def test_line_starts_one_element_with_attributes_at_most():
    assert [place for place, line in _lines() if len(_WITH_ATTRIBUTES.findall(line)) > 1] == []


def test_names_in_templates_and_views_follow_the_layers():
    references = [
        (path, reference)
        for path in files()
        if path.parts[0] == "channels"
        for reference in _references(path, (ROOT / path).read_text(errors="ignore"))
    ]

    assert {path.suffix for path, _ in references} == {".html", ".js", ".py"}
    assert len(references) > 300
    assert [
        f"{path} names {reference}"
        for path, reference in references
        if not _may_name(path.parts[1].removesuffix(".py"), reference)
    ] == []


def test_names_of_higher_rooms_are_found():
    assert [*_references(Path("a.html"), '{% include "portal/a.html" %}')] == ["portal"]
    assert [*_references(Path("a.html"), "{% url 'console:home' %}")] == ["console"]
    assert [*_references(Path("a.html"), "{% static 'portal/a.css' %}")] == ["portal"]
    assert [*_references(Path("a.js"), 'import { a } from "../portal/a.js";')] == ["portal"]
    assert [*_references(Path("a.py"), "name = f'portal/{name}.html'")] == ["portal"]
    assert [*_references(Path("a.py"), "reverse('console:home')")] == ["console"]
    assert [*_references(Path("a.py"), "redirect('outbox-json')")] == ["email"]
    assert not _may_name("pages", "portal")
    assert not _may_name("portal", "console")
    assert _may_name("console", "pages")


def _references(path: Path, text: str) -> Iterator[str]:
    """Yield the rooms whose templates, static files or pages this file names."""
    names: list[str] = []
    if path.suffix == ".html":
        names = _FILE_TAG.findall(text) + [_room_of_url(name) for name in _URL_TAG.findall(text)]
    elif path.suffix in (".js", ".css"):
        names = _SCRIPT_IMPORT.findall(text)
    elif path.suffix == ".py":
        names = [*_names_in_module(ast.parse(text))]
    yield from (name for name in names if name in _levels())


def _names_in_module(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr) and (match := _FOLDER.match(_start_of(node))):
            yield match[1]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if match := _FILE_NAME.fullmatch(node.value):
                yield match[1]
            namespace, colon, _ = node.value.partition(":")
            if colon and namespace in get_resolver().namespace_dict:
                yield namespace
        elif isinstance(node, ast.Call) and _name_of(node.func) in _URL_FUNCTIONS and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and ":" not in str(argument.value):
                yield _room_of_url(str(argument.value))


def _start_of(text: ast.JoinedStr) -> str:
    start = text.values[0]
    return str(start.value) if isinstance(start, ast.Constant) else ""


def _name_of(function: ast.expr) -> str:
    return getattr(function, "id", "") or getattr(function, "attr", "")


@cache
def _levels() -> dict[str, int]:
    """Return the level of each room of `channels`; the top has the lowest number."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [
        contract["layers"]
        for contract in contracts["contracts"]
        if contract.get("containers") == ["channels"]
    ]
    return {room.strip(): level for level, rooms in enumerate(layers) for room in rooms.split("|")}


def _may_name(room: str, other: str) -> bool:
    # `apps` of `channels` itself and its migrations belong to no layer.
    return room == other or _levels().get(room, -1) < _levels()[other]


def _room_of_url(name: str) -> str:
    """Return the room of the view that has this name; empty for views outside of `channels`."""
    namespace, colon, _ = name.partition(":")
    return namespace if colon else _rooms_of_urls().get(name, "")


@cache
def _rooms_of_urls() -> dict[str, str]:
    return {
        pattern.name: module.split(".")[1]
        for pattern in _patterns(get_resolver())
        if pattern.name and (module := _module_of(pattern)).startswith("channels.")
    }


def _module_of(pattern: URLPattern) -> str:
    view = getattr(pattern.callback, "view_class", pattern.callback)
    return view.__module__


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    """Yield the patterns that have no namespace."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif not pattern.namespace:
            yield from _patterns(pattern)
