"""Versions that a scanned tree names: of its own locks and installed packages, and of none outside it."""

from pathlib import Path

from remit.scan.locked import locked


def test_versions_come_from_locks_and_installed_packages_of_the_tree_alone(tmp_path: Path) -> None:
    tree = tmp_path / "site"
    for folder in ("app/.cursor", "app/node_modules/left", "app/deep"):
        (tree / folder).mkdir(parents=True)
    (tree / "app" / "node_modules" / "left" / "package.json").write_text('{"version": "1.0.1"}')
    (tree / "uv.lock").write_text(
        '[[package]]\nname = "my-tool"\nversion = "0.4"\n[[package]]\nname = "two"\nversion = "1"\n'
        '[[package]]\nname = "two"\nversion = "2"\n'
    )
    (tmp_path / "package-lock.json").write_text('{"packages": {"node_modules/up": {"version": "9.9.9"}}}')
    (tree / "app" / "package-lock.json").write_text("[" * 100_000)
    known, path = locked([str(tree)]), str(tree / "app" / ".cursor" / "mcp.json")
    assert known(path, "npm", "left") == "1.0.1"
    assert known(path, "pypi", "My_Tool") == "0.4"
    (tree / "poetry.lock").write_text('[[package]]\nname = "poet"\nversion = "3.1"\n')
    (tree / "pnpm-lock.yaml").write_text(
        "packages:\n\n  '@org/a@1.2.3':\n    resolution: {}\n\n  two@1.0.0:\n    x: 1\n\n  two@2.0.0:\n    x: 1\n\n"
        "snapshots:\n\n  '@org/a@1.2.3(react@18.0.0)': {}\n  /old@0.1.0:\n    x: 1\n"
    )
    (tree / "yarn.lock").write_text(
        '"@org/y@^1.0.0", "@org/y@^1.1.0":\n  version "1.4.0"\n  resolved "x"\n\nleftover@1:\n  version: 1.9.9\n'
    )
    other = str(tree / "app.json")
    fresh = locked([str(tree)])
    wanted = {"@org/a": "1.2.3", "two": "", "old": "0.1.0", "@org/y": "1.4.0", "leftover": "1.9.9"}
    assert {name: fresh(other, "npm", name) for name in wanted} == wanted
    assert fresh(other, "pypi", "poet") == "3.1"
    assert (known(path, "pypi", "two"), known(path, "npm", "up"), known(path, "npm", "../left")) == ("", "", "")
