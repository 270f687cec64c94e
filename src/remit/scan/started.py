"""What Python starts: servers of tools, processes and containers, with what each is given and mounts. Pure."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan import addressed, consent, launch, mounted, packaged, server, spelled, syntax, wrapped
from remit.scan.launch import Told
from remit.scan.node import Node
from remit.scan.wrapped import Word

_SERVERS: Final = re.compile(r"(?i)stdio|mcp(?:client|tools|server|adapter)")
"""What starts a server of tools by its first two arguments: a program and its words."""
_PROCESS: Final = re.compile(
    r"^(?:subprocess\.)?(?:run|Popen|call|check_call|check_output)$|^(?:asyncio\.)?create_subprocess_(?:exec|shell)$"
    r"|^os\.(?:system|popen)$|^subprocess\.getoutput$"
)
_ENVS: Final = ("env", "environment", "env_vars")
_MOUNTS: Final = frozenset(
    {"Mount", "BindMount", "HostPathVolumeSource", "V1HostPathVolumeSource", "HostPathVolumeSourceArgs"}
)
_VOLUMES: Final = frozenset({"with_volume_mapping", "with_bind_mount"})


def told(node: ast.Call, name: str, given: dict[str, ast.expr], names: spelled.Names) -> Iterator[Told]:
    """What is wrong with what one call starts."""
    yield from _process(node, given, names)
    yield from _container(node, given, names)
    words = _words(node, name, given, names)
    if words:
        yield from launch.told(words, keyed=_keyed(node, given, names))
    for key in ("volumes", "extra_volumes", "binds", "bind_mounts"):
        if key in given:
            yield from _keys(given[key], names)
            yield from _volumes(spelled.read(given[key], 0, names))
    yield from _mount(name, node, given, names)


def _keyed(node: ast.Call, given: dict[str, ast.expr], names: spelled.Names) -> bool:
    entry = Node(node.lineno, {key: spelled.read(given[key], 0, names) for key in _ENVS if key in given})
    return server.keyed(entry)


def _words(node: ast.Call, name: str, given: dict[str, ast.expr], names: spelled.Names) -> list[Word]:
    """The command that a server is started by: by name, or in the first places."""
    served = bool(_SERVERS.search(name))
    if not served and "command" not in given and "args" not in given:
        return []
    parts = [given["command"]] if "command" in given else node.args[:1] if served else []
    rest = [given["args"]] if "args" in given else node.args[1:2] if served and "command" not in given else []
    nodes = [one for part in (*parts, *rest) for one in spelled.read(part, 0, names).items]
    words = [(one.text, one.line) for one in nodes if one.text]
    return [(word, words[0][1]) for word in wrapped.split(words[0][0])] if len(words) == 1 else words


def _process(node: ast.Call, given: dict[str, ast.expr], names: spelled.Names) -> Iterator[Told]:
    """What a process is started with; a package with no version only where it is given a credential."""
    if (
        not node.args
        or not isinstance(node.func, ast.Name | ast.Attribute)
        or not _PROCESS.match(syntax.said(node.func))
    ):
        return
    first = spelled.read(node.args[0], 0, names)
    if first.text and (len(node.args) == 1 or not isinstance(node.args[1], ast.Constant)):
        words = [(word, first.line) for word in wrapped.split(first.text)]
    else:
        nodes = first.items if isinstance(first.value, list) else [spelled.read(one, 0, names) for one in node.args]
        words = [(one.text, one.line) for one in nodes if one.text]
    yield from launch.told(words, keyed="env" in given and _keyed(node, given, names))
    yield from addressed.spoken(words)
    if words:
        yield from consent.started(words)


def _container(node: ast.Call, given: dict[str, ast.expr], names: spelled.Names) -> Iterator[Told]:
    """A container that docker's client is told to start, and whose image has no exact version."""
    if not re.search(r"(?:^|\.)containers\.(?:run|create)$", syntax.said(node.func)):
        return
    image = given.get("image") or (node.args[0] if node.args else None)
    found = spelled.read(image, 0, names) if image is not None else Node(0, None)
    if found.text and not packaged.pinned_image(found.text) and _keyed(node, given, names):
        yield Kind.UNPINNED, found.line, "an image with no exact version is given a credential"


def _keys(given: ast.expr, names: spelled.Names) -> Iterator[Told]:
    """The places of a dictionary of volumes that are no plain text."""
    for one in given.keys if isinstance(given, ast.Dict) else []:
        if one is not None and not isinstance(one, ast.Constant):
            yield from mounted.binds([(spelled.read(one, 0, names).text, one.lineno)])


def _volumes(given: Node) -> Iterator[Told]:
    texts = [(name, one.line) for name, one in given.members.items()]
    texts += [(one.text, one.line) for one in (given.items if isinstance(given.value, list) else [])]
    yield from mounted.binds(texts)


def _mount(name: str, node: ast.Call, given: dict[str, ast.expr], names: spelled.Names) -> Iterator[Told]:
    """A mount that is built by itself: docker's, a cluster's, a test container's."""
    if name in _VOLUMES:
        place = node.args[0] if node.args else given.get("host")
    elif name in _MOUNTS:
        place = given.get("source") or given.get("path") or (node.args[1] if len(node.args) > 1 else None)
    else:
        return
    kind = given.get("type")
    volume = isinstance(kind, ast.Constant) and kind.value == "volume"
    if place is not None and not volume and mounted.held(spelled.read(place, 0, names).text):
        yield Kind.HOST_MOUNT, place.lineno, mounted.SAID


def of_dict(node: ast.Dict, names: spelled.Names) -> Iterator[Told]:
    """What a dictionary in the words of docker's API mounts."""
    if {one.value for one in node.keys if isinstance(one, ast.Constant)}.isdisjoint(("Binds", "Mounts")):
        return
    entry = spelled.read(node, 0, names)
    yield from _volumes(entry["Binds"])
    for one in entry["Mounts"].items:
        if one["Type"].text == "bind":
            yield from mounted.binds([(one["Source"].text, one["Source"].line)])
