"""Named points at which tests can crash the process. Without a hook they have no effect.

A test sets a hook that raises an exception or ends the process. Then the test checks the
invariants (docs/invariants.md, 6).
"""

from collections.abc import Callable

type Hook = Callable[[str], None]

_hook: Hook | None = None


def failpoint(name: str) -> None:
    """Call the hook of a test, if one is set."""
    if _hook is not None:
        _hook(name)


def set_hook(hook: Hook | None) -> None:
    """Set the hook that all failpoints call; None removes it."""
    global _hook
    _hook = hook
