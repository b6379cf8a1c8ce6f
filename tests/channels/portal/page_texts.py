"""Find all translatable texts of the customers' pages, as msgids of the catalogues."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CHANNELS = Path(__file__).parents[3] / "channels"

_SHORT = re.compile(r"""\{% translate (['"])(.*?)\1""")
_QUOTED = re.compile(r"""\b_\("(.*?)"\)""")
_BLOCK = re.compile(r"\{% blocktranslate(.*?)%\}(.*?)\{% endblocktranslate %\}", re.DOTALL)
_PLURAL = re.compile(r"\{% plural %\}")
_PLACE = re.compile(r"\{\{ (\w+) \}\}")
_CALLS = {"gettext", "gettext_noop", "ngettext", "_"}


def in_templates(folder: str) -> Iterator[str]:
    for path in (CHANNELS / folder).rglob("*.html"):
        text = path.read_text()
        yield from (match[2] for match in _SHORT.finditer(text))
        yield from (match[1] for match in _QUOTED.finditer(text))
        for block in _BLOCK.finditer(text):
            msgid = _PLACE.sub(r"%(\1)s", _PLURAL.split(block[2])[0])
            yield " ".join(msgid.split()) if "trimmed" in block[1] else msgid


def in_modules(folder: str) -> Iterator[str]:
    for path in (CHANNELS / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _CALLS and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def texts_of(folder: str) -> set[str]:
    """Return the translatable texts of `channels/<folder>`."""
    return {*in_templates(folder), *in_modules(folder)}
