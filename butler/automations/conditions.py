"""Whether a condition of an automation holds: CEL over the values that texts see. Pure.

CEL has no cost limit, so we set ours: short expressions, shorter ones where something is asked
of every item of a list, never a list within a list, and lists and texts cut before they are
looked at.
"""

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

import cel

from butler.automations.context_schema import ROOTS, unknown

LENGTH = 2000
LENGTH_OF_LOOPS = 300
LIST = 200
TEXT = 1000
DEPTH = 12
MACROS = 2

_log = logging.getLogger(__name__)

# A word in quotes may hold anything; it is no reference.
_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
)
_CHAIN = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*(?!\w)(\s*\()?")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(")
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_WORDS = frozenset({"in", "true", "false", "null"})


class BadCondition(Exception):
    """A condition that cannot be, and why, for the person who wrote it."""


@lru_cache(maxsize=2000)
def _program(expression: str) -> cel.Program:
    return cel.compile(expression)


def check(expression: str) -> None:
    """Raise BadCondition unless it can be asked: right in form, in what it reads, in its cost."""
    if len(expression) > LENGTH:
        raise BadCondition(f"longer than {LENGTH} characters")
    try:
        program = _program(expression)
    except Exception as error:  # noqa: BLE001  # whatever the parser dislikes, it is the text's fault
        # The first line says it; the rest is a drawing of where.
        raise BadCondition(str(error).splitlines()[0][:200]) from None
    plain = _QUOTED.sub("''", expression)
    _look_at_cost(plain)
    bound = set(_BOUND.findall(plain))
    strangers = set(program.variables()) - bound - ROOTS
    strangers |= set(unknown(_paths(plain, bound)))
    if strangers:
        raise BadCondition(f"nothing is called {', '.join(sorted(strangers))}")


def _look_at_cost(plain: str) -> None:
    """Refuse what is asked of too much. Raises BadCondition."""
    begins = [found.end() for found in _MACRO.finditer(plain)]
    if not begins:
        return
    if len(begins) > MACROS:
        raise BadCondition(f"more than {MACROS} of all, exists, exists_one, map and filter")
    if len(plain) > LENGTH_OF_LOOPS:
        raise BadCondition(f"longer than {LENGTH_OF_LOOPS} characters with all, exists or map")
    for begin, after in pairwise(begins):
        if after < _end(plain, begin):
            raise BadCondition("one of all, exists, exists_one, map and filter within another")


def _end(plain: str, begin: int) -> int:
    """Return where the parenthesis that was opened before this place is closed."""
    depth = 1
    for place in range(begin, len(plain)):
        depth += {"(": 1, ")": -1}.get(plain[place], 0)
        if not depth:
            return place
    return len(plain)


def holds(expression: str, context: Mapping[str, object]) -> bool:
    """Tell whether it is true; what is missing, or of another kind, makes it false."""
    try:
        # What has nothing behind it is empty, so that has() can be asked of it.
        values: dict[str, object] = {root: {} for root in ROOTS}
        values |= {key: _cut(value) for key, value in context.items()}
        return _program(expression).execute(values) is True
    except Exception as error:  # noqa: BLE001  # an odd value answers "no"; it stops nobody's run
        _log.info("a condition could not be asked", extra={"error": type(error).__name__})
        return False


def _paths(plain: str, bound: set[str]) -> list[str]:
    found = []
    for match in _CHAIN.finditer(plain):
        names = [name.strip() for name in match[0].removesuffix(match[1] or "").split(".")]
        # The last name of a call is a function's, not a value's.
        names = names[:-1] if match[1] else names
        if names and names[0] not in bound and names[0] not in _WORDS:
            found.append(".".join(names))
    return found


def _cut(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return value[:TEXT]
    if isinstance(value, Mapping):
        if depth >= DEPTH:
            return {}
        # Null is as absent as a key that is not there.
        return {str(k): _cut(v, depth + 1) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_cut(v, depth + 1) for v in value[:LIST]] if depth < DEPTH else []
    return value
