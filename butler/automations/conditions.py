"""Evaluates the conditions of automations: CEL over the values of a context. Pure.

CEL has no cost limit, so this module limits the length of expressions, the number of macros that
loop over a list, and the length of lists and texts. Macros cannot be nested.
"""

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

import cel

from butler.automations.context_schema import ROOTS, unknown_paths

MAX_LENGTH = 2000
MAX_LENGTH_WITH_MACROS = 300
MAX_LIST = 200
MAX_TEXT = 1000
MAX_DEPTH = 12
MAX_MACROS = 2

_log = logging.getLogger(__name__)

# A string literal can contain any text, but it never refers to a value.
_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
)
_CHAIN = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*(?!\w)(\s*\()?")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(")
_LOOP_VARIABLE = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_KEYWORDS = frozenset({"in", "true", "false", "null"})


class InvalidCondition(Exception):
    """A condition that cannot be evaluated, with the reason for its author."""


@lru_cache(maxsize=2000)
def _program(expression: str) -> cel.Program:
    return cel.compile(expression)


def validate_condition(expression: str) -> None:
    """Raise InvalidCondition unless its syntax, the values it reads and its cost are valid."""
    if len(expression) > MAX_LENGTH:
        raise InvalidCondition(f"is longer than {MAX_LENGTH} characters")
    try:
        program = _program(expression)
    except Exception as error:  # noqa: BLE001  # every error of the parser is an error of the text
        # The first line has the reason; the other lines show the position.
        raise InvalidCondition(str(error).splitlines()[0][:200]) from None
    code = _QUOTED.sub("''", expression)
    _check_cost(code)
    loop_variables = set(_LOOP_VARIABLE.findall(code))
    unknown = set(program.variables()) - loop_variables - ROOTS
    unknown |= set(unknown_paths(_paths(code, loop_variables)))
    if unknown:
        raise InvalidCondition(f"there is no value {', '.join(sorted(unknown))}")


def _check_cost(code: str) -> None:
    """Raise InvalidCondition for an expression that loops too much."""
    macro_starts = [macro.end() for macro in _MACRO.finditer(code)]
    if not macro_starts:
        return
    if len(macro_starts) > MAX_MACROS:
        raise InvalidCondition(
            f"has more than {MAX_MACROS} of all, exists, exists_one, map and filter"
        )
    if len(code) > MAX_LENGTH_WITH_MACROS:
        raise InvalidCondition(
            f"is longer than {MAX_LENGTH_WITH_MACROS} characters and has all, exists or map"
        )
    for start, next_start in pairwise(macro_starts):
        if next_start < _closing_parenthesis(code, start):
            raise InvalidCondition(
                "nests one of all, exists, exists_one, map and filter in another one"
            )


def _closing_parenthesis(code: str, start: int) -> int:
    """Return the index that closes the parenthesis opened just before `start`."""
    depth = 1
    for index in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[index], 0)
        if not depth:
            return index
    return len(code)


def is_met(expression: str, context: Mapping[str, object]) -> bool:
    """Return whether a condition is true; a missing value or one of another type makes it false."""
    try:
        # An absent root becomes an empty map, so that has() works on it.
        values: dict[str, object] = {root: {} for root in ROOTS}
        values |= {key: _truncate(value) for key, value in context.items()}
        return _program(expression).execute(values) is True
    except Exception as error:  # noqa: BLE001  # an unexpected value makes the condition false
        _log.info("a condition could not be asked", extra={"error": type(error).__name__})
        return False


def _paths(code: str, loop_variables: set[str]) -> list[str]:
    paths = []
    for match in _CHAIN.finditer(code):
        names = [name.strip() for name in match[0].removesuffix(match[1] or "").split(".")]
        # The last name before a parenthesis is a function, not a value.
        names = names[:-1] if match[1] else names
        if names and names[0] not in loop_variables and names[0] not in _KEYWORDS:
            paths.append(".".join(names))
    return paths


def _truncate(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, Mapping):
        if depth >= MAX_DEPTH:
            return {}
        # A key with the value null is left out, like an absent key.
        return {
            str(key): _truncate(element, depth + 1)
            for key, element in value.items()
            if element is not None
        }
    if isinstance(value, list | tuple):
        return (
            [_truncate(element, depth + 1) for element in value[:MAX_LIST]]
            if depth < MAX_DEPTH
            else []
        )
    return value
