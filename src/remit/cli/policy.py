"""`remit policy`: Cedar text in a directory, with the tests that it must pass before it is put in force.

DIR holds `common`, `delegated` and `own`, each with *.cedar files; tests.json and *.test.json lie in DIR or in those.
"""

from pathlib import Path
from typing import Final

import click

from remit.cli.desk import Desk, at_desk
from remit.cli.output import NO, columns, emit, format_option, pairs
from remit.control import policy as policies
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.policy import PolicySet, compile_set
from remit.core.policy_tests import PolicyTest, diff, parse_tests, require, run_tests
from remit.core.trust import TrustPath

Layers = dict[str, dict[str, str]]
FILES: Final = 500


@click.group()
def policy() -> None:
    """Check, test, apply and compare policies. A set whose tests fail, or that carries none, cannot be applied."""


@policy.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@format_option
@click.pass_context
def check(ctx: click.Context, *, folder: str, form: str) -> None:
    """Parse the policies in DIR and hold them against the registered resources."""
    with at_desk(ctx) as desk:
        sets = policies.check(desk.reader, layers(folder))
        data = [{"path": path, "policies": len(one.statements), "digest": one.digest} for path, one in sets.items()]
        emit(form, data, lambda: columns(("path", "policies", "digest"), [tuple(row.values()) for row in data]))


@policy.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@format_option
@click.pass_context
def test(ctx: click.Context, *, folder: str, form: str) -> None:
    """Run the tests that DIR carries. Exit code 1 when one fails."""
    with at_desk(ctx) as desk:
        sets, tests = policies.check(desk.reader, layers(folder)), tests_of(folder)
        if not tests:
            require(sets[TrustPath.OWN.value], tests)
        failures = [(path, one) for path, held in sets.items() for one in run_tests(held, tests)]
        rows = [(path, one.name, one.expected, one.got, " ".join(one.grounds) or "-") for path, one in failures]
        data: Json = {
            "tests": len(tests),
            "failures": [dict(zip(("path", "name", "expected", "got", "grounds"), row, strict=True)) for row in rows],
        }
        emit(
            form,
            data,
            lambda: [
                f"{len(tests)} tests, {len(rows)} failed",
                *(columns(("path", "test", "expected", "got", "grounds"), rows) if rows else []),
            ],
        )
    ctx.exit(NO if failures else 0)


@policy.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@format_option
@click.pass_context
def apply(ctx: click.Context, *, folder: str, form: str) -> None:
    """Put the policies in DIR in force, all at once, when every test passes."""
    with at_desk(ctx) as desk:
        found, tests = layers(folder), tests_of(folder)
        changed = put_in_force(desk, found, tests)
        data = {"changed": changed, "tests": len(tests)}
        emit(form, data, lambda: pairs({"changed": " ".join(changed) or "nothing", "tests passed": len(tests)}))


@policy.command("diff")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@format_option
@click.pass_context
def diff_(ctx: click.Context, *, folder: str, form: str) -> None:
    """Say what DIR would change: policies by id, and answers to its own tests. Exit code 1 when something changes."""
    with at_desk(ctx) as desk:
        new, tests, rows = policies.check(desk.reader, layers(folder)), tests_of(folder), []
        for path, held in new.items():
            asks = {one.name: one.ask() for one in tests if one.path is held.path}
            old = _in_force(desk, TrustPath(path))
            found = diff(old, held, asks)
            rows += [(path, "added", name, "-") for name in found.added]
            rows += [(path, "removed", name, "-") for name in found.removed]
            rows += [(path, "changed", name, "-") for name in found.changed]
            rows += [(path, "answer", one.name, f"{one.before} -> {one.after}") for one in found.answers]
        data = [dict(zip(("path", "what", "name", "answer"), row, strict=True)) for row in rows]
        emit(form, data, lambda: columns(("path", "what", "name", "answer"), rows))
    ctx.exit(NO if rows else 0)


def put_in_force(desk: Desk, found: Layers, tests: tuple[PolicyTest, ...]) -> list[str]:
    """Check, test and apply three layers. Each path's set must carry a test of its own, and pass all of them."""
    for held in policies.check(desk.reader, found).values():
        require(held, tests)
    return desk.act(lambda c: policies.apply(c, found, len(tests), desk.by))


def layers(folder: str) -> Layers:
    """Read the *.cedar files of the three layers (`policy_files`)."""
    base = Path(folder)
    if not base.is_dir():
        raise RemitError(
            "policy_files", f"There is no folder {folder}.", "Name the folder that holds common, delegated and own."
        )
    found: Layers = {name: _read(base / name, "*.cedar") for name in policies.LAYERS}
    stray = sorted(path.name for path in base.glob("*.cedar"))
    if stray or not any(found.values()):
        raise RemitError(
            "policy_files",
            f"{folder} holds {stray[0] if stray else 'no policies'} where none is looked for."
            if stray
            else f"{folder} holds no policies.",
            "Put *.cedar files into its folders common, delegated and own.",
        )
    return found


def tests_of(folder: str) -> tuple[PolicyTest, ...]:
    """Read the tests that lie in the folder and in those of its layers."""
    tests: list[PolicyTest] = []
    for place in (Path(folder), *(Path(folder) / name for name in policies.LAYERS)):
        tests += parse_tests(_read(place, "*.test.json") | _read(place, "tests.json"))
    return tuple(tests)


def _in_force(desk: Desk, path: TrustPath) -> PolicySet | None:
    common, own = (policies.texts(desk.authority, name) for name in ("common", path.value))
    return compile_set(path, common, own, policies.shape(desk.reader)) if common or own else None


def _read(folder: Path, pattern: str) -> dict[str, str]:
    places = sorted(folder.glob(pattern))
    if len(places) > FILES:
        raise RemitError("policy_files", f"{folder} holds over {FILES} files.", "Put policies into fewer files.")
    try:
        return {place.name: place.read_text(encoding="utf-8") for place in places}
    except UnicodeDecodeError as fault:
        raise RemitError("policy_files", f"A file in {folder} is not UTF-8.", "Save it as UTF-8.") from fault
