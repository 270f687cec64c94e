"""A proposal of a narrower brief as people read it: what changes, what replay said, and who may say yes to it."""

from collections.abc import Iterator, Sequence

from remit.cli.output import columns, moment, pairs
from remit.cli.values import compact
from remit.core.brief import Brief
from remit.core.canonical import Json
from remit.core.rightsize import Rightsize, differences
from remit.core.shown import several
from remit.core.step import Step

HEAD = ("step", "action", "path", "what", "before", "then")


def said(counts: dict[str, Json]) -> str:
    """A replay in one sentence."""
    then = counts["allowed"] + counts["fail"]
    return (
        f"{counts['fail']:,} of {several(then, 'allowed call')} would fail, {counts['refused']:,} refused stay refused,"
        f" {counts['open']:,} refused would be allowed, {counts['erased']:,} not replayable because erased,"
        f" {counts['unlike']:,} because the ledger does not hold what they rested on."
    )


def named(what: str, found: Sequence[dict[str, Json]]) -> list[str]:
    """Calls by name, as a table; nothing where there are none."""
    rows = [(one["leaf"], moment(one["at"]), one["action"], one["task"], one["call"], one["code"]) for one in found]
    return ["", *columns(("entry", "at", "action", "task", "call", what), rows)] if rows else []


def card(one: Rightsize, body: dict[str, Json], old: Brief, new: Brief) -> list[str]:
    """All that a yes is given to, in words: each thing that changes, why, and the replay. What is not named stays."""
    members = {
        "proposal": one.id,
        "brief": f"{one.brief}, version {one.base}",
        "seen": f"{moment(one.since)} to {moment(one.until)}",
        "shown": one.shown,
    }
    replay, notes = body["replay"], {note["step"]: note for note in body["notes"]["steps"]}
    rows: list[tuple[object, ...]] = []
    same = 0
    for number, step in enumerate(old.steps):
        place = body["moved"][number]
        less = list(_less(step, new.steps[place])) if 0 <= place < len(new.steps) else [("the step", "given", "gone")]
        same += not less
        rows += [(number, step.action, step.path.value, *each) for each in less]
    rows += [
        ("", "", "", name, compact(before), compact(then)) for name, (before, then) in differences(old, new).items()
    ]
    why = [(number, "; ".join(note["why"])) for number, note in sorted(notes.items())]
    beyond = replay["plans"]
    return [
        *pairs(members),
        "",
        "What changes:",
        *(columns(HEAD, rows) if rows else ["nothing"]),
        f"{several(same, 'step')} of {len(old.steps)} {'stays' if same == 1 else 'stay'} as given.",
        "",
        "Why:",
        *columns(("step", "what was seen"), why),
        "",
        "Every recorded call, decided again under it:",
        said(replay),
        *([f"{several(beyond, 'plan')} would not be within it, sent again as they were."] if beyond else []),
        *named("would fail", replay["failing"]),
        *named("was refused", replay["opened"]),
    ]


def asks(one: Rightsize, open_to: dict[str, list[str]], by: str) -> list[str]:
    """Who may say yes: of each group that is asked, those who have not; and who may not."""
    lines = [
        f"It takes {one.need} of {group}, who may be: {' '.join(people) or 'nobody who is here'}."
        for group, people in open_to.items()
    ]
    return [*(lines or ["Nobody more is asked."]), f"{by} offered it, and does not answer it."]


def _less(before: Step, then: Step) -> Iterator[tuple[str, str, str]]:
    """In what a step is other than before, by member: each argument's limits in words."""
    for name in sorted(before.arguments.keys() | then.arguments.keys()):
        one, other = _limits(before, name), _limits(then, name)
        if one != other:
            yield f"argument {name}", one, other
    mine, theirs = before.to_json(), then.to_json()
    for name in sorted((mine.keys() | theirs.keys()) - {"action", "path", "arguments", "optional"}):
        if mine.get(name) != theirs.get(name):
            yield name, _plain(mine.get(name)), _plain(theirs.get(name))


def _limits(step: Step, name: str) -> str:
    limits = step.arguments.get(name)
    if limits is None:
        return "any value" if step.allow_unknown else "not given"
    words = " and ".join(one.says() for one in limits)
    return f"{words}, or left out" if name in step.optional else words


def _plain(value: Json) -> str:
    return "no limit" if value is None else compact(value)
