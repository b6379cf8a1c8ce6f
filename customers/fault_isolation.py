"""Keeps the fault of one event from costing the events beside it. Pure."""

from collections.abc import Callable, Sequence
from pathlib import Path
from traceback import walk_tb

import msgspec

# What pure code raises when it meets a value that it cannot read. Faults of the database, the
# network and the machine are not among them: sending the same again later may help there.
FAULTS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)
# Why something is in quarantine: code of ours cannot read a value of it.
UNREADABLE = "unreadable"
_ROOT = Path(__file__).parent.parent


def split_sound_and_faulty[Event](
    events: Sequence[Event], fold: Callable[[Sequence[Event]], object]
) -> tuple[list[Event], list[tuple[Event, Exception]]]:
    """Divide events into those that can be folded together, and those that raise a fault.

    An event counts as faulty where it cannot be folded with the sound ones before it. So the
    answer follows from the events and the order they are given in, not from when they came.
    """
    sound: list[Event] = []
    faulty: list[tuple[Event, Exception]] = []

    def extend(candidates: Sequence[Event]) -> None:
        try:
            fold([*sound, *candidates])
        except FAULTS as error:
            if len(candidates) == 1:
                faulty.append((candidates[0], error))
                return
            half = len(candidates) // 2
            extend(candidates[:half])
            extend(candidates[half:])
        else:
            sound.extend(candidates)

    if events:
        extend(events)
    return sound, faulty


def describe_fault(error: BaseException) -> str:
    """Return the type of a fault and the line that raised it, without any value in it."""
    place = ""
    for frame, line in walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        # A virtual environment may lie inside the project.
        if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
            place = f" in {path.relative_to(_ROOT)}:{line}"
    return f"{type(error).__name__}{place}"
