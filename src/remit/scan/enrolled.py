"""The agents that a scan met, as they would be registered: a client's file, a service, a unit or a job is one. Pure.

An agent's name ends with a fingerprint of where it was met, so that the next scan of the same place knows it again.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from remit.scan.sight import Met


@dataclass(frozen=True, slots=True)
class Proposed:
    """An agent to propose: its name, where it was met, what it is for as far as that tells, and what it is given.

    `owner` is who may own it, in the words of a file; `tools` are names of servers and of their tools that were seen.
    """

    name: str
    file: str
    line: int
    purpose: str
    resources: tuple[str, ...]
    called: str = ""
    owner: str = ""
    tools: tuple[tuple[str, str], ...] = ()


def proposed(seen: Iterable[Met]) -> tuple[Proposed, ...]:
    """The agents of what was met, by name. The servers of one client's file are what one agent is given."""
    clients: dict[str, list[Met]] = defaultdict(list)
    found: dict[str, Proposed] = {}
    for one in seen:
        if one.sort == "server":
            clients[one.file].append(one)
        else:
            name = _named(one.name.partition("/")[0], one.file, f"{one.sort} {one.name}")
            purpose = f"Met as the {one.sort} {_plain(one.name)}; say here what it is for."
            found[name] = Proposed(name, one.file, one.line, purpose, (), one.name.rpartition("/")[2])
    for file, servers in clients.items():
        folder = file.rpartition("/")[0].rpartition("/")[2].strip(".") or "client"
        name = _named(folder, file, "client")
        given = tuple(sorted({_slug(one.name) for one in servers}))
        purpose = f"Met as a client of {_listed(given)}; say here what it is for."
        found[name] = Proposed(name, file, min(one.line for one in servers), purpose, given)
    return tuple(found[name] for name in sorted(found))


def _listed(given: tuple[str, ...]) -> str:
    """The names, as many as fit into a purpose."""
    shown = [name for n, name in enumerate(given) if sum(len(one) + 2 for one in given[: n + 1]) < 400]
    return ", ".join(shown) + (f" and {len(given) - len(shown)} more" if len(shown) < len(given) else "")


def _named(word: str, file: str, what: str) -> str:
    mark = hashlib.sha256(f"{file}\0{what}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_slug(word)[:50].strip('-')}-{mark}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63] or "agent"


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:80]


def slug(text: str) -> str:
    """A name of ours for what a file calls so."""
    return _slug(text)


def draft(one: Proposed, owner: str) -> str:
    """A brief for the agent, as TOML for a person to edit: the tools that were seen, each as a step, and no more."""
    rows = [
        f'[[steps]]\naction = "mcp:{_slug(server)}/{tool}"\npath = "delegated"\nallow_unknown = true\n'
        for server, tool in one.tools
    ]
    if not rows:
        named = [f'# [[steps]]\n# action = "mcp:{name}/TOOL"\n# path = "delegated"\n' for name in one.resources]
        rows = ["# No file says which tools are used. Name the few that the work needs:\n", *named]
    quoted = ", ".join(f'"{name}"' for name in one.resources)
    head = (
        f"# A draft from what was seen at {_plain(one.file)}. Edit it, then: remit brief apply FILE\n"
        f"# path: delegated is for a person who consents; own is the agent's own authority.\n"
        f'name = "{one.name}"\npurpose = "{_quoted(one.purpose)}"\ndispatchers = ["{_quoted(owner or "OWNER")}"]\n'
        f'agents = ["{one.name}"]\ndomains = [{quoted}]\n'
    )
    return "\n".join((head, *rows))


def _quoted(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace('"', '\\"')
