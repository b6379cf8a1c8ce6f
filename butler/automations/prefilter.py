"""The channels on which a run decides as soon as it starts, for the prefilter. Pure.

The prefilter refuses, in SQL, the recipients of a batch whom the automation cannot reach.
"""

from collections.abc import Mapping, Sequence

from butler.decisions.reasons.catalog import REASONS
from butler.document import AutomationDocument, MessageStep, NextChannelStep
from butler.types import Gate

# The channels of one decision. The message goes through the first allowed one.
type ChannelChoice = tuple[str, ...]


def initial_choices(document: AutomationDocument) -> tuple[ChannelChoice, ...]:
    """Return the channel choices on which a run decides as it starts; empty if they are unknown.

    They are unknown if the automation has a wait, a branch or a task: preferences may change
    during a wait, a branch may not be taken, and a task needs no consent. A next_channel step
    adds no choice, because it repeats a message that an earlier step sent.
    """
    choices: list[ChannelChoice] = []
    for step in document.steps:
        if isinstance(step, MessageStep):
            choices += [(channel,) for channel in step.channels] if step.every else [step.channels]
        elif not isinstance(step, NextChannelStep):
            return ()
    return tuple(choices)


def all_channels(choices: Sequence[ChannelChoice]) -> tuple[str, ...]:
    """Return the channels of these choices without duplicates."""
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
