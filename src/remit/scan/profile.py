"""Reader of shell profiles (bash, zsh, fish): secrets that they export, checks turned off, agents let loose. Pure."""

import re
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import consent, launch, secret

NAMES: Final = frozenset(
    {
        ".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".zprofile", ".bash_aliases", ".zsh_aliases",
        ".aliases",         ".exports", "config.fish", ".envrc",
    }
)  # fmt: skip
_SET: Final = re.compile(
    r"^\s*(?:export\s+|declare\s+-x\s+|typeset\s+-x\s+|set\s+-\w*x\w*\s+|set\s+(?:-\w+\s+)*--export\s+)?([A-Za-z_]\w*)(?:=|\s+)"
    r"(?:\"([^\"]*)\"|'([^']*)'|([^\s#;&|]*))"
)


def wants(path: str) -> bool:
    """Say whether this is such a file."""
    return path.rsplit("/", 1)[-1] in NAMES


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file. It refuses nothing: a line that it does not know is passed over."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        match = _SET.match(line)
        name, value = (match[1], match[2] or match[3] or match[4] or "") if match else ("", "")
        if name and secret.is_held(name, value):
            said = f"{name} holds a literal value"
            found.append(Finding(Kind.LITERAL_SECRET, Confidence.HIGH, Evidence(path, number, said)))
        if name and launch.unchecked(name, value):
            said = f"{name} turns certificate checks off"
            found.append(Finding(Kind.OPEN_REMOTE, Confidence.HIGH, Evidence(path, number, said)))
        found += [
            Finding(kind, Confidence.HIGH, Evidence(path, at, said)) for kind, at, said in consent.shell(line, number)
        ]
    return tuple(found)
