"""A stream lives for minutes: it must not hold, or even reach for, the ORM's connections."""

import ast

import pytest

from tests.architecture.tree import ROOT, files

# Tickets and metrics are used by views as well.
ASYNC = ("access", "asgi", "frames", "hub", "limits", "logs", "streams")
MODULES = [
    path for path in files("*.py") if path.parts[:2] == ("channels", "live") and path.stem in ASYNC
]


def test_the_streams_are_where_they_are_looked_for():
    assert {"asgi", "streams"} <= {path.stem for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_stream_does_not_import_the_orm(path):
    tree = ast.parse((ROOT / path).read_text())
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert not {name for name in imported if name.startswith("django.db")}
    assert not {name for name in imported if name.endswith(".models")}
