"""Time for tests, in the place of a module's `time`."""


class Clock:
    """A clock that is set by hand, or by whoever sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
