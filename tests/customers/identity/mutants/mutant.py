"""A mutant: a rule of who is who, switched off by a small change of its source."""

import ast
import builtins
import dis
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from customers.identity.short_text_cache import ShortTextCache

ROOT = Path(__file__).parents[4]
_RULES = ROOT / "customers" / "identity"
# Statements that give one thing a name.
_NAMED = ast.FunctionDef | ast.ClassDef | ast.Assign
_PACKAGE = "customers.identity."
_TESTS = Path("tests/customers/identity")


class Mutant(NamedTuple):
    """A change of one module of customers.identity, and the tests that must fail with it."""

    # A sentence of docs/reference/identity.md that does not hold with the change.
    rule: str
    module: str
    # The text occurs once in the module.
    old: str
    new: str
    # A file and a test each, such as "test_spaces::test_equal_numbers".
    tests: tuple[str, ...]

    @property
    def function(self) -> str:
        """The name of the changed function, method or constant: "module.Class.method"."""
        return f"{self.module}.{'.'.join(node_name(node) for node in self._path())}"

    def source(self) -> str:
        """Return the changed source of the module."""
        source = source_of(self.module)
        assert source.count(self.old) == 1, f"{self.module} has not exactly one: {self.old}"
        return source.replace(self.old, self.new)

    def _path(self) -> list[ast.stmt]:
        """Return the statements of the source around the change, the outer one first."""
        source = source_of(self.module)
        line = source[: source.index(self.old)].count("\n") + 1
        line += len(self.old) - len(self.old.lstrip("\n"))
        path: list[ast.stmt] = []
        body = ast.parse(source).body
        while containing := [
            node for node in body if _first_line(node) <= line <= _last_line(node)
        ]:
            node = containing[-1]
            path.append(node)
            body = node.body if isinstance(node, ast.ClassDef) else []
        return path

    def apply(self) -> None:
        """Change the module in this process. All who imported its functions get the change."""
        module = import_module(_PACKAGE + self.module)
        name = node_name(self._path()[0])
        [changed] = [
            node
            for node in ast.parse(self.source()).body
            if isinstance(node, _NAMED) and node_name(node) == name
        ]
        namespace = dict(vars(module))
        code = compile(ast.Module([changed], []), module.__file__ or "", "exec")
        exec(code, namespace)
        if not isinstance(changed, ast.FunctionDef | ast.ClassDef):
            setattr(module, name, namespace[name])
        else:
            _change_code(getattr(module, name), namespace[name])
        forget_results()


def test_id(name: str) -> str:
    """Return the id of a test as pytest takes it."""
    file, _, test = name.partition("::")
    return f"{_TESTS / file}.py::{test}"


test_id.__test__ = False  # type: ignore[attr-defined]


@cache
def source_of(module: str) -> str:
    """Return the source of a module of customers.identity."""
    return (_RULES / f"{module}.py").read_text(encoding="utf-8")


def functions_of(module: str) -> Iterator[str]:
    """Yield the names of the functions and methods of a module: "module.Class.method"."""
    for node in ast.parse(source_of(module)).body:
        if isinstance(node, ast.FunctionDef):
            yield f"{module}.{node.name}"
        if isinstance(node, ast.ClassDef):
            methods = (part for part in node.body if isinstance(part, ast.FunctionDef))
            yield from (f"{module}.{node.name}.{method.name}" for method in methods)


def node_name(node: ast.stmt) -> str:
    """Return the name of a function, a class or a constant; empty for other statements."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    [target] = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return target.id if isinstance(target, ast.Name) else ""


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _change_code(original: Any, changed: Any) -> None:
    """Give a function, or the functions of a class, the changed code."""
    original, changed = (_function(value) for value in (original, changed))
    if isinstance(original, FunctionType):
        unknown = _global_names(changed) - changed.__globals__.keys() - vars(builtins).keys()
        assert not unknown, f"the module does not have {unknown}"
        original.__code__ = changed.__code__
        original.__defaults__, original.__kwdefaults__ = (
            changed.__defaults__,
            changed.__kwdefaults__,
        )
    elif isinstance(original, type):
        for name, value in vars(changed).items():
            if isinstance(_function(value), FunctionType):
                _change_code(vars(original)[name], value)


def _global_names(function: FunctionType) -> set[str]:
    """Return the names that a function takes from its module."""
    codes = [function.__code__]
    for code in codes:
        codes += [const for const in code.co_consts if isinstance(const, CodeType)]
    instructions = [step for code in codes for step in dis.get_instructions(code)]
    return {step.argval for step in instructions if step.opname == "LOAD_GLOBAL"}


def _function(value: Any) -> Any:
    """Return the function in a property or behind a cache."""
    value = value.fget if isinstance(value, property) else value
    return getattr(value, "__wrapped__", value)


def forget_results() -> None:
    """Empty the caches of the rules."""
    modules = [module for name, module in sys.modules.items() if name.startswith(_PACKAGE)]
    for value in [value for module in modules for value in vars(module).values()]:
        if hasattr(value, "cache_clear"):
            value.cache_clear()
        elif isinstance(value, ShortTextCache):
            value.clear()
