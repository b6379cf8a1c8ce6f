"""The staff tasks that a run creates. Pure."""

from datetime import datetime, timedelta

from butler.automations.run_state import RunSnapshot, StaffTaskDraft
from butler.document import AutomationDocument, MessageStep, TaskStep, step_at
from butler.due import civil_time
from butler.messages.render import choose_language
from butler.messages.sanitize import sanitize_values
from butler.messages.templating import InvalidTemplate, MissingValues, compile_template

# The time in which staff must pass on a message of a customer who prefers a person.
_HANDOVER_TIME = timedelta(hours=1)


def task_of_step(snapshot: RunSnapshot, step: TaskStep, path: str, now: datetime) -> StaffTaskDraft:
    """Return the staff task of a task step."""
    due_at = now + civil_time.parse_duration(step.within)
    title = _fill(step.title, snapshot) or _name(snapshot.document)
    return StaffTaskDraft(path, title, _fill(step.body, snapshot), due_at)


def task_of_message(
    snapshot: RunSnapshot, texts_step: str, path: str, language: str, now: datetime
) -> StaffTaskDraft:
    """Return a staff task with the text of a message, which staff pass on to the customer."""
    step = step_at(snapshot.document, texts_step)
    assert isinstance(step, MessageStep)
    text = step.texts[choose_language(step.texts, language)]
    title = _fill(text.subject, snapshot) or _name(snapshot.document)
    return StaffTaskDraft(path, title, _fill(text.text, snapshot), now + _HANDOVER_TIME)


def _fill(template: str, snapshot: RunSnapshot) -> str:
    """Return the rendered text for staff; empty if a value is missing."""
    customer = snapshot.context.get("customer", {})
    locale = {"language": "en", "zone": customer.get("zone", "")}
    try:
        return compile_template(template).fill({**sanitize_values(snapshot.context), **locale})
    except (InvalidTemplate, MissingValues):
        return ""


def _name(document: AutomationDocument) -> str:
    names = document.name
    return names.get("en") or next(iter(names.values()), document.key)
