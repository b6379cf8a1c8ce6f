"""The error whose message the commands print for people."""


class SetupError(Exception):
    """A problem of this machine. Its message names a fix, and is printed without a traceback."""
