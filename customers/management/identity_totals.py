"""Counts what `manage.py rebuild --identities` and `move_source` changed, or would change."""

from customers.identity.rebuilding import RebuiltBatch


class IdentityTotals:
    """The sums of batches. A dry run may find one record in two batches; it counts once."""

    def __init__(self) -> None:
        self._parted: set[str] = set()
        self._joined: set[str] = set()
        self._links = 0
        self._changed = 0

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing changed."""
        return not (self._parted or self._joined or self._links or self._changed)

    def add(self, batch: RebuiltBatch) -> list[str]:
        """Add a batch; return its lines that no earlier batch had."""
        parted = [line for line in batch.parted if line not in self._parted]
        joined = [line for line in batch.joined if line not in self._joined]
        self._parted.update(parted)
        self._joined.update(joined)
        self._links += batch.links
        self._changed += batch.changed
        return parted + joined

    def __str__(self) -> str:
        return (
            f"{len(self._parted)} records part, {len(self._joined)} records join, "
            f"{self._links} links drawn, {self._changed} identifiers and links change"
        )
