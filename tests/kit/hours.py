"""A clock that a test moves by hand: wall and steady go together unless it is told otherwise."""

from remit.control.authority import Clock

START = 1_790_000_000_000


class Still(Clock):
    """A clock that only the test moves, though the store may have one of its own."""

    def hear(self, at: int | None) -> None:
        """Leave the store's clock unheard."""


class Hours:
    """Milliseconds; starts at a whole second."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 1_000_000

    def clock(self) -> Clock:
        """A clock of the house that reads these hands."""
        return Still(lambda: self.wall * 1_000_000, lambda: self.steady * 1_000_000)

    def pass_by(self, milliseconds: int) -> None:
        """Let time go by on both hands."""
        self.wall += milliseconds
        self.steady += milliseconds

    def jump(self, milliseconds: int) -> None:
        """Move the wall clock alone, as somebody who sets it does."""
        self.wall += milliseconds
