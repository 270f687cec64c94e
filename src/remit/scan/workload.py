"""Reader of Docker Compose files, Kubernetes manifests and dev containers: secrets, mounts, unpinned images. Pure.

An image without an exact version is told only where it is started with a credential.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import (
    addressed,
    checked,
    client,
    consent,
    document,
    jsonc,
    launch,
    mounted,
    packaged,
    secret,
    server,
    uttered,
    wrapped,
    yamldoc,
)
from remit.scan.launch import Told
from remit.scan.node import Node

_COMPOSE: Final = re.compile(r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$")


def wants(path: str) -> bool:
    """Say whether this is such a file, or may be one: what it is, its text says."""
    return path.endswith((".yaml", ".yml", "/devcontainer.json", ".devcontainer.json")) or path == "devcontainer.json"


def read(path: str, text: str) -> tuple[Finding, ...] | None:
    """Find what stands in this file; None when it is not of its format."""
    documents: tuple[Node, ...] | None
    if path.endswith(".json"):
        one = jsonc.read(text)
        documents = (one,) if one else None
    elif _COMPOSE.search(path) or "apiVersion" in text or "services:" in text:
        documents = yamldoc.read(text)
        documents = documents and document.listed(documents)
    else:
        return ()
    if documents is None:
        return None if path.endswith(".json") or _COMPOSE.search(path) else ()
    return tuple(
        Finding(kind, Confidence.HIGH, Evidence(path, line, said))
        for document in documents
        for kind, line, said in _document(path, document)
    )


def _document(path: str, root: Node) -> Iterator[Told]:
    if path.endswith(".json"):
        yield from _devcontainer(root)
    elif root["apiVersion"].text and root["kind"].text:
        yield from _manifest(root)
    elif is_compose(path, root):
        for name, one in root["services"].members.items():
            yield from _service(name, one)
        for name, one in root["volumes"].members.items():
            yield from _said(f"volume {name}", _volume(one))


def is_compose(path: str, root: Node) -> bool:
    """Say whether a document is one of Docker Compose."""
    services = root["services"].members
    if path.endswith(".json") or not services or (root["apiVersion"].text and root["kind"].text):
        return False
    return bool(_COMPOSE.search(path)) or any(
        "image" in one.members or "build" in one.members for one in services.values()
    )


def _service(name: str, one: Node) -> Iterator[Told]:
    given = [*pairs(one["environment"])]
    for key, value in given:
        yield from _said(f"service {name}", server.variable("environment", key, value))
    keyed = any(packaged.is_named(key) or packaged.is_held(value.text) for key, value in given)
    keyed = keyed or bool(one["env_file"].items or one["secrets"].items)
    yield from _said(f"service {name}", _image(one["image"], keyed=keyed and "build" not in one.members))
    for mount in one["volumes"].items:
        place = mounted.source(mount.text) if mount.text else mount["source"].text
        if place and mounted.held(place):
            yield Kind.HOST_MOUNT, mount.line, f"service {name}: {mounted.SAID}"
    if one["use_api_socket"].value is True:
        yield Kind.HOST_MOUNT, one["use_api_socket"].line, f"service {name}: {mounted.SAID}"
    for key, value in pairs(one["build"]["args"]):
        yield from _said(f"service {name}", server.variable("args", key, value))
    words = [(word.text, word.line) for word in (*one["entrypoint"].items, *one["command"].items) if word.text]
    if len(words) == 1:
        words = wrapped.spread(*words[0])
    yield from _said(f"service {name}", _started(words, keyed=keyed))
    if any(_is_out(port) for port in one["ports"].items) or one["network_mode"].text == "host":
        yield from _said(f"service {name}", addressed.open_to_all(words))
        yield from _said(f"service {name}", _listens(given))


def _listens(given: list[tuple[str, Node]]) -> Iterator[Told]:
    """A variable that opens a server to all, where none says who may call."""
    if not any(addressed.ASKS.search(key) for key, _ in given):
        for key, value in given:
            if addressed.listens(key, value.text):
                yield Kind.OPEN_REMOTE, value.line, f"{key}: {addressed.NOBODY}"


def _volume(one: Node) -> Iterator[Told]:
    """A named volume that is a folder of the host."""
    options = one["driver_opts"]
    if "bind" in options["o"].text and mounted.held(options["device"].text):
        yield Kind.HOST_MOUNT, options["device"].line, mounted.SAID


def _is_out(port: Node) -> bool:
    """Say whether a port is published beyond the machine."""
    address = port["host_ip"].text or port.text
    return not address.startswith(("127.", "localhost", "[::1]", "::1"))


def _manifest(root: Node) -> Iterator[Told]:
    kind, name = root["kind"].text, root["metadata"]["name"].text
    if kind == "Secret":
        for key, value in root["stringData"].members.items():
            told = [*uttered.held(key, value)]
            if not told and secret.is_random(value.text):
                told = [(value.line, f"{key} holds a literal value")]
            yield from ((Kind.LITERAL_SECRET, line, f"secret {name}: {said}") for line, said in told)
        for key, value in root["data"].members.items():
            if (plain := decoded(value.text)) and (secret.is_held(key, plain) or secret.is_random(plain)):
                yield Kind.LITERAL_SECRET, value.line, f"secret {name}: {key} holds a literal value"
    if kind == "ConfigMap":
        for key, value in root["data"].members.items():
            yield from _said(f"map {name}", server.variable("data", key, value))
    lent = {id(one.value) for part in root.inside() if part["containers"].items for one in _lent(part)}
    for part in root.inside():
        yield from _pod(part, lent=id(part.value) in lent)
        for one in part["httpHeaders"].items:
            yield from _said("probe", server.variable("header", one["name"].text, one["value"]))
        yield from server.checks(part)
        yield from _valued(part) if kind == "HelmRelease" else ()


def _valued(part: Node) -> Iterator[Told]:
    """Arguments that the values of a chart give a container whose image they do not name."""
    if not part["image"].text:
        words = [(one.text, one.line) for key in ("args", "extraArgs") for one in part[key].items if one.text]
        yield from _said("a chart's argument", checked.told(words))


def _lent(pod: Node) -> Iterator[Node]:
    """The containers of a pod that a stored secret is mounted in."""
    stored = {
        one["name"].text
        for one in pod["volumes"].items
        if one["secret"].members or any(part["secret"].members for part in one["projected"]["sources"].items)
    }
    for one in (*pod["containers"].items, *pod["initContainers"].items):
        if any(mount["name"].text in stored for mount in one["volumeMounts"].items):
            yield one


def in_json(path: str, text: str) -> Iterator[Told]:
    """The same of a manifest that is written as JSON."""
    if path.endswith(".json") and '"apiVersion"' in text:
        for root in document.read(path, text):
            if root["apiVersion"].text and root["kind"].text:
                yield from _manifest(root)


def _pod(part: Node, *, lent: bool) -> Iterator[Told]:
    place = part["hostPath"] if part["hostPath"].text else part["hostPath"]["path"]
    if place.text and mounted.held(place.text):
        yield Kind.HOST_MOUNT, place.line, f"volume {part['name'].text}: {mounted.SAID}"
    if not part["image"].text:
        return
    said = f"container {part['name'].text}".rstrip()
    keyed = lent or any(part[key].items for key in ("envFrom", "secretRefs", "secrets"))
    for key, value in pairs(part["env"]) if part["env"].members else _variables(part):
        keyed = keyed or packaged.is_named(key) or packaged.is_held(value.text) or "secretKeyRef" in value.members
        yield from _said(said, server.variable("env", key, value))
    mine = part["imagePullPolicy"].text == "Never"
    yield from _said(said, _image(part["image"], keyed=keyed and not mine))
    words = [(word.text, word.line) for key in ("command", "cmd", "args") for word in part[key].items if word.text]
    yield from _said(said, _started(words, keyed=keyed))


def _variables(container: Node) -> Iterator[tuple[str, Node]]:
    """A container's variables: the value of each, or where it is from."""
    for one in container["env"].items:
        yield one["name"].text, one["value"] if one["value"].line else one["valueFrom"]


def _started(words: list[wrapped.Word], *, keyed: bool) -> Iterator[Told]:
    told = [*launch.told(words, keyed=keyed)]
    yield from told
    known = {line for kind, line, _ in told if kind is Kind.LITERAL_SECRET}
    for word, at in words:
        for line, said in uttered.literals(word, at + ("\n" in word.rstrip("\n"))) if " " in word else ():
            if line not in known:
                yield Kind.LITERAL_SECRET, line, said
    yield from addressed.spoken(words)
    if words:
        yield from consent.started(words)
        yield from consent.loose(" ".join(word for word, _ in words), words[0][1])


def _image(image: Node, *, keyed: bool) -> Iterator[Told]:
    if keyed and image.text and not packaged.issues(image.text) and not packaged.pinned_image(image.text):
        yield Kind.UNPINNED, image.line, "an image with no exact version is given a credential"


def _taken(root: Node) -> Iterator[Told]:
    """What a dev container mounts of its host."""
    for mount in root["mounts"].items:
        place = mounted.source(mount.text) if mount.text else mount["source"].text
        if place and mounted.held(place):
            yield Kind.HOST_MOUNT, mount.line, mounted.SAID
    yield from mounted.mounts([(one.text, one.line) for one in root["runArgs"].items])
    yield from mounted.binds([(root["workspaceMount"].text, root["workspaceMount"].line)])
    for name, one in root["features"].members.items():
        if "/docker-outside-of-docker" in name or "/docker-from-docker" in name:
            yield Kind.HOST_MOUNT, one.line, mounted.SAID


def _devcontainer(root: Node) -> Iterator[Told]:
    yield from _taken(root)
    given = any(packaged.is_named(name) for name in root["containerEnv"].members)
    given = given or packaged.keyed([(one.text, one.line) for one in root["runArgs"].items])
    yield from _image(root["image"], keyed=given)
    for name, one in client.servers(root["customizations"]["vscode"]):
        yield from _said(f"server {name}", (*server.told(one), *consent.of_server(one)))
    for key in ("containerEnv", "remoteEnv"):
        for name, node in root[key].members.items():
            yield from server.variable(key, name, node)
    for key in _LIFE:
        for one in root[key].inside():
            if one.text:
                yield from consent.shell(one.text, one.line)
                yield from ((Kind.LITERAL_SECRET, line, said) for line, said in uttered.literals(one.text, one.line))


_LIFE: Final = (
    "initializeCommand", "onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand",
    "postAttachCommand",
)  # fmt: skip
"""What a dev container runs, as its reference names them."""


def pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """The variables of a service, whichever way they are written: as members, or as `NAME=value`."""
    yield from node.members.items()
    if isinstance(node.value, list):
        for one in node.value:
            name, mark, value = one.text.partition("=")
            if mark or name:
                yield name, Node(one.line, value)


def _said(who: str, told: Iterable[Told]) -> Iterator[Told]:
    return ((kind, line, f"{who}: {what}") for kind, line, what in told)


def decoded(text: str) -> str:
    """What a value of a Secret's `data` says; empty when that is no text."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
