"""The open streams by the customer that they follow, and the known versions of those customers."""

from collections.abc import Iterator

from channels.live.streams import Stream


class Followers:
    """A registry of the streams of each customer, and of the highest known version of its log."""

    def __init__(self) -> None:
        self._streams: dict[str, set[Stream]] = {}
        self._known_versions: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._streams.values()))

    def __iter__(self) -> Iterator[Stream]:
        """Iterate over a copy, because streams may open and close during the iteration."""
        return iter([stream for streams in self._streams.values() for stream in streams])

    def of_customer(self, customer_id: str) -> frozenset[Stream]:
        """Return the streams that follow the customer, as a copy."""
        return frozenset(self._streams.get(customer_id, ()))

    def add(self, stream: Stream, *, customer_version: int) -> None:
        """Add a stream, and raise the known version of its customer if this one is higher."""
        self._streams.setdefault(stream.customer_id, set()).add(stream)
        self._known_versions[stream.customer_id] = max(
            customer_version, self.known_version(stream.customer_id)
        )

    def discard(self, stream: Stream) -> None:
        """Remove a stream; after the last one, remove its customer's known version too."""
        streams = self._streams.get(stream.customer_id, set())
        streams.discard(stream)
        if not streams:
            self._streams.pop(stream.customer_id, None)
            self._known_versions.pop(stream.customer_id, None)

    def known_version(self, customer_id: str) -> int:
        """Return the highest known version; 0 if no stream follows the customer."""
        return self._known_versions.get(customer_id, 0)

    def raise_known_version(self, customer_id: str, version: int) -> bool:
        """Store a version if it is higher than the known one of a followed customer.

        Returns whether it is higher.
        """
        is_higher = version > self._known_versions.get(customer_id, version)
        if is_higher:
            self._known_versions[customer_id] = version
        return is_higher

    def correct_known_version(self, stream: Stream) -> None:
        """Set the known version of the stream's customer to the last version that exists."""
        self._known_versions[stream.customer_id] = stream.version
