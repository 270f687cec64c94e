"""Fixes in TOML, YAML and every part of a client's settings: what is meant changes, and nothing else, to the byte."""

import json
import random
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from remit.core.finding import Kind
from remit.scan import mend as mending
from remit.scan import readers, refer
from remit.scan.fix import Edit, Fix
from remit.scan.mend import Mended, mend
from remit.scan.names import Names
from remit.scan.patch import exact, patch
from remit.scan.same import GONE, same
from tests.scan.test_mend import differences

LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
REFERENCE = re.compile(r"\$\{(?:env:)?(\w+)(?::\?)?\}|\{env:(\w+)\}|\$\{input:([\w-]+)\}")
CODEX, GOOSE, COMPOSE = ".codex/config.toml", ".config/goose/config.yaml", "compose.yaml"


def mended(path: str, text: str, versions: dict[str, str] | None = None) -> Mended:
    found = readers.read(path, text.encode())
    names = Names({})
    names.reserve(text)
    return mend(
        path, text, () if isinstance(found, str) else found, names, lambda _, name: (versions or {}).get(name, "")
    )


def read(path: str, text: str) -> Any:
    bare = text.removeprefix("\ufeff")
    return tomllib.loads(bare) if path.endswith(".toml") else yaml.safe_load(bare)


class Draw:
    """One made-up file."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.secrets: list[str] = []

    def secret(self) -> str:
        self.secrets.append("".join(self.random.choice(LETTERS) for _ in range(24)))
        return self.secrets[-1]

    def one(self, *given: str) -> str:
        return self.random.choice(given)

    def note(self) -> str:
        return self.one("", "", "  # a 'note\" é", " # = [x]: {y}")

    def ended(self, lines: list[str]) -> str:
        end = self.one("\n", "\r\n")
        return self.one("", "\ufeff") + end.join(lines) + self.one("", end, end + end)

    def codex(self) -> str:
        lines = ['model = "o4"' + self.note(), 'approval_policy = "on-request"', "", "# servers"]
        for n in range(self.random.randint(1, 3)):
            quote = self.one('"', "'")
            name = self.one(f"srv{n}", f'"my srv{n}"')
            lines += [f"[mcp_servers.{name}]{self.note()}", f'command = "npx"{self.note()}']
            lines.append(self.one('args = ["-y", "left"]', 'args = [\n  "-y", # yes\n  "left",\n]', "args = ['x']"))
            lines += self.one("", 'env_vars = ["LANG"]', "env_vars = []").split("\n")[: self.random.randint(0, 1)]
            key, other = f"API_KEY_{n}", f"B{n}_TOKEN"
            kind = self.random.randint(0, 4)
            if kind == 0:
                lines.append(
                    f'env = {{ {key} = {quote}{self.secret()}{quote}, PLAIN = "a", {other} = "{self.secret()}" }}'
                )
            elif kind == 1:
                lines.append(f'env = {{"{key}" = "{self.secret()}"}}{self.note()}')
            elif kind == 2:
                lines += ["", f"[mcp_servers.{name}.env]", f"{key} = {quote}{self.secret()}{quote}{self.note()}"]
                lines += [f'PLAIN = "a"{self.note()}', f'{other}="{self.secret()}"']
            elif kind == 3:
                lines.append(f'http_headers = {{ "Authorization" = "Bearer {self.secret()}" }}{self.note()}')
            else:
                lines.append(f"http_headers = {{ 'X-Api-Key' = '{self.secret()}' }}")
            lines.append("")
        return self.ended("\n".join(lines).split("\n"))

    def goose(self) -> str:
        lines = ["GOOSE_MODE: smart_approve" + self.note(), "extensions:"]
        for n in range(self.random.randint(1, 3)):
            lines += [f"  srv{n}:{self.note()}", "    type: stdio", "    cmd: uvx", "    args: [tool]"]
            lines += self.one("", "    env_keys: []", "    env_keys: [LANG]", "    env_keys:\n      - LANG").split("\n")
            key, quote = f"API_KEY_{n}", self.one("", '"', "'")
            lines += self.one(
                f"    envs:\n      {key}: {quote}{self.secret()}{quote}{self.note()}\n      PLAIN: a{self.note()}",
                f"    envs:\n      {key}: {quote}{self.secret()}{quote}\n      B{n}_TOKEN: {self.secret()}",
                f"    envs: {{{key}: {quote}{self.secret()}{quote}, PLAIN: a}}",
                f"    envs:\n      # a note\n      {key}: {quote}{self.secret()}{quote}",
            ).split("\n")
            lines += [f"    timeout: 30{self.note()}", ""]
        return self.ended([one for one in lines if one or self.random.random() < 0.5])

    def compose(self) -> str:
        lines = [self.one("services:", "name: x # a\nservices:")]
        for n in range(self.random.randint(1, 3)):
            key, quote = self.one("API_KEY", "DB_PASSWORD", f"S{n}_TOKEN"), self.one("", '"', "'")
            lines += [f"  srv{n}:{self.note()}", "    image: a/b:1.2.3", f"    environment:{self.note()}"]
            address = f"postgres://u:{self.secret()}@db/x"
            lines += self.one(
                f"      {key}: {quote}{self.secret()}{quote}{self.note()}\n      PLAIN: 'on'\n      URL: \"{address}\"",
                f"      {{{key}: {quote}{self.secret()}{quote}, PLAIN: on, URL: '{address}'}}",
                f"      - {quote}{key}={self.secret()}{quote}{self.note()}\n      - PLAIN=on\n      - URL={address}",
                f"      PLAIN: &a{n} {self.secret()}\n      {key}: *a{n}",
            ).split("\n")
            lines += [f"    command: [run, '--x']{self.note()}"]
        return self.ended("\n".join(lines).split("\n"))


def made(seed: int) -> tuple[str, str, list[str]]:
    draw = Draw(seed)
    path, text = [(CODEX, draw.codex), (GOOSE, draw.goose), (COMPOSE, draw.compose)][seed % 3]
    return path, text(), draw.secrets


def wrong(one: Mended) -> list[str]:
    """What a slow look by the libraries alone finds: what is gone must have been taken, and a name stand for it."""
    taken = {value: name for fix in one.fixes for name, value in fix.takes}
    said = []
    for at, old, new in differences(read(one.path, one.before), read(one.path, one.after)):
        last = at.rpartition("/")[2]
        if isinstance(old, str) and isinstance(new, str):
            fine = any(new == old.replace(value, f"${{{name}:?}}") for value, name in taken.items())
        elif last in ("env_vars", "env_keys"):
            fine = new[: len(old or [])] == (old or []) and set(new[len(old or []) :]) <= set(taken.values())
        elif last in ("bearer_token_env_var", "env_http_headers"):
            fine = old is None and (new in taken.values() or set(new.values()) <= set(taken.values()))
        elif last == "http_headers":
            fine = new is None and len(old) == 1 and next(iter(old.values())).removeprefix("Bearer ") in taken
        else:
            fine = new is None and old in taken
        said += [] if fine else [at]
    return said


def rows(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\n]*\n|[^\n]+\Z", text))


def touched(one: Mended) -> set[int]:
    """The lines that an edit begins or ends in."""
    bare = one.before.removeprefix("\ufeff")
    return {
        bare.count("\n", 0, at) for fix in one.fixes for each in fix.edits for at in range(each.start, each.end + 1)
    }


def test_nothing_but_what_is_meant_changes_in_toml_and_yaml_of_any_form() -> None:
    count, left = Counter[str](), 0
    for seed in range(60):
        path, text, secrets = made(seed)
        one = mended(path, text)
        assert wrong(one) == [], (path, text, one.after)
        lines = re.findall(r"[^\n]*\n|[^\n]+\Z", one.before.removeprefix("\ufeff"))
        kept = Counter(line for at, line in enumerate(lines) if at not in touched(one))
        assert kept <= rows(one.after.removeprefix("\ufeff")), "a line that no fix names is the same, to the byte"
        assert one.after.startswith("\ufeff") == text.startswith("\ufeff")
        taken = {value for fix in one.fixes for _, value in fix.takes}
        assert not [value for value in taken if re.search(rf"(?<!&a\d ){value}", one.after)]
        shown = patch(one)
        assert not [value for value in secrets if value in shown], "a patch for people holds no secret"
        assert bool(shown) == bool(one.fixes)
        count[path] += len(taken)
        left += len(one.left)
        assert all(each.why for each in one.left)
        again = mended(path, one.after)
        assert [fix for fix in again.fixes if fix.takes] == []
    assert min(count.values()) > 20, count
    assert left


def test_a_line_of_codex_goose_and_compose_is_mended_as_their_pages_say() -> None:
    key = "q7ZtWm2Lx9RbVc4Hn8"
    codex = f'# top\n[mcp_servers.a]\ncommand = "x"\n[mcp_servers.a.env]\nA_KEY = "{key}" # note\nB = "1"\n'
    assert mended(CODEX, codex).after == (
        '# top\n[mcp_servers.a]\nenv_vars = ["A_KEY"]\ncommand = "x"\n[mcp_servers.a.env]\n # note\nB = "1"\n'
    )
    bearer = f'[mcp_servers.a]\nurl = "https://a.example"\nhttp_headers = {{ Authorization = "Bearer {key}" }}\n'
    assert mended(CODEX, bearer).after == (
        '[mcp_servers.a]\nurl = "https://a.example"\nbearer_token_env_var = "A_TOKEN"\n'
    )
    goose = f"extensions:\n  a:\n    cmd: x\n    envs:\n      A_KEY: {key}\n    env_keys: [B]\n"
    assert mended(GOOSE, goose).after == "extensions:\n  a:\n    cmd: x\n    envs: {}\n    env_keys: [B, A_KEY]\n"
    compose = f"services:\n  a:\n    image: x\n    environment:\n      - 'A_KEY={key}' # n\n"
    assert mended(COMPOSE, compose).after == compose.replace(key, "${A_KEY:?}")
    for path, text in ((CODEX, codex), (GOOSE, goose), (COMPOSE, compose)):
        pat = text.replace("A_KEY", "GITHUB_PAT").replace(key, "ghp_" + "a1B2c3D4e5F6g7H8i9" * 2)
        one = mended(path, pat)
        assert (len(one.fixes), "ghp_" in one.after, one.left) == (1, False, ()), "told by its name from now on"


@pytest.mark.parametrize(
    ("path", "word", "parts"),
    [
        (".mcp.json", "${%s}", "env args url"), (".cursor/mcp.json", "${env:%s}", "env args url"),
        (".codeium/windsurf/mcp_config.json", "${env:%s}", "env args url"), (".kiro/settings/mcp.json", "${%s}", "env"),
        (".gemini/settings.json", "${%s}", "env args url"), ("opencode.json", "{env:%s}", "env args url"),
        (".vscode/mcp.json", "${input:%s}", "env args"), ("claude_desktop_config.json", "", ""),
        (".zed/settings.json", "", ""),
    ],
)  # fmt: skip
def test_each_client_refers_where_its_pages_say_so_and_else_it_is_said_why_not(
    path: str, word: str, parts: str
) -> None:
    env, arg, flag, query = ("".join(random.Random(n).choices(LETTERS, k=24)) for n in range(4))
    top = {".vscode/mcp.json": "servers", "opencode.json": "mcp", ".zed/settings.json": "context_servers"}
    entry = {
        "command": "node", "args": ["--api-key", arg, f"--token={flag}", "plain"], "env": {"A_KEY": env},
        "url": f"https://a.example/mcp?x=1&token={query}&y=2",
    }  # fmt: skip
    text = json.dumps({top.get(path, "mcpServers"): {"a": entry}}, indent=1)
    one = mended(path, text)
    for value, part in ((env, "env"), (arg, "args"), (flag, "args"), (query, "url")):
        assert (value in one.after) == (part not in parts.split()), (value, one.after)
    names = [name for fix in one.fixes for name, _ in fix.takes]
    asked = [name.lower().replace("_", "-") if "input" in word else name for name in names]
    assert all(word % name in one.after for name in asked)
    assert [each.why for each in one.left if each.code == "AG101"] == [] or set(parts.split()) < {"env", "args", "url"}
    if not word:
        assert {each.why for each in one.left} == {mending._UNKNOWN}
        assert one.after == text
    if "url" in parts:
        assert re.search(r'"https://a\.example/mcp\?x=1&token=[^&]*\w+[^&]*&y=2"', one.after)


def test_the_patch_for_people_shows_each_change_and_no_value() -> None:
    key = "q7ZtWm2Lx9RbVc4Hn8"
    url = {"mcpServers": {"a": {"url": f"https://u:{key}@h.example/x?api_key={key}k&b=1"}}}
    shown = patch(mended(".cursor/mcp.json", json.dumps(url)))
    assert '"***${env:A_PASSWORD}***${env:A_API_KEY}***"' in shown
    codex = f'[mcp_servers."a.b"]\ncommand="x"\n[mcp_servers."a.b".env]\n"K_TOKEN" = \'{key}\' # {key}\n'
    shown += patch(mended(CODEX, codex))
    assert ' [mcp_servers."a.b".env]\n' in shown
    more = f"\n# {key}\n- {key}\n{key}w: |\n  {key}\nx: &a '{key}'\ny: *a\nz: {key}\n  {key}\n"
    compose = f"services:\n  a:\n    image: b\n    environment:\n      A_KEY: {key}\n    labels: " + more.replace(
        "\n", "\n      "
    )
    assert mended(COMPOSE, compose).after == compose, "what is no YAML is left"
    for text in (more.replace(f"- {key}\n{key}w", "w"), f'"{key}\n  {key}"', f"{{a: {key}, b: ['{key}']}}"):
        bare = f"services:\n  a:\n    image: b\n    environment:\n      A_KEY: {key}q\n    labels: " + text.replace(
            "\n", "\n      "
        )
        one = mended(COMPOSE, bare)
        assert one.fixes, bare
        shown += patch(one)
    keyed = f"services:\n  a:\n    image: b\n    environment: {{A_KEY: {key}, {key}: , {key[::-1]}aa2: }}\n"
    one = mended(COMPOSE, keyed)
    assert one.fixes, "a value where a name stands"
    shown += patch(one)
    assert key not in shown
    assert key[::-1] not in shown


def test_a_file_that_was_cut_up_is_mended_or_left_and_shows_nothing() -> None:
    draw, done = random.Random(7), 0
    for seed in range(120):
        path, text, secrets = made(seed)
        for _ in range(draw.randint(1, 4)):
            at, end = sorted(draw.choices(range(len(text)), k=2))
            kept = draw.choice(("", "\"'{}[]:#,=\n\t&*|>-"[draw.randrange(17)], text[at : at + 30]))
            text = text[:at] + kept + text[min(end, at + draw.randint(0, 9)) :]
        one = mended(path, text)
        shown = patch(one) + "".join(fix.said for fix in one.fixes)
        assert not [value for value in secrets if value in shown], text
        assert bool(exact(one, "x")) == bool(one.fixes) == (one.after != one.before)
        done += bool(one.fixes)
    assert done > 20


def test_git_applies_the_exact_patch_and_what_comes_is_what_was_meant(tmp_path: Path) -> None:
    folder = tmp_path / "tree ü"
    folder.mkdir()
    every, whole = {}, b""
    for seed in range(30):
        path, text, _ = made(seed)
        one = mended(path, text)
        name = ("a b" if seed % 2 else 'é"') + f"{seed}/{path}"
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(text.encode())
        every[name] = one.after
        whole += exact(one, name)
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True, timeout=60)
    for words in (["--check"], []):
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", *words, "-"], cwd=folder, input=whole, capture_output=True,
            check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert {name: (folder / name).read_bytes() for name in every} == {n: text.encode() for n, text in every.items()}


def spoilt(fix: Fix) -> Iterator[Fix]:
    """The same fix, gone wrong in ways that no finding shows."""
    [edit, *rest] = fix.edits
    yield Fix(
        fix.kind,
        fix.line,
        fix.said,
        (Edit(edit.start, edit.end, f'{edit.text}\n    MORE: "1"'), *rest),
        fix.takes,
        meant=fix.meant,
    )
    yield Fix(fix.kind, fix.line, fix.said, fix.edits, fix.takes, meant=())
    yield Fix(fix.kind, fix.line, fix.said, (*fix.edits, Edit(0, 0, "zzz: 1\n")), fix.takes, meant=fix.meant)
    yield Fix(fix.kind, fix.line, fix.said, (Edit(0, edit.end, edit.text), *rest), fix.takes, meant=fix.meant)


def test_a_fix_that_changes_more_than_it_means_is_refused_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "services:\n  a:\n    image: x\n    environment:\n      A_KEY: q7ZtWm2Lx9RbVc4Hn8\n      B: c\n"
    real = refer.fixes
    [good] = mended(COMPOSE, text).fixes
    for number, _ in enumerate(spoilt(good)):

        def bad(*given: Any, number: int = number) -> Iterator[Fix]:
            for one in real(*given):
                yield list(spoilt(one))[number]

        monkeypatch.setattr(refer, "fixes", bad)
        one = mended(COMPOSE, text)
        assert (one.fixes, one.after) == ((), text), number
        assert [(each.code, each.line, each.why) for each in one.left] == [("AG101", 5, mending._AFTER)]


def test_the_same_document_is_told_from_another() -> None:
    fix = Fix(Kind.LITERAL_SECRET, 1, "", (), meant=((("a", "b"), "x"), (("c",), GONE)))
    assert same("yaml", "a: {b: y, d: 1}\nc: 1\n", "a: {b: x, d: 1}\n", [fix])
    assert same("toml", "c = 1\na = {b = 'y'}\n", "a = {b = 'x'}\n", [fix])
    for after in (
        "a: {b: x, d: '1'}\n",
        "a: {b: x, d: 1}\ne: 1\n",
        "a: {b: z, d: 1}\n",
        "a: {b: x, b: x, d: 1}\n",
        "a: [",
    ):
        assert not same("yaml", "a: {b: y, d: 1}\nc: 1\n", after, [fix]), after
    assert not same("toml", "a = {b = 'y'}\n", "a = {b = 'x'}\n", [fix]), "what is to go must be there"


def test_a_name_that_a_file_beside_gives_another_value_is_not_taken() -> None:
    names = Names({})
    names.learn([("A_KEY", "one"), ("B_KEY", "two")])
    assert names.take(["A_KEY", "X_A_KEY"], "three") == "X_A_KEY"
    assert names.take(["B_KEY"], "two") == "B_KEY"
    assert names.keep("C", "1")
    assert not names.keep("C", "2")


def test_a_package_is_held_to_its_version_in_toml_and_yaml_too() -> None:
    codex = '[mcp_servers.a]\ncommand = "npx"\nargs = ["-y", \'left\'] # n\nenv_vars = ["A_TOKEN"]\n'
    assert mended(CODEX, codex, {"left": "1.0.1"}).after == codex.replace("left", "left@1.0.1")
    goose = "extensions:\n  a:\n    cmd: npx\n    args:\n      - -y\n      - left # n\n    env_keys: [A_TOKEN]\n"
    assert mended(GOOSE, goose, {"left": "1.0.1"}).after == goose.replace("left", "left@1.0.1")
    assert [each.why for each in mended(GOOSE, goose).left] == ["no lock of the tree names its version"]


@pytest.mark.parametrize(
    "note", ["Tr0ub4dor3xyz=", "Tr0ub4dor3xyz==", "Tr0ub4dor3=x", "Tr0ub4dor3=${A}", "-tr0ub4dor=x"]
)
def test_what_only_looks_like_a_name_is_no_name(note: str) -> None:
    env = {"NOTE": note, "A_TOKEN": "tok_9fK2mQ7xZr4LwB8sVd3N"}
    shown = patch(mended(".mcp.json", json.dumps({"mcpServers": {"a": {"command": "x", "env": env}}}, indent=1)))
    assert "A_TOKEN" in shown
    assert "r0ub4dor" not in shown
