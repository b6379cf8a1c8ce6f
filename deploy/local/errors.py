"""The one error that a person is meant to read."""


class SetupError(Exception):
    """Says what cannot be done here and the remedy; shown as it is, without a traceback."""
