"""Names have a meaning, and the package name `channels` stays ours.

`python -m tests.architecture.test_names [FOLDER …]` lists the names that break the rules.
"""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

import pytest

from tests.architecture.tree import ROOT, files

# Words without a meaning for the value that they name.
EMPTY_WORDS = {
    *("one", "ones", "found", "said", "told", "wanted", "kept", "left", "asked", "given", "seen"),
    *("made", "gone", "done", "known", "meant", "taken", "held", "data", "info", "item", "obj"),
    *("res", "result", "tmp", "val", "thing"),
}
_ALIASES = (
    re.compile(r"\bAS\s+(?!MATERIALIZED\b)(\w+)", re.IGNORECASE),
    re.compile(r"(?:\bWITH|,)\s*(\w+)\s+AS\s+(?:MATERIALIZED\s+)?\(", re.IGNORECASE),
)
_RECORDSET = re.compile(r"_to_recordset\(.*?\)\s+AS\s+\w+\s*\((.*?)\)", re.DOTALL)
SAYS_NOTHING = {"common", "handlers", "helpers", "managers", "misc", "services", "signals", "utils"}


def test_django_channels_is_not_installed():
    """Our own channels/ would shadow it: whichever comes first on sys.path wins."""
    with pytest.raises(PackageNotFoundError):
        distribution("channels")


def test_channels_is_our_own_folder():
    assert list(find_spec("channels").submodule_search_locations) == [str(ROOT / "channels")]
    assert find_spec("channels.http") is None


def test_no_module_has_a_name_that_says_nothing():
    # deploy.local.services starts PostgreSQL and Valkey: those are services by name.
    nameless = [path for path in files("*.py") if path.stem in SAYS_NOTHING or _in_such(path)]

    assert nameless in ([], [ROOT.joinpath("deploy/local/services.py").relative_to(ROOT)])


def _in_such(path):
    return bool(SAYS_NOTHING & set(path.parts[:-1]))


def bindings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every name that a module chooses and binds, with its line."""
    hook_arguments = set(_hook_arguments(tree))
    for node in ast.walk(tree):
        name = _bound_name(node)
        if name and node not in hook_arguments:
            yield name, node.lineno


def _bound_name(node: ast.AST) -> str | None:
    """Return the name that a node binds, in any spelling; attributes only of the own object."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            return name
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
            return name
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return node.name
        case ast.alias():
            return node.asname
        case ast.MatchMapping():
            return node.rest
    return None


def _hook_arguments(tree: ast.AST) -> Iterator[ast.arg]:
    """Yield the arguments of pytest's hooks: pytest passes them by names that it chooses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("pytest_"):
            yield from node.args.args


def short_fields(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield fields of classes and keys of dictionaries that are one letter long."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield field.target.id, field.lineno
        elif isinstance(node, ast.Dict):
            for key in node.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, key.lineno


def empty_names(path) -> Iterator[str]:
    """Yield the names of a Python module that are empty words or single letters."""
    tree = ast.parse((ROOT / path).read_text())
    for name, line in bindings(tree):
        if name.strip("_").lower() in EMPTY_WORDS:
            yield f"{path}:{line}: {name}"
    if "tests" not in path.parts:
        for name, line in short_fields(tree):
            if len(name) == 1 and name.isalpha():
                yield f"{path}:{line}: {name}"


def empty_aliases(path) -> Iterator[str]:
    """Yield the names of a statement that are empty words or single letters."""
    lines = (ROOT / path).read_text().splitlines()
    text = "\n".join("" if line.startswith("--") else line for line in lines)
    names = [(match[1], match.start()) for alias in _ALIASES for match in alias.finditer(text)]
    for columns in _RECORDSET.finditer(text):
        names += [(column.split()[0], columns.start()) for column in columns[1].split(",")]
    for name, place in names:
        if name.lower() in EMPTY_WORDS or (len(name) == 1 and name.isalpha()):
            yield f"{path}:{text.count(chr(10), 0, place) + 1}: {name}"


def ours(pattern: str, folders: list[str]) -> Iterator[str]:
    check = empty_aliases if pattern == "*.sql" else empty_names
    for path in files(pattern):
        is_old = {"migrations", "vendor"} & set(path.parts)
        if not is_old and (not folders or str(path).startswith(tuple(folders))):
            yield from check(path)


@pytest.mark.parametrize("pattern", ["*.py", "*.sql"])
def test_names_say_what_they_hold(pattern):
    assert list(ours(pattern, [])) == []


@pytest.mark.parametrize(
    "text",
    [
        "KEPT = 1",
        "_DATA: int = 1",
        "class A:\n    SEEN = 'seen'",
        "class Found: ...",
        "def a(self):\n    self.found = 1",
        "def a(self):\n    self.page, self._left = 1, 2",
        "for self.one in ():\n    pass",
        "match a:\n    case [_, *found]:\n        pass",
    ],
)
def test_every_kind_of_binding_is_read(text):
    names = [name.strip("_").lower() for name, _ in bindings(ast.parse(text))]

    assert EMPTY_WORDS & set(names)


if __name__ == "__main__":
    for finding in [*ours("*.py", sys.argv[1:]), *ours("*.sql", sys.argv[1:])]:
        print(finding)
