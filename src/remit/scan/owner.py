"""Who may own what was met, as far as files say so: a CODEOWNERS file, a label or tag, the user of a repository. Pure.

What is told is words from a file, for a person to judge: it never makes anybody an owner.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import document
from remit.scan.node import Node

PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_KEY: Final = re.compile(r"(?i)(?:^|[/._-])(?:owner|owned[-_]?by|team|maintainer|contact)$")
_USER: Final = re.compile(r"(?ms)^\[user\]\s*$(.*?)(?=^\[|\Z)")
_EMAIL: Final = re.compile(r"(?m)^\s*email\s*=\s*\"?([^\s\"#;]+)")
_SOME: Final = re.compile(r"[\w@.+/ -]{2,100}")


def listed(owners: str, path: str) -> str:
    """Whom a CODEOWNERS file names for a path below its repository: the last pattern that matches counts."""
    found = ""
    for line in owners.splitlines()[:10_000]:
        words = line.split("#", 1)[0].split()
        if words and not words[0].startswith(("[", "^[")) and _matches(words[0], path):
            found = _plain(words[1]) if len(words) > 1 else ""
    return found


def labelled(path: str, text: str, name: str) -> str:
    """Whom a manifest, a Compose file or Terraform names: beside the thing of this name, else once in the file."""
    found = [part for root in document.read(path, text) for part in root.inside()]
    near = [one for one in found if isinstance(one.value, dict) and (_called(one) == name or name in one.members)]
    for part in (*(one[name] if name in one.members else one for one in near), *found):
        for key, value in _pairs(part):
            if _KEY.search(key) and (said := _plain(value)):
                return said
    return ""


def user(config: str) -> str:
    """The address that a repository's own settings give its user."""
    section = _USER.search(config)
    email = _EMAIL.search(section[1]) if section else None
    return _plain(email[1]) if email else ""


def _called(node: Node) -> str:
    return node["metadata"]["name"].text or node["name"].text


def _pairs(part: Node) -> Iterator[tuple[str, str]]:
    for place in (part["labels"], part["annotations"], part["tags"], part["metadata"]["labels"],
                  part["metadata"]["annotations"]):  # fmt: skip
        for key, value in place.members.items():
            yield key, value.text
        for one in place.items if isinstance(place.value, list) else ():
            key, mark, text = one.text.partition("=")
            if mark:
                yield key, text


def _plain(text: str) -> str:
    return text.strip() if _SOME.fullmatch(text.strip()) else ""


def _matches(pattern: str, path: str) -> bool:
    """Say whether a pattern, as of a file of ignored names, holds a path. One with a slash inside is of the root."""
    bare = pattern.strip("/")
    rooted = "/" in pattern.rstrip("/")
    words = {"**/": "(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", bare)
    shape = "".join(words.get(part, re.escape(part)) for part in parts)
    below = "/.*" if pattern.endswith("/") else "" if bare.endswith("/*") else "(?:/.*)?"
    return bool(re.fullmatch(f"{'' if rooted else '(?:.*/)?'}{shape}{below}", path))
