"""Tasks for colleagues: what a run hands over to a person. Pure."""

from datetime import datetime, timedelta

from butler.automations.run_state import RunSnapshot, StaffTaskDraft
from butler.document import AutomationDocument, MessageStep, TaskStep, step_at
from butler.due import civil_time
from butler.messages.render import choose_language
from butler.messages.sanitize import sanitize_values
from butler.messages.templating import InvalidTemplate, MissingValues, compile_template

# How soon a colleague has to pass on a message that the butler may not send.
_HANDOVER_TIME = timedelta(hours=1)


def task_of_step(snapshot: RunSnapshot, step: TaskStep, path: str, now: datetime) -> StaffTaskDraft:
    """Return the task that a step of an automation asks for."""
    due_at = now + civil_time.parse_length(step.within)
    title = _fill(step.title, snapshot) or _name(snapshot.document)
    return StaffTaskDraft(path, title, _fill(step.body, snapshot), due_at)


def task_of_message(
    snapshot: RunSnapshot, texts_step: str, path: str, language: str, now: datetime
) -> StaffTaskDraft:
    """Return a task with the text of a message, for a colleague to pass on."""
    step = step_at(snapshot.document, texts_step)
    assert isinstance(step, MessageStep)
    text = step.texts[choose_language(step.texts, language)]
    title = _fill(text.subject, snapshot) or _name(snapshot.document)
    return StaffTaskDraft(path, title, _fill(text.text, snapshot), now + _HANDOVER_TIME)


def _fill(template: str, snapshot: RunSnapshot) -> str:
    """Return a filled text for a colleague; empty where a value is missing."""
    customer = snapshot.context.get("customer", {})
    locale = {"language": "en", "zone": customer.get("zone", "")}
    try:
        return compile_template(template).fill({**sanitize_values(snapshot.context), **locale})
    except (InvalidTemplate, MissingValues):
        return ""


def _name(document: AutomationDocument) -> str:
    names = document.name
    return names.get("en") or next(iter(names.values()), document.key)
