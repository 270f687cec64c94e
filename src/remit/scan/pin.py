"""A package that a server is started from, held to the exact version that its own tree names. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from remit.core.finding import Kind
from remit.scan import client, packaged, server, wrapped
from remit.scan.fix import Edit, Fix
from remit.scan.node import Node
from remit.scan.placed import Placed

Versions = Callable[[str, str], str]
"""Which exact version of a package a tree names, for `npm` or `pypi`; empty where it names none."""
_NPM: Final = re.compile(r"((?:@[\w.-]+/)?[\w.-]+)(?:@(?:latest|next|\*|\^?~?\d+(?:\.\d+)?))?")
_PYPI: Final = re.compile(r"([A-Za-z0-9][\w.-]*)(?:@latest)?")
_FLAGS: Final = ("--from", "--spec", "--with")
_EXACT: Final = re.compile(r"\d+\.\d+(?:\.\d+)*[\w.+-]*")


def packages(document: Placed, found: Mapping[int, str], versions: Versions) -> Iterator[Fix]:
    """The packages on these lines with the version that is known; one that nothing knows stays as it is."""
    for _, entry in client.servers(document.root) if found else ():
        words = wrapped.bare(server.words(entry))
        given = packaged.package_of(words)
        node = next((one for one in entry["args"].items if given and (one.text, one.line) == given), None)
        if not given or not node or node.line not in found or not document.stands(node):
            continue
        runner = wrapped.program(words[0][0])
        kind, shape = ("npm", _NPM) if runner in ("npx", "bunx", "npm", "pnpm", "pnpx", "bun") else ("pypi", _PYPI)
        named = shape.fullmatch(given[0])
        version = versions(kind, named[1]) if named else ""
        if named and _EXACT.fullmatch(version):
            text = f"{named[1]}{'@' if kind == 'npm' or _bare(entry, runner, node) else '=='}{version}"
            yield Fix(
                Kind.UNPINNED, node.line, f"{named[1]} is held to {version}",
                (Edit(*document.span(node), document.written(node, text)),), (), frozenset({given[0], text}),
                ((document.path(node), text),),
            )  # fmt: skip


def _bare(entry: Node, runner: str, node: Node) -> bool:
    """Say whether `uvx` is told the package as its first word, where it takes `@`; flags and `pipx` take `==` alone."""
    words = entry["args"].items
    place = next((at for at, one in enumerate(words) if one is node), 0)
    return runner != "pipx" and not (place and words[place - 1].text in _FLAGS)
