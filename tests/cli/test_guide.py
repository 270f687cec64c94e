"""The guide's first agent, done by a stranger who types what the page says and nothing else."""

import re
from pathlib import Path

from tests.cli.test_serve import served
from tests.kit.ports import free
from tests.kit.shell import Shell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "first-agent.md"
BLOCK = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_governs_an_agent(tmp_path: Path) -> None:
    shell, port = Shell(tmp_path), free()
    shell.environment["REMIT_PORT"] = str(port)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8").replace("8787", str(port)))
    commands = [line[2:] for kind, _, text in blocks if not kind for line in text.splitlines()]
    for kind, name, text in blocks:
        if kind:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
    serve = commands.index("remit serve &")
    for command in commands[:serve]:
        shell.ok(command)
    with served(shell, port):
        said = [shell.ok(command) for command in commands[serve + 1 :]]
    calls = [text for command, text in zip(commands[serve + 1 :], said, strict=True) if "call.py" in command]
    assert calls[0] == "Note: /notes/today\n"
    assert "argument_refused" in calls[1]
    assert "Note:" not in calls[2]
    assert said[-1].startswith("ok: ")
