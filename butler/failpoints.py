"""Named points at which tests can crash the process. They do nothing otherwise.

Tests set a hook that raises an exception or ends the process, and check the invariants after it
(docs/invariants.md, 6).
"""

from collections.abc import Callable

type Hook = Callable[[str], None]

_hook: Hook | None = None


def failpoint(name: str) -> None:
    """Call the hook of a test, if one is set."""
    if _hook is not None:
        _hook(name)


def set_hook(hook: Hook | None) -> None:
    global _hook
    _hook = hook
