"""The state, the memory and the progress of a run. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from butler.document import AutomationDocument
from butler.types import Contact, Facts, Gate

# The step of a run that gathers events, or waits for the absence of an event.
BEFORE_FIRST_STEP = ""


class RunMemory(msgspec.Struct, omit_defaults=True):
    """The values that a run keeps while it waits, stored as the facts of its due row."""

    # The step that the run has entered but not finished: a wait, or a message with open channels.
    entered: str = ""
    # The end of that wait.
    until: datetime | None = None
    # The end of the last wait. The expiry of messages counts from this time.
    since: datetime | None = None
    # The channels on which the message step has not decided yet.
    pending_channels: tuple[str, ...] = ()
    # The step with the texts of the last message, and the channels of that message so far.
    last_message_step: str = ""
    used_channels: tuple[str, ...] = ()


class RunSnapshot(msgspec.Struct):
    """The current state of one run, with its context and its facts."""

    id: UUID
    automation: str
    document: AutomationDocument
    cause: Mapping[str, Any]
    occurred_at: datetime
    step: str
    due_at: datetime
    memory: RunMemory
    context: Mapping[str, Any]
    facts: Facts
    # Whether the awaited event is on the log, and whether a message of the run was seen.
    has_awaited_event: bool = False
    is_message_seen: bool = False


class MessageDraft(msgspec.Struct):
    """A message to be queued."""

    channel: str
    step: str
    # The step with the texts. A next_channel step uses the texts of the message before it.
    texts_step: str
    contact: Contact
    language: str


class StaffTaskDraft(msgspec.Struct):
    """A task for a colleague, to be created."""

    step: str
    title: str
    body: str
    due_at: datetime


class RunDecision(msgspec.Struct):
    """A decision to be stored, with the message or the task that it leads to."""

    outcome: Literal["send", "defer", "skip", "person"]
    code: str
    contact: Contact
    gates: Sequence[Gate]
    until: datetime | None = None
    rules_version: str = ""
    message: MessageDraft | None = None
    task: StaffTaskDraft | None = None


class WaitingState(msgspec.Struct):
    """The run waits at a step until a time, or until the awaited event comes."""

    step: str
    due_at: datetime
    memory: RunMemory
    awaited: str = ""
    awaited_about: str = ""


class EndedState(msgspec.Struct):
    """The run is over."""

    status: Literal["completed", "cancelled"]
    reason: str = ""


class RunProgress(msgspec.Struct):
    """The decisions of one interpretation of a run, and its new state."""

    decisions: Sequence[RunDecision]
    state: WaitingState | EndedState
