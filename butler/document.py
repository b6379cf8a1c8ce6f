"""The document of an automation: the structure of its file. Pure."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from butler.types import MessageClass
from customers.projections.event_names import canonical_name

# A text by language: {"en": "...", "nl": "..."}.
type Translations = dict[str, str]


class _DocumentPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a document; an unknown field is an error."""


def _spell_names(part: msgspec.Struct, *fields: str) -> None:
    """Spell the names of events as the log does: "order completed" is "Order Completed"."""
    for field in fields:
        msgspec.structs.force_setattr(part, field, canonical_name(getattr(part, field)))


class OnEvent(_DocumentPart, frozen=True, tag="event", tag_field="kind"):
    """Starts a run for each event with this name.

    With `gather`, one run collects the events of a customer: for a length of time after the first
    event ("30m", "2h"), or until a local time of the customer ("18:00").
    """

    event: str
    gather: str = ""

    def __post_init__(self) -> None:
        _spell_names(self, "event")


class OnAbsence(_DocumentPart, frozen=True, tag="absence", tag_field="kind"):
    """Starts a run if `absent` does not follow `event` within a time ("90m", "2h", "3d")."""

    event: str
    absent: str
    within: str
    # "about": the absent event must have the same subject as the first, such as the same order.
    same: Literal["customer", "about"] = "customer"

    def __post_init__(self) -> None:
        _spell_names(self, "event", "absent")


class OnDate(_DocumentPart, frozen=True, tag="date", tag_field="kind"):
    """Starts a run `days_before` a date on the record, at a local time of the customer."""

    # "order.visit_date"; "member.birth_date" and "trait.<name>", which repeat each year.
    date: str
    at: str
    days_before: int = 0


class OnSchedule(_DocumentPart, frozen=True, tag="schedule", tag_field="kind"):
    """Starts runs on these weekdays (ISO, 1 is Monday) or dates, at each customer's local time."""

    at: str
    audience: str
    days: tuple[int, ...] = ()
    dates: tuple[str, ...] = ()


class OnTopic(_DocumentPart, frozen=True, tag="topic", tag_field="kind"):
    """Starts runs when a topic changes to a status, such as "ride:*" to "down"."""

    topic: str
    status: str
    audience: str

    def matches(self, key: str) -> bool:
        """Return whether the trigger has this topic key, or a pattern such as "ride:*" for it."""
        prefix = self.topic.removesuffix("*")
        return key == prefix if prefix == self.topic else key.startswith(prefix)


type Trigger = OnEvent | OnAbsence | OnDate | OnSchedule | OnTopic


class MessageText(_DocumentPart, frozen=True):
    """The Liquid templates of a message in one language; `short` is for SMS.

    `mjml` replaces the default e-mail layout.
    """

    subject: str
    text: str
    short: str = ""
    mjml: str = ""
    # The label of a button, and the path of the page on our own site that it opens.
    action: str = ""
    path: str = ""


class MessageStep(_DocumentPart, frozen=True, tag="message", tag_field="kind"):
    """Sends a message through the first allowed of these channels."""

    channels: tuple[str, ...]
    texts: dict[str, MessageText]
    # True: through every allowed channel instead of the first one.
    every: bool = False


class WaitStep(_DocumentPart, frozen=True, tag="wait", tag_field="kind"):
    """Waits for a length of time ("2h"), or until a local time of the customer ("09:00")."""

    length: str = ""
    until: str = ""


class WaitForStep(_DocumentPart, frozen=True, tag="wait_for", tag_field="kind"):
    """Waits for an event. If it arrives within the time, `then` runs, else `otherwise`."""

    event: str
    within: str
    same: Literal["customer", "about"] = "customer"
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()

    def __post_init__(self) -> None:
        _spell_names(self, "event")


class BranchStep(_DocumentPart, frozen=True, tag="branch", tag_field="kind"):
    """Runs `then` if a CEL condition over the values of the context is true, else `otherwise`."""

    when: str
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


class NextChannelStep(_DocumentPart, frozen=True, tag="next_channel", tag_field="kind"):
    """Sends the last message through the next channel if the customer has not seen it in time."""

    within: str
    channels: tuple[str, ...]


class TaskStep(_DocumentPart, frozen=True, tag="task", tag_field="kind"):
    """Creates a staff task."""

    title: str
    body: str = ""
    within: str = "1h"


# The fields of a step that contain steps.
BRANCHES = ("then", "otherwise")

type Step = MessageStep | WaitStep | WaitForStep | BranchStep | NextChannelStep | TaskStep


class AutomationDocument(_DocumentPart, frozen=True):
    """One version of an automation: the content of its file."""

    key: str
    # The name that customers read, such as "Reminder of your visit".
    name: Translations
    trigger: Trigger
    steps: tuple[Step, ...]
    # The message class. A message with parts of several classes has the strictest one.
    message_class: MessageClass = msgspec.field(name="class")
    topic: str
    # The time after the cause in which a message may be sent. Late events start no run.
    expires: str
    purpose: str = ""
    # The relation that permits a service message: "order", "visit" or "request". The cause of the
    # run names the order, visit or request.
    relation: str = ""
    # A CEL condition. The run is cancelled if it is not true. Empty: always true.
    condition: str = ""
    # The key of the occasion: one run per event, per subject, per customer or per day.
    once_per: Literal["event", "about", "customer", "day"] = "event"
    priority: int = 5
    # In quiet hours: "defer" waits until they end, "skip" sends no message.
    quiet: Literal["defer", "skip"] = "defer"
    # The languages of the texts. Empty: all languages of Butler.
    languages: tuple[str, ...] = ()


def step_at(document: AutomationDocument, path: str) -> Step:
    """Return the step at a path such as "0" or "1.then.0"; raise LookupError if there is none."""
    index, *rest = path.split(".")
    step = document.steps[int(index)]
    for branch, position in zip(rest[::2], rest[1::2], strict=True):
        if branch not in BRANCHES:
            raise LookupError(path)
        step = getattr(step, branch, ())[int(position)]
    return step


def steps_with_paths(steps: tuple[Step, ...], parent: str = "") -> Iterator[tuple[str, Step]]:
    """Yield every step with its path, in the order in which they are written."""
    for index, step in enumerate(steps):
        path = f"{parent}{index}"
        yield path, step
        for branch in BRANCHES:
            yield from steps_with_paths(getattr(step, branch, ()), f"{path}.{branch}.")


def next_step_path(document: AutomationDocument, path: str) -> str | None:
    """Return the path of the following step, or None.

    At the end of a branch it is the step after the one that contains the branch.
    """
    while path:
        outer, _, index = path.rpartition(".")
        neighbor = f"{outer}.{int(index) + 1}" if outer else str(int(index) + 1)
        if _exists(document, neighbor):
            return neighbor
        # "1.then" is inside "1".
        path = outer.rpartition(".")[0]
    return None


def branch_path(document: AutomationDocument, path: str, branch: str) -> str | None:
    """Return the path of the first step of a branch, or of the next step if it is empty."""
    first = f"{path}.{branch}.0"
    return first if _exists(document, first) else next_step_path(document, path)


def _exists(document: AutomationDocument, path: str) -> bool:
    try:
        step_at(document, path)
    except LookupError:
        return False
    return True
