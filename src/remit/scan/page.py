"""A scan as one HTML file that needs nothing else: no script, no font, no address, readable on a phone. Pure."""

from collections import Counter
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from remit.core.shown import shown
from remit.scan.accepted import State
from remit.scan.report import Report


def page(report: Report) -> str:
    """The report as HTML. What comes from files is shown inert: escaped, and without characters that hide or turn."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_inert)
    template = environment.from_string((files("remit.scan") / "pages" / "report.html").read_text(encoding="utf-8"))
    counts = Counter(one.state for one in report.findings)
    return template.render(report=report, counts={state.value: counts[state] for state in State})


def _inert(value: object) -> object:
    return shown(value) if type(value) is str else value
