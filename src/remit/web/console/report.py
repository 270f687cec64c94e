"""Evidence as one HTML file that needs nothing else, readable on a phone and in print."""

import json
from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, Undefined
from markupsafe import Markup

from remit.core.canonical import Json
from remit.core.course import Row, course
from remit.core.flow import Flow, Known, build
from remit.core.flow_svg import svg
from remit.core.receipt import DECIDED, OUTCOME
from remit.core.shown import several, shown


def report(file: dict[str, Json]) -> str:
    """A file of evidence as people read it. It proves nothing by itself: the file does, and remit-verify says so.

    What comes from elsewhere is shown inert: escaped, and without characters that hide or turn.
    """
    pages = Environment(
        loader=PackageLoader("remit.web.console", "pages"), autoescape=True, undefined=Undefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_inert,
    )  # fmt: skip
    pages.filters["when"] = _when
    pages.filters["several"] = several
    pages.filters["clock"] = _clock
    pages.filters["pretty"] = _pretty
    pages.filters["lines"] = _lines
    style = files("remit.web.console").joinpath("pages/style.css").read_text(encoding="utf-8")
    return pages.get_template("report.html").render(style=style, **told(file))


def told(file: dict[str, Json]) -> dict[str, Any]:
    """What the page says, read from the file alone."""
    receipts = [(number, json.loads(body)) for number, body, _ in file["entries"]]
    records = {noun: _latest(receipts, noun) for noun in ("task", "agent", "brief", "approval", "plan")}
    task = records["task"][file["task"]]
    calls = {one["call"]: one for _, one in receipts if one["kind"] == DECIDED}
    rows = course(receipts, every=False)
    counts = Counter(_kind(row) for row in rows if row.call)
    beside = file["beside"]
    ended = [row for row in rows if row.what in ("ended", "revoked", "held", "dead", "irrevocable")]
    return {
        "task": task,
        "agent": records["agent"].get(task["agent"], {}),
        "brief": records["brief"].get(task["brief"], {}),
        "below": [one for name, one in records["task"].items() if one.get("parent") in records["task"]],
        "plans": sorted(records["plan"].values(), key=lambda one: (one["task"], one["version"])),
        "approvals": [(one, beside["cards"].get(name, {}).get("card")) for name, one in records["approval"].items()],
        "rows": rows,
        "picture": Markup(svg(_flow(file, receipts, task, beside["calls"]))),  # noqa: S704 - it escapes all text
        "ended": ended,
        "gaps": [row for row in rows if row.what in ("open", "unknown")],
        "counts": counts,
        "values": {name: _values(one, beside["calls"].get(name)) for name, one in calls.items()},
        "names": beside["people"],
        "head": file["head"],
        "size": file["head"].split("\n")[1],
        "origin": file["head"].split("\n")[0],
        "keys": receipts[-1][1]["record"]["keys"],
        "taken": receipts[-1][1]["at"],
        "entries": len(receipts),
        "policies": [
            (one["record"]["name"], one["record"]["digest"], one["at"], beside["policies"].get(one["record"]["digest"]))
            for _, one in receipts
            if one["kind"] == "policy.applied"
        ],
    }


def _flow(file: dict[str, Json], receipts: list[tuple[int, Json]], task: Json, calls: dict[str, Json]) -> Flow:
    """The errand by identity, from the file's own receipts; of what crossed, what they say themselves."""
    said = [(number, one) for number, one in receipts if one["kind"] in (DECIDED, OUTCOME)]
    erased = frozenset(one["call"] for _, one in said if one.get("args") and one["call"] not in calls)
    return build(file["task"], task.get("blended", 0), said, Known(erased=erased))


def _kind(row: Row) -> str:
    return {"refused": "refused", "asked": "asked"}.get(row.what, "allowed")


def _latest(receipts: list[tuple[int, Json]], noun: str) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for _, one in receipts:
        record = one.get("record", {})
        if record.get("noun") == noun:
            name = f"{record['task']}:{record['version']}" if noun == "plan" else record.get("id") or record["name"]
            found[name] = record
    return found


def _values(decided: Json, held: Json) -> str:
    """The values of a call; the word erased when there were some and they are no more."""
    if held is not None:
        return json.dumps(held["arguments"], ensure_ascii=False)
    return "erased" if decided["args"] else "{}"


def _inert(value: object) -> object:
    return shown(value) if type(value) is str else value


def _when(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _clock(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%H:%M:%S")


def _pretty(value: Json) -> Markup:
    """JSON in lines, with all but plain ASCII escaped."""
    return _lines(json.dumps(value, indent=2, ensure_ascii=True))


def _lines(text: str) -> Markup:
    """Text of several lines, each shown inert by itself."""
    return Markup("\n").join(shown(line) for line in text.split("\n"))
