"""A stream stays open for minutes, so its modules do not use database connections of the ORM."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, files

# Views use these; everything else in the folder runs in the live processes.
OF_VIEWS = {"__init__", "api", "metrics", "openapi", "tickets"}
MODULES = [
    path
    for path in files("*.py")
    if path.parts[:2] == ("channels", "live") and path.stem not in OF_VIEWS
]


def test_the_modules_of_the_streams_are_found():
    assert {"asgi", "streams", "open_streams"} <= {path.stem for path in MODULES}


def test_streams_do_not_import_the_orm():
    assert [
        f"{path}: {name}"
        for path in MODULES
        for name in imports(path)
        if name.startswith("django.db") or name.endswith(".models")
    ] == []


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
