"""Secrets of Codex and Goose, whose settings name the variables that a server is handed, and expand none. Pure.

Codex: `env_vars` hands variables on by their names, `bearer_token_env_var` and `env_http_headers` put one into a
header. Goose: `env_keys` names what is read from the environment or the keyring. So the value goes out of its table,
and its name stands where these clients look for it. What is written in another way than their pages show is left.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from remit.core.finding import Kind
from remit.scan import client, secret
from remit.scan.fix import Edit, Fix
from remit.scan.names import Names
from remit.scan.node import Node, line_at
from remit.scan.placed import Path, Placed
from remit.scan.same import GONE

_CODEX: Final = re.compile(r"(?:^|/)\.?codex/config\.toml$")
_GOOSE: Final = re.compile(r"(?:^|/)\.?goose/config\.ya?ml$")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEAD: Final = re.compile(r":[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*\Z")
"""The end of the line that a table of YAML begins in, and what comments stand below it."""
_BEARER: Final = re.compile(r"(?i)^bearer\s+(\S+)$")


def fixes(path: str, document: Placed, found: Mapping[int, str], names: Names) -> Iterator[Fix]:
    """A fix for each table of a server from which secrets on these lines can be taken by their names."""
    codex, goose = bool(_CODEX.search(path)), bool(_GOOSE.search(path))
    for name, entry in client.servers(document.root) if found and (codex or goose) else ():
        if codex:
            yield from _handed(document, entry, "env", "env_vars", found, names)
            yield from _headers(document, name, entry, found, names)
        else:
            yield from _handed(document, entry, "envs", "env_keys", found, names)


def knows(path: str) -> bool:
    """Say whether this is the file of a client that names what it hands on."""
    return bool(_CODEX.search(path) or _GOOSE.search(path))


def _secrets(document: Placed, table: Node, found: Mapping[int, str]) -> dict[str, Node]:
    return {
        key: node
        for key, node in table.members.items()
        if node.line in found and document.stands(node) and secret.is_held(key, node.text)
    }


def _handed(
    document: Placed, entry: Node, part: str, listed: str, found: Mapping[int, str], names: Names
) -> Iterator[Fix]:
    """Variables taken out of a server's table, and named in the list of those that it is handed, all at once."""
    held = {
        key: (node, cut)
        for key, node in _secrets(document, entry[part], found).items()
        if _NAME.fullmatch(key) and (cut := _cut(document, node, key)) and names.keep(key, node.text)
    }
    if not held:
        return
    first = next(iter(held.values()))[0]
    named = _named(document, entry, part, listed, list(held), first)
    if named:
        above = document.path(first)[:-2]
        known = entry[listed].value
        old = known if isinstance(known, list) else []
        meant = [((*above, part, key), GONE) for key in held]
        said = f"{part} no longer holds {', '.join(held)}, and {listed} names it"
        yield Fix(
            Kind.LITERAL_SECRET, first.line, said, (*_cuts(document, entry[part], held), named),
            tuple((key, node.text) for key, (node, _) in held.items()),
            meant=(*meant, ((*above, listed), [*old, *held])),
            also=tuple(node.line for node, _ in held.values()),
        )  # fmt: skip


def _cuts(document: Placed, table: Node, held: Mapping[str, tuple[Node, Edit]]) -> Iterator[Edit]:
    """What goes out of a table; one of YAML that is left with nothing says so in braces. Comments stay."""
    cuts = [cut for _, cut in held.values()]
    block = document.form == "yaml" and not any(id(node) in document.braced for node, _ in held.values())
    if block and len(held) == len(table.members):
        line = document.text.rfind("\n", 0, min(cut.start for cut in cuts)) + 1
        head = _HEAD.search(document.text[:line])
        if head:
            yield Edit(head.start() + 1, head.start() + 1, " {}")
    yield from _apart(cuts)


def _apart(cuts: list[Edit]) -> Iterator[Edit]:
    """The same cuts, none over another: two neighbours in braces share the comma between them."""
    end = 0
    for one in sorted(cuts, key=lambda each: each.start):
        yield Edit(max(one.start, end), one.end, one.text)
        end = one.end


def _headers(document: Placed, name: str, entry: Node, found: Mapping[int, str], names: Names) -> Iterator[Fix]:
    """Codex: a header whose table holds nothing else becomes the name of a variable."""
    table = entry["http_headers"]
    held = _secrets(document, table, found)
    if len(held) != 1 or len(table.members) != 1:
        return
    [(key, node)] = held.items()
    bearer = _BEARER.match(node.text)
    where: Path = document.path(node)
    meant: tuple[tuple[Path, object], ...]
    at = document.span(node)
    line = document.text.rfind("\n", 0, at[0]) + 1
    inline = re.search(r"(?:^|[{,])[ \t]*(http_headers)[ \t]*=[ \t]*\{[^{}\n]*$", document.text[line : at[0]])
    close = re.match(r"[ \t]*\}", document.text[at[1] :])
    if not inline or not close:
        return
    start, end = line + inline.start(1), at[1] + close.end()
    if bearer and key.lower() == "authorization" and "bearer_token_env_var" not in entry.members:
        taken = names.take((f"{name}_TOKEN",), bearer[1])
        edit = Edit(start, end, f'bearer_token_env_var = "{taken}"')
        meant = ((where[:-1], GONE), ((*where[:-2], "bearer_token_env_var"), taken))
        value = bearer[1]
    elif not bearer and "env_http_headers" not in entry.members:
        taken, value = names.take((f"{name}_{key}",), node.text), node.text
        edit = Edit(start, end, f'env_http_headers = {{ "{key}" = "{taken}" }}')
        meant = ((where[:-1], GONE), ((*where[:-2], "env_http_headers"), {key: taken}))
    else:
        return
    yield Fix(Kind.LITERAL_SECRET, node.line, f"{key} is read from {taken}", (edit,), ((taken, value),), meant=meant)


def _cut(document: Placed, node: Node, key: str) -> Edit | None:
    """The member of a table with its value: its line, or its part of a table in braces. A comment stays."""
    text, (start, end) = document.text, document.span(node)
    line = text.rfind("\n", 0, start) + 1
    mark = "=" if document.form == "toml" else ":"
    quoted = rf"(?:{re.escape(key)}|\"{re.escape(key)}\"|'{re.escape(key)}')[ \t]*{mark}[ \t]*$"
    own = re.match(rf"[ \t]*{quoted}", text[line:start])
    if own:
        rest = re.match(r"[ \t]*(?:\r?\n|$)", text[end:])
        if rest:
            return Edit(line, end + rest.end(), "")
        begin = line + len(own[0]) - len(own[0].lstrip(" \t"))
        return Edit(begin, end, "") if re.match(r"[ \t]+#", text[end:]) else None
    braced = re.search(quoted, text[line:start])
    if not braced or "{" not in text[line : line + braced.start()]:
        return None
    begin = line + braced.start()
    after = re.match(r"[ \t]*,[ \t]*", text[end:])
    if after:
        return Edit(begin, end + after.end(), "")
    before = re.search(r"[ \t]*,[ \t]*$", text[line:begin])
    return Edit(line + before.start() if before else begin, end, "")


def _named(document: Placed, entry: Node, part: str, listed: str, keys: list[str], node: Node) -> Edit | None:
    """The name in the list of those that are handed on: in the list that is there, else in a new one."""
    text = document.text
    old = entry[listed]
    if listed in entry.members:
        return _added(document, old, listed, keys)
    above = document.path(node)[:-2]
    place = document.span(node)[0]
    if document.form == "toml":
        line = text.rfind("\n", 0, place) + 1
        braced = re.search(rf"[{{,][ \t]*({part})[ \t]*=[ \t]*\{{[^{{}}\n]*$", text[line:place])
        if braced:
            return Edit(line + braced.start(1), line + braced.start(1), f"{listed} = [{_spelt(document, keys)}], ")
        name = re.escape(str(above[-1]))
        heading = re.search(rf"(?m)^[ \t]*\[[^\[\]\n]*(?:\.|\[)[ \t]*[\"']?{name}[\"']?[ \t]*\][^\n]*(\r?\n)", text)
        return (
            Edit(heading.end(), heading.end(), f"{listed} = [{_spelt(document, keys)}]{heading[1]}")
            if heading
            else None
        )
    table = [*re.finditer(rf"(?m)^([ \t]*){part}[ \t]*:[^\n]*?(\r?\n)", text[:place])]
    if not table:
        return None
    return Edit(
        table[-1].start(), table[-1].start(), f"{table[-1][1]}{listed}: [{_spelt(document, keys)}]{table[-1][2]}"
    )


def _spelt(document: Placed, keys: list[str]) -> str:
    return ", ".join(f'"{key}"' if document.form == "toml" else key for key in keys)


def _added(document: Placed, old: Node, listed: str, keys: list[str]) -> Edit | None:
    """The names behind the last of a list: in its brackets, or each on a line of its own."""
    if not isinstance(old.value, list):
        return None
    if not old.value:
        for one in re.finditer(rf"(?m)^[ \t]*{listed}[ \t]*[=:][ \t]*\[[ \t]*(\])", document.text):
            if line_at(document.text, one.start()) == old.line:
                return Edit(one.start(1), one.start(1), _spelt(document, keys))
        return None
    if not document.stands(old.value[-1]):
        return None
    end = document.span(old.value[-1])[1]
    if re.match(r"[ \t]*,?[ \t]*\]", document.text[end:]):
        return Edit(end, end, f", {_spelt(document, keys)}")
    line = document.text.rfind("\n", 0, end) + 1
    dash = re.match(r"[ \t]*- ", document.text[line:])
    rest = re.match(r"(?:[ \t]+#[^\r\n]*|[ \t]*)(\r?\n)", document.text[end:])
    if document.form == "yaml" and dash and rest:
        at = end + rest.start(1)
        return Edit(at, at, "".join(f"{rest[1]}{dash[0]}{key}" for key in keys))
    return None
