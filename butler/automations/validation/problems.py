"""The problems of a file, and the values that it can refer to. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from butler.automations.conditions import InvalidCondition, validate_condition
from butler.decisions.reasons.catalog import LANGUAGES
from butler.document import AutomationDocument


class FileProblem(NamedTuple):
    """One problem of a file: the field, and the reason for its author."""

    file: str
    field: str
    reason: str


class AllowedReferences(NamedTuple):
    """The names that automations can refer to: purposes with their kinds, topics, channels."""

    purposes: Mapping[str, str]
    topics: Collection[str]
    channels: Collection[str]


# The field of each problem, and the reason.
type Problems = Iterator[tuple[str, str]]


def required_languages(document: AutomationDocument) -> tuple[str, ...]:
    """Return the languages in which the automation must have every text."""
    return document.languages or tuple(LANGUAGES)


def parse_problem(field: str, value: str, parse: Callable[[str], object]) -> Problems:
    """Yield the problem of a value that cannot be parsed, if there is one."""
    try:
        parse(value)
    except ValueError as error:
        yield field, str(error)


def condition_problem(field: str, expression: str) -> Problems:
    """Yield the problem of a condition that is not valid, if there is one."""
    try:
        validate_condition(expression)
    except InvalidCondition as error:
        yield field, str(error)
