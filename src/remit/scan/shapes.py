"""The tokens that issuers make recognisable, by a kept library's detectors: `detect-secrets`, the extra `scan`.

Only the expressions of its detectors are used (`denylist`). That it would ask an issuer whether a secret works
(`verify`, over the network) is never called, and no text leaves the process. Without the extra there are the few shapes
of `secret`. Left out are detectors of what is no secret by itself (an account's number, an address) and those that go
by a name or by randomness, which `secret` judges with more around them; and two whose time grows with the square of a
hostile text's length (npm's and OpenAI's, whose shapes `secret` has).
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Final

FEWER: Final = "Issuers' shapes of secrets: only the few built in. More are known with: pip install 'remit[scan]'."
"""What is said of a scan without the library."""
MORE: Final = "Issuers' shapes of secrets: {}, and the few built in."
"""What is said of a scan with it."""
_DETECTORS: Final = (
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
)
_SHORTEST: Final = 24
"""Characters below which no text holds one of these."""
_LONGEST: Final = 200_000
"""Characters above which a text is data."""


def found(text: str) -> Iterator[str]:
    """Every piece of a text that has an issuer's shape; nothing without the library."""
    if _SHORTEST <= len(text) <= _LONGEST:
        for shape in _shapes():
            yield from (one[0] for one in shape.finditer(text))


@cache
def source() -> str:
    """The library and its version; "" when it is not installed."""
    try:
        return f"detect-secrets {version('detect-secrets')}" if _shapes() else ""
    except PackageNotFoundError:
        return ""


def told(library: str) -> str:
    """Which shapes were looked for, in words."""
    return MORE.format(library) if library else FEWER


@cache
def _shapes() -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(
            shape
            for module, name in _DETECTORS
            for shape in getattr(import_module(f"detect_secrets.plugins.{module}"), name)().denylist
        )
    except (ImportError, AttributeError):
        return ()
