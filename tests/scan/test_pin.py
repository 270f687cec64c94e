"""Packages held to the version that is known; a version that is no version, or not known, changes nothing."""

import json

import pytest

from remit.scan.fix import edited
from remit.scan.pin import packages
from remit.scan.placed import placed


@pytest.mark.parametrize(
    ("command", "package", "version", "left"),
    [
        ("npx", "@org/notes", "2.3.4", "@org/notes@2.3.4"),
        ("npx", "left@latest", "1.0.1", "left@1.0.1"),
        ("npx", "left", "", "left"),
        ("npx", "left", "file:../x", "left"),
        ("npx", "left", "1.0.1 || evil", "left"),
        ("uvx", "tool", "0.4", "tool@0.4"),
        ("uvx", "git+https://a.example/x", "0.4", "git+https://a.example/x"),
        ("node", "left", "1.0.1", "left"),
    ],
)
def test_a_package_is_held_to_what_is_known(command: str, package: str, version: str, left: str) -> None:
    text = json.dumps({"mcpServers": {"a": {"command": command, "args": ["-y", package, "more"]}}})
    document = placed(text)
    assert document is not None
    after = json.loads(edited(text, packages(document, {1: ""}, lambda _kind, _name: version)))
    assert after["mcpServers"]["a"]["args"] == ["-y", left, "more"]


@pytest.mark.parametrize(
    ("command", "before", "left"),
    [
        ("uvx", ["tool"], ["tool@0.4"]),
        ("uvx", ["--from", "tool", "run"], ["--from", "tool==0.4", "run"]),
        ("pipx", ["run", "tool"], ["run", "tool==0.4"]),
        ("npx", ["-p", "tool", "run"], ["-p", "tool@0.4", "run"]),
    ],
)
def test_a_version_is_written_as_its_runner_takes_it(command: str, before: list[str], left: list[str]) -> None:
    document = placed(json.dumps({"mcpServers": {"a": {"command": command, "args": before}}}))
    assert document is not None
    after = json.loads(edited(document.text, packages(document, {1: ""}, lambda _kind, _name: "0.4")))
    assert after["mcpServers"]["a"]["args"] == left


def test_a_line_on_which_nothing_was_found_is_left() -> None:
    document = placed('{"mcpServers": {"a": {"command": "npx", "args": ["left"]}}}')
    assert document is not None
    assert list(packages(document, {2: ""}, lambda _kind, _name: "1.0.1")) == []
