"""Finds every text of the portal that readers see, as catalogues name it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PORTAL = ROOT / "channels" / "portal"

_SHORT = re.compile(r"""\{% translate (['"])(.*?)\1""")
_QUOTED = re.compile(r"""\b_\("(.*?)"\)""")
_BLOCK = re.compile(r"\{% blocktranslate(.*?)%\}(.*?)\{% endblocktranslate %\}", re.DOTALL)
_PLURAL = re.compile(r"\{% plural %\}")
_PLACE = re.compile(r"\{\{ (\w+) \}\}")
_CALLS = {"gettext", "gettext_noop", "ngettext", "_"}


def in_templates() -> Iterator[str]:
    for path in PORTAL.rglob("*.html"):
        text = path.read_text()
        yield from (match[2] for match in _SHORT.finditer(text))
        yield from (match[1] for match in _QUOTED.finditer(text))
        for block in _BLOCK.finditer(text):
            said = _PLACE.sub(r"%(\1)s", _PLURAL.split(block[2])[0])
            yield " ".join(said.split()) if "trimmed" in block[1] else said


def in_modules() -> Iterator[str]:
    for path in PORTAL.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _CALLS and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def all_words() -> set[str]:
    return {*in_templates(), *in_modules()}
