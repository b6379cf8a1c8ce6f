"""Reads a folder of automations, with the purposes and topics they refer to, from TOML."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from butler.automations.validation.problems import FileProblem
from customers.actions.notices import NoticeText, PurposeText, TopicText

# The limit is about twenty times the size of our longest file.
MAX_SIZE = 200_000
# The time of the TOML parser grows with the square of the parts of a dotted key.
_MAX_KEY_PARTS = 500
_NUL = ("\\u0000", "\\U00000000")


class AutomationFile(NamedTuple):
    """The file of one automation: its name and its content."""

    name: str
    content: Mapping[str, Any]


class InvalidAutomations(Exception):
    """Automations cannot be loaded. `problems` lists all reasons; no row was stored."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        lines = (f"{problem.file}: {problem.field}: {problem.reason}" for problem in problems)
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)


class AutomationFolder(NamedTuple):
    """The content of the files in a folder."""

    files: tuple[AutomationFile, ...]
    purposes: tuple[PurposeText, ...]
    notices: tuple[NoticeText, ...]
    topics: tuple[TopicText, ...]


def read_folder(path: Path) -> AutomationFolder:
    """Read a folder. Raises InvalidAutomations with the problems of all unreadable files."""
    problems: list[FileProblem] = []
    contents = dict(_files(path, problems))
    purposes, notices = _purposes(contents.pop("purposes.toml", {}), problems)
    topics = _tables("topics.toml", contents.pop("topics.toml", {}), "topic", TopicText, problems)
    if problems:
        raise InvalidAutomations(problems)
    files = tuple(AutomationFile(name, content) for name, content in contents.items())
    return AutomationFolder(files, tuple(purposes), tuple(notices), tuple(topics))


def _files(path: Path, problems: list[FileProblem]) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.is_dir():
        problems.append(FileProblem(str(path), "", "there is no such folder"))
    for file in sorted(path.glob("*.toml")):
        try:
            yield file.name, tomllib.loads(_text(file))
        except RecursionError:
            problems.append(
                FileProblem(file.name, "", "is not TOML: tables or arrays are nested too deep")
            )
        except (ValueError, OSError) as error:
            problems.append(FileProblem(file.name, "", f"is not TOML: {error}"))


def _text(file: Path) -> str:
    """Return the text of a file that is within the limits. Raises ValueError."""
    if not file.is_file() or file.stat().st_size > MAX_SIZE:
        raise ValueError(f"must be a file of at most {MAX_SIZE} bytes")
    text = file.read_text(encoding="utf-8")
    if any(line.count(".") > _MAX_KEY_PARTS for line in text.split("\n")):
        raise ValueError(f"a line has more than {_MAX_KEY_PARTS} dots")
    if any(nul in text for nul in _NUL):
        raise ValueError("a text contains a NUL character")
    return text


def _purposes(
    content: Mapping[str, Any], problems: list[FileProblem]
) -> tuple[list[PurposeText], list[NoticeText]]:
    """Return the purposes and their notices; a purpose can contain its consent notice."""
    purposes = content.get("purpose", [])
    is_list = isinstance(purposes, list)
    tables = [table for table in purposes if isinstance(table, dict)] if is_list else []
    if not is_list or len(tables) < len(purposes):
        problems.append(
            FileProblem("purposes.toml", "purpose", "must be a list of tables: [[purpose]]")
        )
    notices = [
        {"purpose": table.get("key"), **table["notice"]}
        for table in tables
        if isinstance(table.get("notice"), dict)
    ]
    bare = [{name: value for name, value in table.items() if name != "notice"} for table in tables]
    return (
        _tables("purposes.toml", {**content, "purpose": bare}, "purpose", PurposeText, problems),
        _tables("purposes.toml", {"notice": notices}, "notice", NoticeText, problems),
    )


def _tables[T](
    file: str, content: Mapping[str, Any], name: str, kind: type[T], problems: list[FileProblem]
) -> list[T]:
    problems += [
        FileProblem(file, other, "there is no such table") for other in content if other != name
    ]
    converted: list[T] = []
    tables = content.get(name, [])
    if not isinstance(tables, list):
        problems.append(FileProblem(file, name, f"must be a list of tables: [[{name}]]"))
        return converted
    for index, table in enumerate(tables):
        try:
            converted.append(msgspec.convert(table, kind))
        except msgspec.ValidationError as error:
            problems.append(FileProblem(file, f"{name}.{index}", str(error)))
    return converted
