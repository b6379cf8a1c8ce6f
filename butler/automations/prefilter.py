"""Whom an automation can never be for, before it begins: what a crowd is sifted by. Pure."""

from collections.abc import Mapping, Sequence

from butler.decisions.reasons.catalog import REASONS
from butler.document import Document, MessageStep, NextChannelStep
from butler.types import Gate

# The channels of one decision: the first of them that may is used.
type Choice = tuple[str, ...]


def choices(document: Document) -> tuple[Choice, ...]:
    """Return what is decided at once when a run begins; nothing where that cannot be told.

    After a wait a customer may have said something else, a branch may not be taken, and a
    person who is asked needs no consent of anybody. Who was not reached at first is not
    reached through the next channel either, as there is nothing to say again.
    """
    found: list[Choice] = []
    for step in document.steps:
        if isinstance(step, MessageStep):
            found += [(one,) for one in step.channels] if step.every else [step.channels]
        elif not isinstance(step, NextChannelStep):
            return ()
    return tuple(found)


def channels(wanted: Sequence[Choice]) -> tuple[str, ...]:
    """Return every channel that is asked of, once."""
    return tuple(dict.fromkeys(one for choice in wanted for one in choice))


def gates(choice: Choice, codes: Mapping[str, str]) -> list[Gate]:
    """Return the gates of one decision: what refused each of its channels."""
    return [
        Gate(
            "sieve",
            REASONS[codes[one]].layer or "integrity",
            "deny",
            codes[one],
            (),
            {"channel": one},
        )
        for one in choice
    ]
