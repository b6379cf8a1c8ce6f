"""Validates the steps of an automation. Pure."""

from collections.abc import Callable

from butler.automations.validation.problems import (
    AllowedReferences,
    Problems,
    condition_problem,
    parse_problem,
    required_languages,
)
from butler.automations.validation.texts import template_problems, text_problems
from butler.document import (
    AutomationDocument,
    BranchStep,
    MessageStep,
    NextChannelStep,
    TaskStep,
    WaitForStep,
    WaitStep,
    steps_with_paths,
)
from butler.due import civil_time

MAX_STEPS = 40
MAX_DEPTH = 4


def step_problems(document: AutomationDocument, allowed: AllowedReferences) -> Problems:
    """Check the number, the nesting and the content of the steps."""
    steps = list(steps_with_paths(document.steps))
    if not any(isinstance(step, MessageStep | TaskStep) for _, step in steps):
        yield "steps", "there is no message and no task"
    if len(steps) > MAX_STEPS:
        yield "steps", f"there are more than {MAX_STEPS} steps"
    for path, step in steps:
        if path.count(".") > 2 * MAX_DEPTH:
            yield f"steps.{path}", f"the step is nested in more than {MAX_DEPTH} other steps"
        find = _STEP_CHECKS[type(step)]
        yield from (
            (f"steps.{path}.{field}", reason) for field, reason in find(step, document, allowed)
        )
    has_message = False
    for path, step in steps:
        if isinstance(step, NextChannelStep) and not has_message:
            yield f"steps.{path}", "there is no message before this step"
        has_message = has_message or isinstance(step, MessageStep)


def _message(
    step: MessageStep, document: AutomationDocument, allowed: AllowedReferences
) -> Problems:
    yield from _channels(step.channels, allowed)
    languages = required_languages(document)
    for language in languages:
        if language not in step.texts:
            yield f"texts.{language}", "is missing"
    for language, text in step.texts.items():
        if language not in languages:
            yield f"texts.{language}", f"is not one of {', '.join(languages)}"
        yield from (
            (f"texts.{language}.{field}", reason) for field, reason in text_problems(text, step)
        )


def _channels(channels: tuple[str, ...], allowed: AllowedReferences) -> Problems:
    if not channels or len(set(channels)) != len(channels):
        yield "channels", "must have at least one channel, and each channel once"
    for channel in channels:
        if channel not in allowed.channels:
            yield "channels", f"{channel} is not one of {', '.join(sorted(allowed.channels))}"


def _wait(step: WaitStep, document: AutomationDocument, allowed: AllowedReferences) -> Problems:
    if bool(step.length) == bool(step.until):
        yield "length", "must have either a length of time (length) or a time of day (until)"
    elif step.length:
        yield from parse_problem("length", step.length, civil_time.parse_duration)
    else:
        yield from parse_problem("until", step.until, civil_time.parse_clock)


def _wait_for(
    step: WaitForStep, document: AutomationDocument, allowed: AllowedReferences
) -> Problems:
    if not step.event.strip():
        yield "event", "is missing"
    yield from parse_problem("within", step.within, civil_time.parse_duration)


def _branch(step: BranchStep, document: AutomationDocument, allowed: AllowedReferences) -> Problems:
    yield from condition_problem("when", step.when)


def _next_channel(
    step: NextChannelStep, document: AutomationDocument, allowed: AllowedReferences
) -> Problems:
    yield from parse_problem("within", step.within, civil_time.parse_duration)
    yield from _channels(step.channels, allowed)


def _task(step: TaskStep, document: AutomationDocument, allowed: AllowedReferences) -> Problems:
    if not step.title.strip():
        yield "title", "is missing"
    yield from parse_problem("within", step.within, civil_time.parse_duration)
    for field in ("title", "body"):
        yield from template_problems(field, getattr(step, field))


_STEP_CHECKS: dict[type, Callable[..., Problems]] = {
    MessageStep: _message,
    WaitStep: _wait,
    WaitForStep: _wait_for,
    BranchStep: _branch,
    NextChannelStep: _next_channel,
    TaskStep: _task,
}
