"""Reads a folder of automations, with the purposes and topics they refer to, from TOML."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from butler.actions.automations import Faulty, File
from butler.checking import Fault
from customers.actions.notices import NoticeText, PurposeText, TopicText


class Folder(NamedTuple):
    """What is in a folder, as it was written."""

    documents: tuple[File, ...]
    purposes: tuple[PurposeText, ...]
    notices: tuple[NoticeText, ...]
    topics: tuple[TopicText, ...]


def read(path: Path) -> Folder:
    """Read a folder. Raises Faulty, with every file that cannot be read."""
    faults: list[Fault] = []
    found = dict(_files(path, faults))
    purposes, notices = _purposes(found.pop("purposes.toml", {}), faults)
    topics = _list("topics.toml", found.pop("topics.toml", {}), "topic", TopicText, faults)
    if faults:
        raise Faulty(faults)
    documents = tuple(File(name, content) for name, content in found.items())
    return Folder(documents, tuple(purposes), tuple(notices), tuple(topics))


def _files(path: Path, faults: list[Fault]) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.is_dir():
        faults.append(Fault(str(path), "", "there is no such folder"))
    for file in sorted(path.glob("*.toml")):
        try:
            yield file.name, tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            faults.append(Fault(file.name, "", f"no TOML: {error}"))


def _purposes(
    content: Mapping[str, Any], faults: list[Fault]
) -> tuple[list[PurposeText], list[NoticeText]]:
    """Read purposes; each may have the words that are shown when it is asked for beside it."""
    told = content.get("purpose", [])
    notices = [
        {"purpose": one.get("key"), **one["notice"]}
        for one in told
        if isinstance(one, dict) and isinstance(one.get("notice"), dict)
    ]
    bare = [{k: v for k, v in one.items() if k != "notice"} for one in told]
    return (
        _list("purposes.toml", {**content, "purpose": bare}, "purpose", PurposeText, faults),
        _list("purposes.toml", {"notice": notices}, "notice", NoticeText, faults),
    )


def _list[T](
    file: str, content: Mapping[str, Any], name: str, kind: type[T], faults: list[Fault]
) -> list[T]:
    faults += [Fault(file, other, "there is no such table") for other in content if other != name]
    found = []
    for index, one in enumerate(content.get(name, [])):
        try:
            found.append(msgspec.convert(one, kind))
        except msgspec.ValidationError as error:
            faults.append(Fault(file, f"{name}.{index}", str(error)))
    return found
