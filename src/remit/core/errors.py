"""The one error root: a fault with a stable code, a message that says what and why, and a remedy."""

from typing import Final, final

INTERNAL: Final = "internal"


@final
class RemitError(Exception):
    """A fault. A refusal is never an error: it is a `Deny`, a value.

    `code` is stable and stands in docs/errors.md; `message` says what and why, `remedy` what to do. None of the three
    may hold a secret: they are shown to agents and written to logs.
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code, message, remedy)
        self.code = code
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy} [{self.code}]"
