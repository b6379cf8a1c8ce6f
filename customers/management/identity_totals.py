"""Counts what `manage.py rebuild --identities` and `move_source` changed, or would change."""

from customers.identity.rebuilding import RebuiltBatch


class IdentityTotals:
    """The sums of batches. A dry run may find one record in two batches; it counts once."""

    def __init__(self) -> None:
        self._split: set[str] = set()
        self._joined: set[str] = set()
        self._links = 0
        self._changed = 0

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing changed."""
        return not (self._split or self._joined or self._links or self._changed)

    def add(self, batch: RebuiltBatch) -> list[str]:
        """Add a batch; return its lines that no earlier batch had."""
        split = [line for line in batch.split if line not in self._split]
        joined = [line for line in batch.joined if line not in self._joined]
        self._split.update(split)
        self._joined.update(joined)
        self._links += batch.links
        self._changed += batch.changed
        return split + joined

    def __str__(self) -> str:
        return (
            f"{len(self._split)} records split, {len(self._joined)} records join, "
            f"{self._links} links restored, {self._changed} identifiers and links change"
        )
