"""Validates one file: first its structure, then its content. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from butler.automations.validation.document import basis_problems, identity_problems
from butler.automations.validation.problems import AllowedReferences, FileProblem, Problems
from butler.automations.validation.sample_messages import sample_message_problems
from butler.automations.validation.steps import step_problems
from butler.automations.validation.triggers import trigger_problems
from butler.document import AutomationDocument, Step

_CHECKS = (
    identity_problems,
    basis_problems,
    trigger_problems,
    step_problems,
    sample_message_problems,
)


def validate_file(
    file: str, content: Mapping[str, Any], allowed: AllowedReferences
) -> tuple[AutomationDocument | None, list[FileProblem]]:
    """Return the automation of a file, or None if its structure is invalid, and all problems.

    The content is checked only if the structure is valid.
    """
    problems = list(_structure_problems(content))
    document = None
    if not problems:
        document = msgspec.convert(content, AutomationDocument)
        problems = [problem for find in _CHECKS for problem in find(document, allowed)]
        if not file.startswith(f"{document.key}."):
            problems.append(("key", f"the file of this key must be called {document.key}.toml"))
    return document, [FileProblem(file, field, reason) for field, reason in dict.fromkeys(problems)]


def _structure_problems(content: Mapping[str, Any]) -> Problems:
    """Convert each field separately, so that one error does not hide the others."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(AutomationDocument)}
    yield from ((name, "there is no such field") for name in content if name not in fields)
    for name, field in fields.items():
        if name not in content:
            if field.required:
                yield name, "is missing"
        elif name == "steps" and isinstance(content[name], list):
            for index, step in enumerate(content[name]):
                yield from _conversion_problem(f"steps.{index}", step, Step)
        else:
            yield from _conversion_problem(name, content[name], field.type)


def _conversion_problem(name: str, value: object, kind: Any) -> Problems:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        inner_path = path.removesuffix("`").replace("[...]", "").replace("[", ".").replace("]", "")
        yield f"{name}{inner_path}", reason
