"""`remit scan --fix`: what can be mended with no risk, as a patch first; with `--write`, done."""

import os
import shlex
import stat
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from remit.cli.output import NO, complain, emit, many, say
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.finding import Finding, Kind
from remit.core.shown import shown
from remit.scan import dotenv, refer, rewrite
from remit.scan.accepted import Marked, State
from remit.scan.locked import locked
from remit.scan.mend import Left, Mended, mend
from remit.scan.names import Names
from remit.scan.patch import exact, patch
from remit.scan.walk import contents

_OTHERS: Final = 0o007


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be written: files by their new text, and files that others than owner and group can read.

    `asked` is how many findings there are, `left` are those that are mended elsewhere and stay, each with its file, and
    `rest` is how many are neither mended nor named so.
    """

    files: tuple[Mended, ...]
    open: tuple[tuple[str, int], ...]
    asked: int
    left: tuple[tuple[str, Left], ...] = ()
    rest: int = 0


def mending(
    ctx: click.Context, places: Sequence[str], marked: Sequence[Marked], *, write: bool, values: str | None,
    into: str | None, form: str
) -> None:  # fmt: skip
    """Show the patch of what is new; with `write`, apply it; with `into`, write the exact one into that file.

    Exit code 1 when a file could not be written.
    """
    made = plan([one.finding for one in marked if one.state is State.NEW], places)
    apply = put(made, places, into, values) if into is not None and made.files else ""
    refused = applied(made, places, values) if write else []
    emit(form, told(made, refused, written=write, apply=apply), lambda: lines(made))
    if form == "table":
        _say(made, refused, written=write, values=values)
        if into is not None:
            _patched(made, into, apply)
        if made.rest:
            has = "has" if made.rest == 1 else "have"
            say(f"{made.rest} of {many(made.asked, 'finding')} {has} no fix here: remit scan says what to do.")
    if refused:
        ctx.exit(NO)


def plan(findings: Sequence[Finding], places: Sequence[str]) -> Plan:
    """What can be mended of these findings. Files are read again; what cannot be is passed over."""
    by: dict[str, list[Finding]] = defaultdict(list)
    for one in findings:
        by[one.evidence.file].append(one)
    texts = {path: text for path in sorted(by) if (text := _text(path)) is not None}
    names = Names(os.environ)
    for path, text in texts.items():
        names.reserve(text)
        if path.endswith((".yaml", ".yml")):
            names.learn((one.name, one.text) for one in dotenv.pairs(_text(str(Path(path).with_name(".env"))) or ""))
    known = locked(places)
    made = [
        mend(path, text, by[path], names, lambda kind, name, path=path: known(path, kind, name))  # type: ignore[misc]
        for path, text in texts.items()
    ]
    wide = [(path, _mode(path)) for path in sorted(by) if dotenv.wants(path) and _secret(by[path])]
    shut = tuple((path, mode) for path, mode in wide if mode & _OTHERS)
    left = tuple((one.path, each) for one in made for each in one.left)
    files = tuple(one for one in made if one.fixes)
    return Plan(files, shut, len(findings), left, _rest(findings, files, shut, left))


def _rest(
    findings: Sequence[Finding],
    files: Sequence[Mended],
    shut: Sequence[tuple[str, int]],
    left: Sequence[tuple[str, Left]],
) -> int:
    """How many findings nothing is done or said about."""
    met = {(one.path, fix.kind.value, line) for one in files for fix in one.fixes for line in fix.lines}
    met |= {(path, one.code, one.line) for path, one in left}
    closed = {path for path, _ in shut}

    def rests(one: Finding) -> bool:
        path, line = one.evidence.file, one.evidence.line
        if one.kind is Kind.LITERAL_SECRET and path in closed:
            return False
        address = one.kind is Kind.OPEN_REMOTE and refer.ADDRESS in one.evidence.said
        return (path, Kind.LITERAL_SECRET if address else one.kind, line) not in met

    return sum(map(rests, findings))


def applied(made: Plan, places: Sequence[str], values: str | None) -> list[RemitError]:
    """Write all of it, each file whole or not at all; what was refused comes back. Secrets are put away first."""
    unset = _unset(made, places, values)
    if values is not None and unset:
        rewrite.keep(values, _listed(unset))
    refused = []
    for one in made.files:
        try:
            rewrite.rewrite(one.path, one.before.encode(), one.after.encode(), places)
        except (RemitError, OSError) as fault:
            refused.append(_fault(one.path, fault))
    for path, _ in made.open:
        try:
            rewrite.shut(path, places)
        except (RemitError, OSError) as fault:
            refused.append(_fault(path, fault))
    return refused


def put(made: Plan, places: Sequence[str], into: str, values: str | None) -> str:
    """Write the exact patch into a new file, and what it takes out into that of `values`: both, or neither.

    The command that applies it comes back.
    """
    _outside(into, places, "--patch")
    unset = _unset(made, places, values)
    real = [Path(one.path).parent.resolve() / Path(one.path).name for one in made.files]
    base = _base(real)
    found = [exact(one, path.relative_to(base).as_posix()) for one, path in zip(made.files, real, strict=True)]
    rewrite.keep(into, b"".join(found))
    try:
        if values is not None and unset:
            rewrite.keep(values, _listed(unset))
    except BaseException:
        Path(into).unlink()
        raise
    return f"git -C {shlex.quote(str(base))} apply {shlex.quote(str(Path(into).resolve()))}"


def _base(files: Sequence[Path]) -> Path:
    """Where the patch of these files is applied: the root of their work tree of git, else here, else the root."""
    roots = {next((one for one in file.parents if (one / ".git").exists()), None) for file in files}
    root = roots.pop() if len(roots) == 1 else None
    if root is not None:
        return root
    here = Path.cwd()
    return here if all(one.is_relative_to(here) for one in files) else Path("/")


def _listed(taken: dict[str, str]) -> bytes:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(taken.items())).encode()


def _unset(made: Plan, places: Sequence[str], values: str | None) -> dict[str, str]:
    """The secrets that are taken out, but those that are at hand; refused where nothing says where they go."""
    taken = {name: value for one in made.files for fix in one.fixes for name, value in fix.takes}
    unset = {name: value for name, value in taken.items() if os.environ.get(name) != value}
    if unset and values is None:
        raise click.UsageError(
            f"{many(len(unset), 'secret')} to take out of files ({', '.join(sorted(unset))}). Say where they go:"
            " --values FILE, a new file that you alone can open."
        )
    if values is not None and unset:
        _outside(values, places, "--values")
    return unset


def _outside(path: str, places: Sequence[str], option: str) -> None:
    """Refuse a file for secrets below what is scanned; the home is scanned as a whole, and may hold it."""
    home = os.path.realpath(Path.home())
    if any(rewrite.below(path, place) for place in places if os.path.realpath(place) != home):
        raise click.UsageError(f"The file of {option} lies in what is scanned: name one elsewhere.")


def lines(made: Plan) -> list[str]:
    """The patch."""
    found = [line for one in made.files for line in patch(one).rstrip("\n").split("\n")]
    for path, mode in made.open:
        name = shown(path.lstrip("/"))
        found += [f"diff --git a/{name} b/{name}", f"old mode {0o100000 | mode:o}", f"new mode {_shut(mode):o}"]
    return found


def told(made: Plan, refused: Sequence[RemitError], *, written: bool, apply: str = "") -> dict[str, Json]:
    """The same as JSON: docs/spec/scan.md."""
    files: list[Json] = [
        {
            "file": one.path,
            "fixes": [
                {"code": f.kind.value, "line": f.line, "what": f.said, "takes": [name for name, _ in f.takes]}
                for f in one.fixes
            ],
            "patch": patch(one),
        }
        for one in made.files
    ]
    modes: list[Json] = [
        {"file": path, "from": f"{mode:04o}", "to": f"{mode & ~_OTHERS:04o}"} for path, mode in made.open
    ]
    return {
        "version": 1,
        "written": written,
        "apply": shown(apply),
        "files": files,
        "modes": modes,
        "left": [{"file": path, "line": one.line, "code": one.code, "why": one.why} for path, one in made.left],
        "rest": made.rest,
        "refused": [one.message for one in refused],
    }


def _say(made: Plan, refused: Sequence[RemitError], *, written: bool, values: str | None) -> None:
    fixes = [(one.path, fix) for one in made.files for fix in one.fixes]
    for path, fix in fixes:
        say(f"{fix.kind.value} {shown(path)}:{fix.line}: {shown(fix.said)}")
    for path, mode in made.open:
        say(f"AG101 {shown(path)}: its mode is {_shut(mode) & 0o777:o}, closed to all but owner and group")
    for path, left in made.left:
        say(f"{left.code} {shown(path)}:{left.line} stays: {left.why}")
    for fault in refused:
        complain(fault)
    count = sum(1 if fix.kind is not Kind.LITERAL_SECRET else len(fix.takes) for _, fix in fixes) + len(made.open)
    if not count:
        say(f"Nothing can be mended with no risk, for {many(made.asked, 'finding')}.")
        return
    if not written:
        say(
            f"{many(count, 'change')} can be made with no risk, for {many(made.asked, 'finding')}. What is *** is not"
            f" printed: let --write do it, or --patch FILE write what git apply takes."
        )
        return
    say(f"Written: {many(len(made.files) + len(made.open) - len(refused), 'file')}.")
    if any(fix.takes for _, fix in fixes):
        where = f"They are in {shown(values)}; read it into the client's environment." if values else ""
        say(f"Secrets that stood in files are known to whoever read them: have each issued anew. {where}".rstrip())


def _patched(made: Plan, into: str, apply: str) -> None:
    """Say how the patch is applied, and what is not in it."""
    if apply:
        say(f"The exact patch is in {shown(into)}, for: {shown(apply)}")
        say("It holds what it takes out: keep it to yourself.")
    if made.open:
        say(f"{many(len(made.open), 'mode')} to change {'is' if len(made.open) == 1 else 'are'} not in a patch, for git"
            " keeps none. Do it by:")  # fmt: skip
    for path, mode in made.open:
        say(f"  chmod {_shut(mode) & 0o777:o} {shown(shlex.quote(path))}")


def _text(path: str) -> str | None:
    read = contents(path)
    try:
        return None if isinstance(read, str) else read[0].decode()
    except UnicodeDecodeError:
        return None


def _secret(findings: Sequence[Finding]) -> bool:
    return any(one.kind is Kind.LITERAL_SECRET for one in findings)


def _mode(path: str) -> int:
    try:
        seen = Path(path).lstat()
    except OSError:
        return 0
    return stat.S_IMODE(seen.st_mode) if stat.S_ISREG(seen.st_mode) else 0


def _shut(mode: int) -> int:
    return 0o100000 | (mode & ~_OTHERS)


def _fault(path: str, fault: RemitError | OSError) -> RemitError:
    if isinstance(fault, RemitError):
        return fault
    why = fault.strerror or "the system refused"
    return RemitError("fix_refused", f"{path} is not written: {why}.", "Look at the file, and run the scan again.")
