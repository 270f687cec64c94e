"""A scan as one HTML file that needs nothing else: no script, no font, no address, readable on a phone. Pure.

What is shown can be narrowed by severity, state and code: by the boxes themselves and the style's `:has`.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from remit.core.finding import Severity
from remit.core.shown import shown
from remit.scan import shapes
from remit.scan.accepted import State
from remit.scan.report import Report

SAID: Final = {"new": "open", "known": "known before", "suppressed": "answered for"}
"""What people call the states."""


def page(report: Report) -> str:
    """The report as HTML. What comes from files is shown inert: escaped, and without characters that hide or turn."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_inert)
    template = environment.from_string(_file("report.html"))
    counts = Counter(one.state for one in report.findings)
    titles = {one.code: one.title for one in report.findings}
    codes = Counter(one.code for one in report.findings)
    severe = Counter(one.severity for one in report.findings)
    severities = [(one.value, severe[one]) for one in reversed(Severity) if severe[one]]
    states = [(one.value, counts[one]) for one in State if counts[one]]
    style = _file("report.css") + "".join(_rules((name for name, _ in (*severities, *states)), sorted(codes)))
    return template.render(
        report=report,
        counts={state.value: counts[state] for state in State},
        severities=severities,
        states=states,
        codes=[(code, titles[code], codes[code]) for code in sorted(codes)],
        said=SAID,
        fewer="" if report.shapes else shapes.FEWER,
        more=shapes.told(report.shapes),
        style=Markup(style),  # noqa: S704 - our own file, and names of ours
        digest=f"sha256-{b64encode(sha256(style.encode()).digest()).decode()}",
    )


def _rules(boxes: Iterable[str], codes: Iterable[str]) -> Iterator[str]:
    """What hides findings: those of a box that is not ticked, and all but those of the code that is chosen."""
    for name in boxes:
        yield f"body:has(#is-{name}:not(:checked)) article.{name} {{ display: none; }}\n"
    for code in codes:
        yield f"body:has(#is-{code}:checked) article:not(.{code}) {{ display: none; }}\n"


def _file(name: str) -> str:
    return (files("remit.scan") / "pages" / name).read_text(encoding="utf-8")


def _inert(value: object) -> object:
    return shown(value) if type(value) is str else value
