"""What a person types, and what they see: each transcript is run in an empty folder, command by command."""

import re
from pathlib import Path

import pytest

from tests.kit.shell import Shell

HERE = Path(__file__).parent
TRANSCRIPTS = sorted(HERE.glob("*.txt"))


def commands(text: str) -> list[tuple[str, str, int]]:
    """Take a transcript apart: each command, the pattern of what it says, its exit code."""
    found = []
    for block in re.split(r"^(?=\$ )", text, flags=re.MULTILINE)[1:]:
        first, _, rest = block.partition("\n")
        lines = rest.rstrip("\n").split("\n") if rest.strip() else []
        code = int(lines.pop().removeprefix("exit ")) if lines and re.fullmatch(r"exit \d", lines[-1]) else 0
        found.append((first.removeprefix("$ "), pattern(lines), code))
    return found


def pattern(lines: list[str]) -> str:
    """`[..]` stands for anything within a line, a line of three dots for any number of lines."""
    parts = [
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(re.escape("[..]"), ".*") + r"\n" for line in lines
    ]
    return "".join(parts) + r"\n*"


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_is_what_happens(transcript: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path).files()
    for command, expected, code in commands(transcript.read_text(encoding="utf-8")):
        ran = shell.run(command, together=True)
        assert re.fullmatch(expected, ran.out), f"$ {command}\n{ran.out}\n--- is not ---\n{expected}"
        assert ran.code == code, (command, ran)


def test_the_runner_sees_a_difference() -> None:
    ((command, expected, code),) = commands("$ say\none [..] three\n...\nend\nexit 1\n")
    assert (command, code) == ("say", 1)
    assert re.fullmatch(expected, "one two three\nmore\nend\n")
    assert not re.fullmatch(expected, "one two four\nmore\nend\n")
    assert not re.fullmatch(expected, "one two three\nmore\n")


def test_there_are_transcripts() -> None:
    told = [command for path in TRANSCRIPTS for command, _, _ in commands(path.read_text(encoding="utf-8"))]
    assert len(told) > 8
