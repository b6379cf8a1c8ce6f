"""A cache of values that Butler computes from texts of senders, such as their identifiers."""

# Senders choose the texts, so the cache keeps short ones only: 10,000 of them take some 10 MB.
_MAX_LENGTH = 200
_MAX_VALUES = 10_000


class ShortTextCache[K, V](dict[K, V]):
    """The values of a pure function by its arguments. Read it with `get`, fill it with `store`.

    Each value must follow from its key alone, so that no value ever becomes wrong.
    """

    def store(self, key: K, value: V, *, length: int) -> V:
        """Store the value of a key, unless its texts are long, and return the value.

        length: the number of characters of all texts in the key
        """
        if length <= _MAX_LENGTH:
            # Simpler than to find the oldest value, and as fast: most values are soon back.
            if len(self) >= _MAX_VALUES:
                self.clear()
            self[key] = value
        return value
