"""The base of what can go wrong on a local machine in a way that its person can act on."""


class LocalFailure(RuntimeError):
    """The message says what happened and what to do; it holds no secret."""
