"""Who holds what, in documents: MCP servers, services, workloads and jobs, and what each is given. Pure."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from remit.scan import client, document, loaded, packaged, secret, server, task, tooling, workflow, workload, wrapped
from remit.scan.node import Node
from remit.scan.sight import Holder, Pair, Whole, is_credential

_ALL_SECRETS: Final = re.compile(r"(?i)\$\{\{\s*to_?json\(\s*(?:secrets|env)\s*\)\s*\}\}")
_AGENT: Final = re.compile(
    r"(?i)(?:^|[/@_-])(?:claude|anthropics?|codex|openai|gemini|aider|goose|copilot|cursor|opencode|qwen|agents?"
    r"|mcp|crewai|llm|bot)(?:[/@_.-]|$)"
)
_FEDERATED: Final = (
    ("aws-actions/configure-aws-credentials@", "role-to-assume"),
    ("google-github-actions/auth@", "workload_identity_provider"),
    ("azure/login@", "client-id"),
)


def wants(path: str) -> bool:
    """Say whether such holders may stand in a file of this path."""
    return (
        client.wants(path)
        or workflow.wants(path)
        or workload.wants(path)
        or path.endswith((".tf", ".template", ".json"))
    )


def read(path: str, text: str) -> tuple[Holder, ...]:
    """The holders of a file. It refuses nothing: what is no such document holds none."""
    roots = document.read(path, text)
    if client.wants(path):
        return tuple(one for root in roots for one in (*_servers(root), *_session(root)))
    if workflow.wants(path):
        return tuple(one for root in roots for one in _jobs(root))
    if path.endswith((".tf", ".tf.json")):
        return tuple(one for root in roots for one in task.holders(root, terraform=True))
    more = _foreign(roots) if client.foreign(path, text) else []
    return tuple(
        one
        for root in roots
        for one in (
            *_services(root),
            *_workloads(root, values="nvFrom:" in text),
            *_external(root),
            *_secrets(root),
            *_containers(root),
            *task.holders(root, terraform=False),
        )
    ) + tuple(more)


def _foreign(roots: tuple[Node, ...]) -> list[Holder]:
    """The servers that a file of no known client holds."""
    inner = (one for root in roots for one in (root, *document.embedded(root)))
    return [held for one in inner for held in _servers(one, client.FOREIGN)]


def is_agent(text: str) -> bool:
    """Say whether a name, image or action is an agent's, as far as its words tell."""
    return bool(_AGENT.search(text))


def like(entry: Node) -> str:
    """What an entry of a server starts or calls: the same for one server, however a client spells it."""
    for key in server.ADDRESSES:
        if entry[key].text:
            return re.sub(r"^\w+://|[?#].*$|/$", "", entry[key].text)
    words = wrapped.bare(server.words(entry)) if server.words(entry) else []
    package = packaged.package_of(words) or packaged.image_of(words)
    if package:
        return re.sub(r"(?<=.)@[\w.^~*-]+$|==[\w.]+$|:[\w.-]+$", "", package[0])
    return " ".join(word for word, _ in words)


def _servers(root: Node, keys: frozenset[str] = client.KEYS) -> Iterator[Holder]:
    for name, entry in client.servers(root, keys):
        if entry["disabled"].value is True or entry["enabled"].value is False:
            continue
        pairs = _pairs_of(entry)
        yield Holder("server", name, entry.line, like(entry), tuple(pairs), tuple(_wholes(entry)))


def _pairs_of(entry: Node) -> list[Pair]:
    given = list(_given(entry))
    own = {f"${{{one.name}}}" for one in given}
    words = server.words(entry)
    pairs = [*given, *(one for one in flags(words) if one.text not in own)]
    told = {one.text for one in pairs}
    return [*pairs, *(Pair("argument", word, line) for word, line in words[1:] if word not in told and _alone(word))]


def _alone(word: str) -> bool:
    """Say whether a word of a command is a secret by itself, or looks drawn."""
    return not word.startswith("-") and (secret.is_known(word) or secret.is_random(word))


def off(path: str, text: str) -> tuple[Holder, ...]:
    """The servers of a client that are switched off, with the secrets that stand there all the same."""
    if not client.wants(path) or not _OFF.search(text):
        return ()
    found = []
    for root in document.read(path, text):
        for name, entry in client.servers(root):
            if entry["disabled"].value is True or entry["enabled"].value is False:
                pairs = [one for one in _pairs_of(entry) if not secret.is_reference(one.text)]
                found.append(Holder("off", name, entry.line, like(entry), tuple(pairs)))
    return tuple(found)


_OFF: Final = re.compile(r"disabled|enabled")


def _session(root: Node) -> Iterator[Holder]:
    """What a client hands to all that its agent runs: its settings' own variables."""
    given = [root["env"], root["shell_environment_policy"]["set"]]
    given += [one for name, one in root.members.items() if name.startswith("terminal.integrated.env.")]
    pairs = tuple(pair for one in given for pair in _pairs(one))
    if pairs:
        yield Holder("profile", "the session", root.line, "", pairs)


def _given(entry: Node) -> Iterator[Pair]:
    for part in ("env", "environment", "envs", "headers", "http_headers", "requestHeaders", "env_http_headers"):
        for name, value in workload.pairs(entry[part]):
            yield Pair(name, f"${{{value.text}}}" if part == "env_http_headers" else value.text, value.line)
    for key in ("bearer_token", "token", "apiKey", "api_key"):
        if entry[key].text:
            yield Pair(key, entry[key].text, entry[key].line)
    yield from _signed_in(entry)
    if entry["bearer_token_env_var"].text:
        yield Pair("bearer_token", f"${{{entry['bearer_token_env_var'].text}}}", entry["bearer_token_env_var"].line)
    for key in ("env_vars", "env_keys"):
        for one in entry[key].items:
            if one.text:
                yield Pair(one.text, f"${{{one.text}}}", one.line)


def _signed_in(entry: Node) -> Iterator[Pair]:
    """What an entry's address holds, and what its sign-in is given."""
    for key in (*server.ADDRESSES, "authorization_token", "authorization"):
        if secret.is_known(entry[key].text):
            yield Pair(key, entry[key].text, entry[key].line)
    for part in ("auth", "oauth", "oauth2", "authentication"):
        yield from (one for one in _pairs(entry[part]) if is_credential(one.name))


def flags(words: list[wrapped.Word]) -> Iterator[Pair]:
    """What the flags of a command give: names with their values."""
    for (word, line), (after, below) in pairwise([*words, ("", 0)]):
        flag, mark, value = word.partition("=")
        if flag in ("-e", "--env"):
            name, told, text = (value if mark else after).partition("=")
            yield Pair(name, text if told else f"${{{name}}}", line if mark else below)
        elif word.startswith("-") and mark:
            yield Pair(_called(flag), value, line)
        elif word.startswith("-") and after and not after.startswith("-"):
            named = "api_key" if word == "--key" and secret.is_random(after) else _called(word)
            yield Pair(named, after, below)
        elif re.match(r"[\w-]+: ", word):
            yield Pair(word.partition(":")[0], word.partition(": ")[2], line)


def _called(flag: str) -> str:
    """A flag's name; of `-pVALUE` only the letter, for what follows it may be a secret."""
    name = flag.lstrip("-")
    return name if flag.startswith("--") or is_credential(name) else name[:1]


def _wholes(entry: Node) -> Iterator[Whole]:
    for key in ("envFile", "env_file"):
        for one in entry[key].items:
            if one.text:
                yield Whole(one.line, f"{key} hands on every variable of a file", one.text)
    words = server.words(entry)
    yield from loaded.words(words)
    yield from (one for word, line in words if " " in word for one in loaded.shell(word, line))


def _jobs(root: Node) -> Iterator[Holder]:
    """A job, with what itself and its workflow are given; and each step that is an agent, or is given something."""
    above = _pairs(root["env"])
    every = [Whole(one.line, "every secret is handed on at once") for _, one in _all(root["env"])]
    if every:
        yield Holder("workflow", "the workflow", root.line, "", (), tuple(every))
    for name, job in root["jobs"].members.items():
        wholes = []
        if job["secrets"].text == "inherit":
            wholes.append(Whole(job["secrets"].line, "a called workflow inherits every secret"))
        pairs = [*above, *_pairs(job["env"]), *_pairs(job["secrets"]), *_pairs(job["with"])]
        called = job["uses"].text
        for step in job["steps"].items:
            pairs += [*_pairs(step["env"]), *_pairs(step["with"]), *_logged_in(step)]
            called += " " + step["uses"].text + " " + step["run"].text.partition("\n")[0]
            if not tooling.tries(step["run"].text):
                wholes += [one for words in workflow.commands(step["run"]) for one in loaded.words(words)]
                wholes += loaded.shell(step["run"].text, step["run"].line + ("\n" in step["run"].text))
        members = [member for part in job.inside() for member in part.members.values()]
        wholes += [
            Whole(one.line, "every secret is handed on at once")
            for one in members
            if one.text and _ALL_SECRETS.search(one.text)
        ]
        yield Holder("job", name, job.line, called.strip(), tuple(dict.fromkeys(pairs)), tuple(wholes))


def _all(env: Node) -> list[tuple[str, Node]]:
    return [(name, one) for name, one in env.members.items() if one.text and _ALL_SECRETS.search(one.text)]


def _logged_in(step: Node) -> Iterator[Pair]:
    """A step that logs the job in as a service, with no stored secret."""
    uses, given = step["uses"].text, step["with"]
    for action, key in _FEDERATED:
        if uses.startswith(action) and given[key].text:
            yield Pair(f"service-account {key}", given[key].text, given[key].line)


def _pairs(node: Node) -> list[Pair]:
    return [Pair(name, one.text, one.line) for name, one in node.members.items() if one.text]


def _services(root: Node) -> Iterator[Holder]:
    if root["apiVersion"].text:
        return
    for name, one in root["services"].members.items():
        pairs = [
            Pair(key, value.text or f"${{{key}}}", value.line) for key, value in workload.pairs(one["environment"])
        ]
        for given in one["secrets"].items:
            called = given.text or given["source"].text
            if called:
                pairs.append(Pair(f"{called}_secret", f"${{secret:{called}}}", given.line))
        wholes = []
        for given in one["env_file"].items:
            place = given if given.text else given["path"]
            if place.text:
                wholes.append(Whole(place.line, "env_file hands on every variable of a file", place.text))
        image = one["image"].text
        started = " ".join([image, *(word.text for word in (*one["entrypoint"].items, *one["command"].items))])
        pairs += typed([*one["entrypoint"].items, *one["command"].items])
        yield Holder("service", name, one.line, started.strip(), tuple(pairs), tuple(wholes))


def typed(nodes: list[Node]) -> list[Pair]:
    """What a command line is given in full; what it refers to, only who starts it knows."""
    words = [(one.text, one.line) for one in nodes if one.text]
    if len(words) == 1:
        words = wrapped.spread(*words[0])
    return [one for one in flags(wrapped.bare(words)) if secret.is_held(one.name, one.text)] if words else []


def _secrets(root: Node) -> Iterator[Holder]:
    """A cluster's secret that stands in full in its manifest."""
    if root["kind"].text == "Secret" and root["apiVersion"].text:
        plain = [Pair(name, one.text, one.line) for name, one in root["stringData"].members.items()]
        plain += [Pair(name, workload.decoded(one.text), one.line) for name, one in root["data"].members.items()]
        yield Holder("secret", root["metadata"]["name"].text, root.line, "", tuple(one for one in plain if one.text))


def _mounted(part: Node, container: Node, place: str) -> Iterator[Pair]:
    """The stored secrets that a container reads as files; a certificate is none that its holders present."""
    mounts = {one["name"].text for one in container["volumeMounts"].items}
    for volume in part["volumes"].items:
        if volume["name"].text not in mounts:
            continue
        sources = [volume["secret"], *(one["secret"] for one in volume["projected"]["sources"].items)]
        for one in sources:
            name = one["secretName"] if one["secretName"].text else one["name"]
            if name.text and not _CERTIFICATE.search(name.text):
                yield Pair(f"{name.text}_secret", f"${{secret:{place}/{name.text}}}", name.line)


_CERTIFICATE: Final = re.compile(
    r"(?i)(?:^|[-_.])(?:tls|ssl|ca|certs?|certificates?|bundle|webhook|trust\w*)(?:$|[-_.])"
)


def _external(root: Node) -> Iterator[Holder]:
    """What an external secret hands to whom: each key of a store, to what the secret is made for."""
    if root["kind"].text not in ("ExternalSecret", "SecretProviderClass"):
        return
    name = root["spec"]["target"]["name"].text or root["metadata"]["name"].text
    pairs = []
    for one in root["spec"]["data"].items:
        ref = one["remoteRef"]
        if ref["key"].text:
            place = f"{ref['key'].text}/{ref['property'].text}".rstrip("/")
            key = one["secretKey"].text
            pairs.append(Pair(key if is_credential(key) else f"{key}_secret", f"${{secret:{place}}}", ref["key"].line))
    yield Holder("workload", name, root.line, name, tuple(pairs))


def _workloads(root: Node, *, values: bool) -> Iterator[Holder]:
    """The containers of a manifest of any kind, and what else of it, or of a chart's values, is given variables."""
    named = root["metadata"]["name"].text
    place = root["metadata"]["namespace"].text or "default"
    if not root["apiVersion"].text and not values:
        return
    seen: set[int] = set()
    for part in root.inside():
        for one in (*part["containers"].items, *part["initContainers"].items):
            seen.add(id(one))
            yield _container(named, one, place, _mounted(part, one, place))
    for part in root.inside():
        if id(part) not in seen and (_FROM & part.members.keys() or _named(part["env"])):
            yield _container(named, part, place, iter(()))


_FROM: Final = frozenset({"envFrom", "extraEnvFrom"})


def _named(env: Node) -> bool:
    """Say whether this is a list of variables, each with its name."""
    return isinstance(env.value, list) and any(one["name"].text for one in env.value)


def _container(name: str, one: Node, place: str, mounted: Iterator[Pair]) -> Holder:
    words = (*one["command"].items, *one["args"].items)
    started = " ".join([one["image"].text, *(word.text for word in words)])
    wholes = []
    for key in sorted(_FROM):
        for given in one[key].items:
            called = given["secretRef"]["name"]
            if called.text:
                source = f"${{secret:{place}/{called.text}}}"
                wholes.append(Whole(called.line, "envFrom hands on every key of a secret", source))
    pairs = (*_variables(one, place), *mounted, *typed([*words]))
    return Holder("workload", f"{name}/{one['name'].text}", one.line, started, pairs, tuple(wholes))


def _containers(root: Node) -> Iterator[Holder]:
    """A dev container: what its engine is told to hand on."""
    name = root["name"].text or "dev container"
    words = [(one.text, one.line) for one in root["runArgs"].items if one.text]
    if words:
        yield Holder("service", name, root.line, "", (), tuple(loaded.words(words)))
    if root["apiVersion"].text:
        return
    pairs = [*_pairs(root["containerEnv"]), *_pairs(root["remoteEnv"])]
    if pairs:
        yield Holder("dev", name, root.line, "", tuple(pairs))


def _variables(container: Node, place: str) -> Iterator[Pair]:
    for one in container["env"].items:
        stored = one["valueFrom"]["secretKeyRef"]
        if stored["name"].text:
            text = f"${{secret:{place}/{stored['name'].text}/{stored['key'].text}}}"
            yield Pair(one["name"].text, text, stored.line)
        elif one["value"].text:
            yield Pair(one["name"].text, one["value"].text, one["value"].line)
