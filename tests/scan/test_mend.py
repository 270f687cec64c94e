"""What is mended: each finding goes, none comes, and nothing else of a file means anything else, to the byte."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from remit.scan import consent, jsonc, readers, refer, verbs
from remit.scan import mend as mending
from remit.scan.fix import Edit, Fix, edited
from remit.scan.mend import Mended, mend
from remit.scan.names import Names
from remit.scan.node import Node
from remit.scan.patch import patch
from remit.scan.placed import Placed, placed
from tests.kit import corpus

REFERENCE = re.compile(r"\$\{(?:env:|input:)?[\w-]+(?::\?)?\}|\{env:\w+\}")
LET = re.compile(r"\s*(?:\|\||;)\s*(?:true|:|exit 0)\s*;?\s*$")
VERSIONS = {"@org/notes": "2.3.4", "left": "1.0.1"}
KEY = "q7Zt" + "Wm2Lx9" + "RbVc4Hn8"
PATHS = (".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json", ".kiro/settings/mcp.json", ".gemini/settings.json",
         "opencode.json", ".claude/settings.json", "claude_desktop_config.json", ".claude.json")  # fmt: skip


def mended(path: str, text: str, environ: dict[str, str] | None = None) -> Mended:
    found = readers.read(path, text.encode())
    names = Names(environ or {})
    names.reserve(text)
    return mend(path, text, () if isinstance(found, str) else found, names, lambda _, name: VERSIONS.get(name, ""))


def plain(text: str) -> Any:
    def of(node: Node) -> Any:
        if isinstance(node.value, dict):
            return {name: of(one) for name, one in node.value.items()}
        return [of(one) for one in node.value] if isinstance(node.value, list) else node.value

    found = jsonc.read(text.removeprefix("\ufeff"))
    return of(found) if found else None


def differences(old: Any, new: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every place at which two documents are not the same."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from differences(old.get(name), new.get(name), f"{at}/{name}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{at}/{place}")
    elif old != new or type(old) is not type(new):
        yield at, old, new


def wrong(one: Mended) -> list[str]:
    """What a slow look finds against a mended file: every change must be of one of the kinds that are safe."""
    taken = {value for fix in one.fixes for _, value in fix.takes}
    said = []
    for at, old, new in differences(plain(one.before), plain(one.after)):
        if at == "/inputs":
            fine = new[len(new) - len(old or []) :] == (old or []) and all(each["password"] is True for each in new)
        elif isinstance(old, list) and isinstance(new, list):
            left = iter(old)
            gone = Counter(map(str, old)) - Counter(map(str, new))
            fine = all(each in left for each in new) and all(
                verbs.writes(each) or consent.rule_writes(each) for each in gone
            )
        elif isinstance(old, bool):
            fine = (old, new) in ((True, False), (False, True))
        elif isinstance(old, str) and isinstance(new, str):
            fine = (
                any(new == old.replace(value, one[0]) for value in taken for one in REFERENCE.finditer(new))
                or new == f"{LET.sub('', old)} || exit 2"
                or new in ("default", "ask")
                or new in {f"{name}@{version}" for name, version in VERSIONS.items()}
            )
        else:
            fine = False
        if not fine:
            said.append(at)
    before, after = (Counter(_found(one.path, text)) for text in (one.before, one.after))
    said += [f"new: {each}" for each in after - before if not at_mended(one, *each)]
    if (before - after).total() < len(one.fixes):
        said.append("a fix took nothing away")
    return said


def at_mended(one: Mended, code: str, what: str) -> bool:
    """Whether it is told of a credential that is taken out, and only that it does not end by itself."""
    owner, _, rest = what.partition(": ")
    name = rest.partition(" is ")[0]
    taken = {value for fix in one.fixes for _, value in fix.takes}
    places = [
        at.split("/")
        for at, old, _ in differences(plain(one.before), plain(one.after))
        if isinstance(old, str) and any(value in old for value in taken)
    ]
    return code == "AG104" and any(owner in at and (at[-1] == name or at[-1].isdigit()) for at in places)


def _found(path: str, text: str) -> list[tuple[str, str]]:
    found = readers.read(path, text.encode())
    assert not isinstance(found, str)
    said = [(one.kind.value, one.evidence.said) for one in found]
    full = [(code, f"{what}, in full") for code, what in said if what.endswith("address holds a token")]
    return [(code, what.replace("holds a token", "refers to a token")) for code, what in said] + full


def made_up(seed: int) -> tuple[str, str]:
    """A client's file, written in a way that nobody would foresee."""
    draw = random.Random(seed)
    path = draw.choice(PATHS)
    end, space = draw.choice(("\n", "\r\n", "")), draw.choice(("  ", "\t", "", " "))

    def secret() -> str:
        return "".join(draw.choice("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(24))

    def server() -> dict[str, Any]:
        return {
            "command": draw.choice(("npx", "uvx", "node")),
            "args": [
                "-y", draw.choice(("@org/notes", "left@latest", "unknown", "x@1.2.3")), 'é\u202e"\\',
                "--api-key", secret(), f"--token={secret()}",
            ],
            "url": draw.choice((f"https://h.example/x?a=1&token={secret()}", "https://h.example/x")),
            draw.choice(("env", "environment", "other")): {"API_KEY": secret(), "HOME_PAGE": "a", "B": "${API_KEY}"},
            "headers": {"Authorization": draw.choice((f"Bearer {secret()}", "Bearer ${X}")), "X-Trace": secret()},
            draw.choice(consent.LISTS): draw.choice(([], ["get_a", "drop_b"], ["push_c"], ["list_d"], True)),
            "trust": draw.choice((True, False)), "timeout": draw.choice((1, 2.5, None)),
        }  # fmt: skip

    whole: dict[str, Any] = {
        draw.choice(("mcpServers", "servers", "mcp")): {f"s {n}": server() for n in range(draw.randint(0, 3))},
        "permissions": {
            "allow": draw.choice((["Read", "Bash(git push:*)"], ["Bash"], [])),
            "defaultMode": "acceptEdits",
        },
        "hooks": {"PreToolUse": [{"hooks": [{"command": f"./check {secret()} || true"}]}]},
        "enableAllProjectMcpServers": draw.choice((True, False)),
    }
    if draw.random() < 0.3:
        whole["inputs"] = draw.choice(([], [{"id": "api-key", "type": "promptString", "password": True}]))
    text = json.dumps(whole, indent=space or None, ensure_ascii=draw.random() < 0.5)
    text = text.replace("\n", end)
    if end and draw.random() < 0.6:
        text = re.sub(r",(?=\r?\n)", lambda m: draw.choice((",", ", // a note", ", /* b */", " ,")), text)
    return path, draw.choice(("", "\ufeff")) + text + end


@pytest.mark.parametrize("part", range(2))
def test_nothing_but_what_is_safe_changes_in_files_of_any_form(part: int) -> None:
    count = Counter[str]()
    for seed in range(part * 30, part * 30 + 30):
        path, text = made_up(seed)
        one = mended(path, text)
        assert wrong(one) == [], (path, text)
        again = mended(path, one.after, {name: value for fix in one.fixes for name, value in fix.takes})
        assert again.fixes == ()
        kept = text
        for each in sorted((edit for fix in one.fixes for edit in fix.edits), key=lambda edit: -edit.start):
            start = each.start + text.startswith("\ufeff")
            kept = kept[:start] + each.text + kept[each.end + text.startswith("\ufeff") :]
        assert kept == one.after, "only what an edit names is changed"
        shown = patch(one)
        for fix in one.fixes:
            count[fix.kind.value] += 1
            assert not [1 for _, value in fix.takes if value in shown]
        assert not re.search(r"[A-Za-z2-9]{24}", shown.replace("enableAllProjectMcpServers", ""))
        assert "\u202e" not in shown
    assert min(count[code] for code in ("AG101", "AG131", "AG120")) > 2


def test_what_is_mended_in_the_corpora_is_safe_and_shows_no_secret() -> None:
    fixed = Counter[str]()
    for folder in (corpus.FOLDER, corpus.SECOND):
        for code in corpus.codes(folder):
            for case in corpus.cases(code, folder):
                for path, raw in case.files:
                    text = corpus.expand(raw, case.name)
                    if not readers.wants(path) or placed(text) is None:
                        continue
                    one = mended(path, text)
                    assert wrong(one) == [], (case.name, path)
                    fixed.update(fix.kind.value for fix in one.fixes)
                    shown = patch(one)
                    assert not [v for fix in one.fixes for _, v in fix.takes if v in shown], case.name
    assert fixed["AG101"] > 5
    assert fixed["AG131"] > 10


CLASSIC = "ghp_" + "a1B2c3D4e5F6g7H8i9" + "J0k1L2m3N4o5P6q7R8"
FINE = "github_pat_" + "11ABCDEFG0a1B2c3D4e5F6g7" + "_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8a1B2c3D4e5F6g7H8i9J0k1L"


@pytest.mark.parametrize("key", [CLASSIC, FINE])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("path", "part"),
    [
        (".mcp.json", {"env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "%"}}), (".mcp.json", {"args": ["-e", "GITHUB_PAT=%"]}),
        (".mcp.json", {"args": ["--pat", "%"]}), (".cursor/mcp.json", {"headers": {"GITHUB_PAT": "%"}}),
        (".vscode/mcp.json", {"env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "%"}}),
    ],
)  # fmt: skip
def test_what_is_told_by_its_name_once_its_value_is_gone_stops_no_fix(
    path: str, part: Any, indent: int | None, key: str
) -> None:
    top = "servers" if "vscode" in path else "mcpServers"
    text = json.dumps({top: {"github": {"command": "docker", **part}}}, indent=indent).replace("%", key)
    one = mended(path, text)
    assert wrong(one) == []
    assert [value for fix in one.fixes for _, value in fix.takes] == [key]
    assert key not in one.after
    assert one.left == ()


def test_a_fix_may_say_no_more_of_another_place_than_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"GITHUB_PERSONAL_ACCESS_TOKEN": CLASSIC, "GITLAB_PAT": ""}
    text = json.dumps({"mcpServers": {"a": {"command": "node", "env": env}}}, indent=1)
    real = refer.fixes

    def bad(path: str, document: Placed, *given: Any) -> Iterator[Fix]:
        empty = next(node for node in document.nodes if document.name(node) == "GITLAB_PAT")
        for one in real(path, document, *given):
            edit, meant = Edit(*document.span(empty), '"${X}"'), (document.path(empty), "${X}")
            yield replace(one, edits=(*one.edits, edit), meant=(*one.meant, meant))

    assert mended(".mcp.json", text).fixes
    monkeypatch.setattr(refer, "fixes", bad)
    one = mended(".mcp.json", text)
    assert (one.fixes, [each.why for each in one.left]) == ((), [mending._AFTER])


def test_a_credential_that_another_hid_on_one_line_stops_no_fix() -> None:
    servers = {
        "a": {"command": "node", "env": {"GITHUB_TOKEN": CLASSIC}},
        "b": {"command": "node", "env": {"GITLAB_PAT": "${GITLAB_PAT}"}},
    }
    one = mended(".mcp.json", json.dumps({"mcpServers": servers}))
    assert (len(one.fixes), one.left) == (1, ())


def test_a_change_that_is_not_safe_is_seen() -> None:
    text = json.dumps({"mcpServers": {"a": {"command": "node", "env": {"API_KEY": KEY}, "trust": True}}})
    good = mended(".mcp.json", text)
    assert wrong(good) == []
    for spoilt in (
        text.replace(KEY, "${OTHER}").replace("node", "sh"),
        text.replace("true", "null"),
        good.after.replace('"trust": false', '"trust": true, "url": "http://a.example.com"'),
    ):
        assert wrong(Mended(good.path, text, spoilt, good.fixes))


def test_edits_are_made_from_the_end_and_leave_the_rest() -> None:
    fixes = [Fix(good, 1, "", (Edit(at, at + 1, text),)) for good, at, text in ((None, 0, "XYZ"), (None, 3, ""))]  # type: ignore[arg-type]
    assert edited("abcdef", fixes) == "XYZbcef"


def test_a_document_knows_where_each_value_stands_and_refuses_a_doubtful_one() -> None:
    text = '{ // c\n "a": [1, {"b": "x\\u0041"}], }'
    found = placed(text)
    assert found is not None
    spans = {found.name(node): text[slice(*found.span(node))] for node in found.nodes}
    assert spans == {"": text, "a": '{"b": "x\\u0041"}', "b": '"x\\u0041"'}
    assert [text[slice(*at)] for at in found.comments] == [" // c\n "]
    assert placed('{"a": 1, "a": 2}') is None
    assert placed('{"a": 1} x') is None


@pytest.mark.parametrize(
    ("path", "reference"),
    [
        (".mcp.json", "${API_KEY}"), (".cursor/mcp.json", "${env:API_KEY}"), (".vscode/mcp.json", "${input:api-key}"),
        (".kiro/settings/mcp.json", "${API_KEY}"), (".codeium/windsurf/mcp_config.json", "${env:API_KEY}"),
        (".gemini/settings.json", "${API_KEY}"), ("opencode.json", "{env:API_KEY}"),
        ("claude_desktop_config.json", None), (".claude.json", None),
    ],
)  # fmt: skip
def test_each_client_gets_the_reference_that_it_knows_and_no_other(path: str, reference: str | None) -> None:
    key = "servers" if "vscode" in path else "mcp" if "opencode" in path else "mcpServers"
    text = json.dumps({key: {"a": {"command": "node", "args": ["x"], "env": {"API_KEY": KEY}}}}, indent=2)
    one = mended(path, text)
    assert [fix.takes for fix in one.fixes] == ([(("API_KEY", KEY),)] if reference else [])
    if reference:
        assert plain(one.after)[key]["a"]["env"] == {"API_KEY": reference}


def test_one_name_never_stands_for_two_values() -> None:
    names = Names({"SET": "one"})
    names.reserve('{"x": "${USED} ${input:an-id} $BARE {env:CODE}"}')
    assert names.take(["API_KEY"], "a") == names.take(["API_KEY"], "a") == "API_KEY"
    assert names.take(["API_KEY", "S_API_KEY"], "b") == "S_API_KEY"
    assert names.take(["API_KEY", "S_API_KEY"], "c") == "S_API_KEY_2"
    assert (names.take(["SET"], "one"), names.take(["SET"], "two")) == ("SET", "SET_2")
    assert [names.take([one], "v") for one in ("USED", "an-id", "BARE", "CODE")] == [
        "USED_2", "AN_ID_2", "BARE_2", "CODE_2",
    ]  # fmt: skip
