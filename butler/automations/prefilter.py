"""Which channels an automation decides on as soon as a run starts, for the prefilter. Pure.

The prefilter refuses, in SQL, the recipients of a batch whom the automation can never reach.
"""

from collections.abc import Mapping, Sequence

from butler.decisions.reasons.catalog import REASONS
from butler.document import AutomationDocument, MessageStep, NextChannelStep
from butler.types import Gate

# The channels of one decision: the first of them that is allowed is used.
type ChannelChoice = tuple[str, ...]


def initial_choices(document: AutomationDocument) -> tuple[ChannelChoice, ...]:
    """Return the decisions that a run takes as it starts; nothing where they are not certain.

    After a wait a customer may have changed their mind, a branch may not be taken, and a task
    for a colleague needs no consent. Whom the first channel cannot reach is not reached through
    the next one either, because nothing was sent that could be sent again.
    """
    choices: list[ChannelChoice] = []
    for step in document.steps:
        if isinstance(step, MessageStep):
            choices += [(channel,) for channel in step.channels] if step.every else [step.channels]
        elif not isinstance(step, NextChannelStep):
            return ()
    return tuple(choices)


def all_channels(choices: Sequence[ChannelChoice]) -> tuple[str, ...]:
    """Return every channel of these choices, once."""
    return tuple(dict.fromkeys(channel for choice in choices for channel in choice))


def denial_gates(choice: ChannelChoice, codes: Mapping[str, str]) -> list[Gate]:
    """Return the gates of one decision: the code that refused each of its channels."""
    return [
        Gate(
            gate="prefilter",
            layer=REASONS[codes[channel]].layer or "integrity",
            verdict="deny",
            code=codes[channel],
            inputs={"channel": channel},
        )
        for channel in choice
    ]
