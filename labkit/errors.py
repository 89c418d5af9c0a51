"""The one kind of error that is told in a line: what is wrong and what to do about it."""


class LabbookError(Exception):
    """A user's mistake or a circumstance, not a fault of this program; its text is one clear line."""
