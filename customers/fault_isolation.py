"""Isolates faulty events, so that they do not affect the other events of a batch. Pure."""

from collections.abc import Callable, Sequence
from pathlib import Path
from traceback import walk_tb

import msgspec

# The errors that pure code raises for a value that it cannot read. Errors of the database, the
# network and the machine are not included, because a later attempt may succeed after them.
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
# The quarantine reason of an item with a value that Butler's code cannot read.
UNREADABLE = "unreadable"
_ROOT = Path(__file__).parent.parent


def split_sound_and_faulty[Event](
    events: Sequence[Event], fold: Callable[[Sequence[Event]], object]
) -> tuple[list[Event], list[tuple[Event, Exception]]]:
    """Divide events into those that can be folded together, and those that raise an error.

    An event is faulty if it cannot be folded together with the sound events before it. The result
    depends only on the events and their given order, not on their time of arrival.
    """
    sound: list[Event] = []
    faulty: list[tuple[Event, Exception]] = []

    def extend(candidates: Sequence[Event]) -> None:
        """Fold the candidates after the sound events; on an error, divide them into halves."""
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
    """Return the type of an error and the line that raised it. The text contains no values."""
    place = ""
    for frame, line in walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        # The virtual environment may be inside the project folder.
        if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
            place = f" in {path.relative_to(_ROOT)}:{line}"
    return f"{type(error).__name__}{place}"
