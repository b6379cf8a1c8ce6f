"""The state of a run, what it remembers, and what taking it on comes to: frozen values. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from butler.document import AutomationDocument
from butler.types import Contact, Facts, Gate

# The step of a run that has not begun: it gathers, or waits for an event not to happen.
BEFORE_FIRST_STEP = ""


class RunMemory(msgspec.Struct, omit_defaults=True):
    """What a run remembers while it waits; the facts of its due row."""

    # The step that it is in the middle of: a wait, or a message with channels still to decide.
    entered: str = ""
    # When that wait is over.
    until: datetime | None = None
    # The cause of what is sent now: the end of the last wait.
    since: datetime | None = None
    # Channels of a message in several that are still to be decided.
    pending_channels: tuple[str, ...] = ()
    # The step with the texts of the last message, and the channels that it was queued for.
    last_message_step: str = ""
    used_channels: tuple[str, ...] = ()


class RunSnapshot(msgspec.Struct):
    """One run as it is now, and what was read for it."""

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
    # Whether the awaited event came, and whether the last message was seen.
    has_awaited_event: bool = False
    is_message_seen: bool = False


class MessageDraft(msgspec.Struct):
    """A message to be queued."""

    channel: str
    step: str
    # The step with the texts: for the next channel, that of the message before.
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

    status: Literal["done", "cancelled"]
    reason: str = ""


class RunProgress(msgspec.Struct):
    """What taking a run on came to: decisions, and the state it is in now."""

    decisions: Sequence[RunDecision]
    state: WaitingState | EndedState
