"""Reader of what command lines keep their logins in: AWS's shared credentials, netrc, git's, npm's and PyPI's. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import secret
from remit.scan.launch import Told
from remit.scan.sight import Pair

_PLACE: Final = re.compile(r"(?:^|/)(?:\.aws/(?:credentials|config)|\.netrc|\.git-credentials|\.npmrc|\.pypirc)$")
_PAIR: Final = re.compile(r"^\s*([^=\s#;\[][^=]*?)\s*=\s*(\S.*?)\s*$")
_NETRC: Final = re.compile(r"\bpassword\s+(\S+)")


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return bool(_PLACE.search(path))


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file. It refuses nothing: a line that it does not know is passed over."""
    told = [*_literals(path, text), *_standing(text)]
    return tuple(Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for kind, line, said in told)


def pairs(text: str) -> Iterator[tuple[str, Pair]]:
    """The settings of such a file, each with its section."""
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if bare.startswith("[") and bare.endswith("]"):
            section = bare
            continue
        found = _PAIR.match(line)
        if found:
            yield section, Pair(found[1].strip(), found[2], number)


def _literals(path: str, text: str) -> Iterator[Told]:
    if path.endswith((".netrc", ".git-credentials")):
        for number, line in enumerate(text.split("\n"), 1):
            given = _NETRC.search(line)
            if secret.is_known(line) or (given and secret.is_literal(given[1])):
                yield Kind.LITERAL_SECRET, number, "a login stands here in full"
        return
    for _, pair in pairs(text):
        name = pair.name.rpartition(":")[2].lstrip("_")
        named = "auth_token" if name == "authToken" else name
        if secret.is_held(named, pair.text):
            yield Kind.LITERAL_SECRET, pair.line, f"{name} holds a literal value"


def _standing(text: str) -> Iterator[Told]:
    """Keys of AWS users, less those that come with a session's token: one finding for a section."""
    sections: dict[str, dict[str, Pair]] = {}
    for section, pair in pairs(text):
        sections.setdefault(section, {})[pair.name.lower()] = pair
    for section, held in sections.items():
        key = held.get("aws_secret_access_key")
        if key and "aws_session_token" not in held and not secret.is_made_up(key.text):
            yield Kind.STANDING, key.line, f"{section or 'it'} holds an access key of an AWS user"
