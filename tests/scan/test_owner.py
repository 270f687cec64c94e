"""Who may own what was met: of a CODEOWNERS file the last pattern counts; labels and repositories say it too."""

import pytest

from remit.scan import owner

OWNERS = """
* @all
/.cursor/ @cursor-people  # a note
*.json @json
/.mcp.json olga@example.com @second
docs/ @docs
apps/*/x.yaml @apps
**/deep/** @deep
/nobody.json
[Section] @section
"""


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("README.md", "@all"), (".cursor/rules", "@cursor-people"), (".cursor/mcp.json", "@json"),
        (".mcp.json", "olga@example.com"), ("a/.mcp.json", "@json"), ("a/docs/x", "@docs"), ("docs", "@all"),
        ("apps/a/x.yaml", "@apps"), ("apps/a/b/x.yaml", "@all"), ("a/deep/b/c.yaml", "@deep"), ("nobody.json", ""),
    ],
)  # fmt: skip
def test_the_last_pattern_counts(path: str, who: str) -> None:
    assert owner.listed(OWNERS, path) == who


@pytest.mark.parametrize(
    ("path", "text", "who"),
    [
        ("compose.yaml", "services:\n  bot:\n    image: a\n    labels: [com.acme.owner=ann]\n", "ann"),
        ("compose.yaml", "services:\n  other:\n    labels: {team: them}\n  bot:\n    labels: {team: ours}\n", "ours"),
        ("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: bot\n  annotations: {acme.io/owner: ann}\n", "ann"),
        ("a.tf", 'resource "x" "bot" {\n  tags = { Owner = "ann" }\n}\n', "ann"),
        ("a.yaml", "metadata:\n  name: bot\n  labels: {owner: '<b>\\n'}\n", ""),
        ("a.yaml", "metadata:\n  name: bot\n  labels: {ownership: ann}\n", ""),
        ("a.yaml", "[", ""),
    ],
)
def test_a_label_says_it(path: str, text: str, who: str) -> None:
    assert owner.labelled(path, text, "bot") == who


def test_a_repository_has_a_user() -> None:
    assert (
        owner.user('[core]\n\temail = no\n[user]\n\tname = Olga\n\temail = "o@example.com"\n[x]\n') == "o@example.com"
    )
    assert owner.user("[user]\n\tname = Olga\n[x]\n\temail = no\n") == ""
