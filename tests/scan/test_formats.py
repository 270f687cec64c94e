"""Formats as nodes: values with the line on which each begins, and documents that are none."""

import re

import pytest

from remit.scan import hcl, jsonc, tomldoc, yamldoc
from remit.scan.cursor import Cursor
from remit.scan.node import DEEPEST, NOTHING, Node


def flat(node: Node, path: str = "") -> dict[str, tuple[object, int]]:
    """Every plain value by its path, with its line."""
    if isinstance(node.value, dict):
        parts = node.value.items()
        return {k: v for name, one in parts for k, v in flat(one, f"{path}/{name}").items()}
    if isinstance(node.value, list):
        return {k: v for at, one in enumerate(node.value) for k, v in flat(one, f"{path}/{at}").items()}
    return {path: (node.value, node.line)}


def test_yaml_keeps_lines_and_reads_tags_as_references() -> None:
    text = 'a: !Ref Table\nb:\n  - 1\n  - "x"\nc: &c {d: yes}\ne: {<<: *c, f: null}\n---\ng: !Sub "a${B}"\n'
    first, second = yamldoc.read(text) or (NOTHING, NOTHING)
    assert flat(first) == {
        "/a": ("${Table}", 1), "/b/0": (1, 3), "/b/1": ("x", 4), "/c/d": (True, 5), "/e/d": (True, 5),
        "/e/f": (None, 6),
    }  # fmt: skip
    assert flat(second) == {"/g": ("a${B}", 8)}


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "a: &a [*a]", "\x00"])
def test_what_is_no_yaml_is_refused(text: str) -> None:
    assert yamldoc.read(text) is None


def test_aliases_that_unfold_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert yamldoc.read("\n".join(lines)) is None


def test_toml_keeps_lines_of_keys_tables_and_lists() -> None:
    text = 'a = 1\n[b.c]\nd = "x"\ne = [\n  "p",\n  "q",\n]\n[[f]]\ng = true\n[[f]]\ng = false\n'
    found = tomldoc.read(text)
    assert found is not None
    assert flat(found) == {
        "/a": (1, 1), "/b/c/d": ("x", 3), "/b/c/e/0": ("p", 5), "/b/c/e/1": ("q", 6), "/f/0/g": (True, 9),
        "/f/1/g": (False, 11),
    }  # fmt: skip
    assert tomldoc.read("a = ") is None


def test_hcl_reads_blocks_objects_heredocs_and_references() -> None:
    text = """# a comment
variable "key" { default = "v" }
resource "aws_iam_policy" "p" {
  policy = jsonencode({ Statement = [{ Effect = "Allow", "Action" : ["s3:*"] }] })
  other  = <<-EOT
    {"Statement": [
      {"Effect": "Deny"}]}
  EOT
  name = "${var.a}-b"
  n    = var.count > 1 ? [for x in y : x] : []
  flag = true
}
"""
    found = hcl.read(text)
    assert found is not None
    assert flat(found) == {
        "/variable/0/default": ("v", 2), "/variable/0/$labels/0": ("key", 2),
        "/resource/0/policy/Statement/0/Effect": ("Allow", 4), "/resource/0/policy/Statement/0/Action/0": ("s3:*", 4),
        "/resource/0/other/Statement/0/Effect": ("Deny", 7), "/resource/0/name": ("${var.a}-b", 9),
        "/resource/0/n": ("${var.count > 1 ? [for x in y : x] : []}", 10), "/resource/0/flag": (True, 11),
        "/resource/0/$labels/0": ("aws_iam_policy", 3), "/resource/0/$labels/1": ("p", 3),
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["a = {", "a {", 'a = "x', "= 1", "a " * 3, "x = <<E\nno end\n", "a = [" * (DEEPEST + 2)]
)
def test_what_is_no_hcl_is_refused(text: str) -> None:
    assert hcl.read(text) is None


def test_a_cursor_knows_its_line_and_takes_only_what_comes_next() -> None:
    cursor = Cursor("a \n b", re.compile(r"\s*"))
    assert (cursor.take("b"), cursor.take("a"), cursor.here()) == (False, True, 1)
    assert (cursor.take("b"), cursor.here(), cursor.at) == (True, 2, 5)


def test_a_node_that_is_not_there_holds_nothing() -> None:
    node = jsonc.read('{"a": [{"b": 1}]}')
    assert node is not None
    assert (node["x"]["y"], node["x"].items, node["x"].text) == (NOTHING, [], "")
    assert [one.value for one in node.inside() if not isinstance(one.value, dict | list)] == [1]
