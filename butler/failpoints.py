"""Named places where a crash would hurt most. Nothing happens there but in tests.

Tests put a hook in that raises what nobody catches, or ends the process; what is found
afterwards has to add up (docs/invariants.md, 6).
"""

from collections.abc import Callable

type Hook = Callable[[str], None]

_hook: Hook | None = None


def failpoint(name: str) -> None:
    """Let a test end the world here."""
    if _hook is not None:
        _hook(name)


def set_hook(hook: Hook | None) -> None:
    global _hook
    _hook = hook
