"""Reads a folder of automations, with the purposes and topics they refer to, from TOML."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from butler.automations.validation import Fault
from customers.actions.notices import NoticeText, PurposeText, TopicText

# The longest of ours is a twentieth of it.
SIZE = 200_000
# What reads TOML goes through a name from its first part for each of its parts.
_PARTS = 500
_NUL = ("\\u0000", "\\U00000000")


class AutomationFile(NamedTuple):
    """One automation as it was written: the name of its file and the content of that file."""

    name: str
    content: Mapping[str, Any]


class InvalidAutomations(Exception):
    """Automations cannot be loaded. `faults` lists every reason; nothing was stored."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        lines = (f"{fault.file}: {fault.field}: {fault.reason}" for fault in faults)
        super().__init__("\n".join(lines))
        self.faults = tuple(faults)


class Folder(NamedTuple):
    """What is in a folder, as it was written."""

    documents: tuple[AutomationFile, ...]
    purposes: tuple[PurposeText, ...]
    notices: tuple[NoticeText, ...]
    topics: tuple[TopicText, ...]


def read(path: Path) -> Folder:
    """Read a folder. Raises InvalidAutomations, with every file that cannot be read."""
    faults: list[Fault] = []
    found = dict(_files(path, faults))
    purposes, notices = _purposes(found.pop("purposes.toml", {}), faults)
    topics = _list("topics.toml", found.pop("topics.toml", {}), "topic", TopicText, faults)
    if faults:
        raise InvalidAutomations(faults)
    documents = tuple(AutomationFile(name, content) for name, content in found.items())
    return Folder(documents, tuple(purposes), tuple(notices), tuple(topics))


def _files(path: Path, faults: list[Fault]) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.is_dir():
        faults.append(Fault(str(path), "", "there is no such folder"))
    for file in sorted(path.glob("*.toml")):
        try:
            yield file.name, tomllib.loads(_text(file))
        except RecursionError:
            faults.append(Fault(file.name, "", "no TOML: too many things inside one another"))
        except (ValueError, OSError) as error:
            faults.append(Fault(file.name, "", f"no TOML: {error}"))


def _text(file: Path) -> str:
    """Read what may be looked at. Raises ValueError."""
    if not file.is_file() or file.stat().st_size > SIZE:
        raise ValueError(f"no file of at most {SIZE} bytes")
    text = file.read_text(encoding="utf-8")
    if any(line.count(".") > _PARTS for line in text.split("\n")):
        raise ValueError(f"a line with more than {_PARTS} points")
    if any(nul in text for nul in _NUL):
        raise ValueError("a text with NUL in it")
    return text


def _purposes(
    content: Mapping[str, Any], faults: list[Fault]
) -> tuple[list[PurposeText], list[NoticeText]]:
    """Read purposes; each may have the words that are shown when it is asked for beside it."""
    told = content.get("purpose", [])
    tables = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    if not isinstance(told, list) or len(tables) < len(told):
        faults.append(Fault("purposes.toml", "purpose", "each is a table: [[purpose]]"))
    notices = [
        {"purpose": one.get("key"), **one["notice"]}
        for one in tables
        if isinstance(one.get("notice"), dict)
    ]
    bare = [{k: v for k, v in one.items() if k != "notice"} for one in tables]
    return (
        _list("purposes.toml", {**content, "purpose": bare}, "purpose", PurposeText, faults),
        _list("purposes.toml", {"notice": notices}, "notice", NoticeText, faults),
    )


def _list[T](
    file: str, content: Mapping[str, Any], name: str, kind: type[T], faults: list[Fault]
) -> list[T]:
    faults += [Fault(file, other, "there is no such table") for other in content if other != name]
    found: list[T] = []
    told = content.get(name, [])
    if not isinstance(told, list):
        faults.append(Fault(file, name, f"each is a table: [[{name}]]"))
        return found
    for index, one in enumerate(told):
        try:
            found.append(msgspec.convert(one, kind))
        except msgspec.ValidationError as error:
            faults.append(Fault(file, f"{name}.{index}", str(error)))
    return found
