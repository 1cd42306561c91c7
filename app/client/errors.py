"""The base of all errors that a user can act on."""


class UserError(RuntimeError):
    """The message says what happened and what to do, and holds no secret. Under --json the class's name is the code."""
