"""The group: help at once, every command there, every fault told in the same words."""

import os
import resource
import subprocess
import sys

import click
import pytest

from remit.cli import main
from remit.cli.output import columns, exit_code, moment, written
from remit.cli.values import SPAN, due, labelled
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.principal import Person

HEAVY = ("cedarpy", "apsw", "uvicorn", "starlette", "cryptography", "msgspec", "asyncio", "joserfc")


def test_help_imports_nothing_heavy_and_answers_at_once() -> None:
    code = (
        "import sys; from remit.cli.main import run; rc = run(['--help']);"
        f"sys.stderr.write(' '.join(m for m in {HEAVY!r} if m in sys.modules)); sys.exit(rc)"
    )
    spent = []
    for _ in range(5):
        before = children()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        spent.append(children() - before)
        assert done.stderr == ""
        assert all(name in done.stdout for name in main.COMMANDS)
    assert min(spent) < 0.5, "the goal is 0.2 s of the processor's time; a busy machine is slow"


def children() -> float:
    """Seconds that the processor worked for children of this process which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("name", sorted(set(main.COMMANDS) - {"demo"}))
def test_every_command_is_where_the_list_says_and_takes_an_output_form(name: str) -> None:
    command = main.remit.get_command(click.Context(main.remit), name)
    assert command is not None
    assert command.help
    leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    lacking = [one.name for one in leaves if not any("--output" in option.opts for option in one.params)]
    assert lacking == (["serve"] if name in {"serve", "witness"} else [])


def test_a_defect_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("hunter2")

    monkeypatch.setattr(main.remit, "main", broken)
    assert main.run([]) == 2
    told = capsys.readouterr().err
    assert "[internal]" in told
    assert "hunter2" not in told
    assert "Traceback" not in told
    with pytest.raises(KeyError):
        main.run(["--debug"])


@pytest.mark.parametrize(
    ("code", "number"),
    [("not_found", 2), ("upstream_timeout", 3), ("store_busy", 3), ("dispatcher_refused", 4), ("plan_wider", 4)],
)
def test_the_exit_code_says_what_kind_of_fault_it_is(code: str, number: int) -> None:
    assert exit_code(code) == number


def test_ids_are_never_cut() -> None:
    assert columns(("id", "x"), [("per_" + "a" * 200, 1)])[1].startswith("per_" + "a" * 200)


def test_values_are_read_as_they_are_written() -> None:
    assert SPAN.convert("15m", None, None) == 900_000
    assert due("2d", Instant(1)) == 1 + 2 * 86_400_000
    assert moment(due("2027-01-31", Instant(0))) == "2027-01-31T00:00:00Z"
    assert due("2027-01-31T01:00:00+01:00", Instant(0)) == due("2027-01-31", Instant(0))
    assert labelled(("a=b=c",)) == {"a": "b=c"}
    for wrong in ("0m", "m", "1y", "-1d"):
        with pytest.raises(click.BadParameter):
            SPAN.convert(wrong, None, None)
    with pytest.raises(RemitError):
        due("yesterday", Instant(0))


def test_a_first_state_is_written_although_a_receipt_leaves_it_out() -> None:
    assert written(Person(id="per_" + "a" * 26))["state"] == "active"


@pytest.mark.parametrize("words", [["--help"], ["--version"]], ids=str)
def test_a_reader_who_left_is_no_fault(words: list[str]) -> None:
    hear, say = os.pipe()
    os.close(hear)
    ran = subprocess.run(
        [sys.executable, "-m", "remit.cli.main", *words], stdout=say, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(say)
    assert (ran.returncode, ran.stderr) == (0, b"")
