"""`remit scan`: look for agents' servers and secrets that lie outside governance. No server, store or account."""

import click

from remit.cli.output import NO, columns, emit, format_option, say, shown
from remit.core.canonical import Json
from remit.core.finding import Finding, Severity
from remit.scan.walk import Scan
from remit.scan.walk import scan as walk


@click.command()
@click.argument("places", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True))
@click.option(
    "--fail-on",
    type=click.Choice([one.value for one in Severity]),
    help="Exit with 1 on a finding this severe or worse, and on any file that could not be read.",
)
@format_option
@click.pass_context
def scan(ctx: click.Context, *, places: tuple[str, ...], fail_on: str | None, form: str) -> None:
    """Find secrets and risky servers in MCP client configuration (JSON) and .env files below each PATH.

    Nothing that is found is run, tried or printed. Other kinds of file are passed over.
    """
    found = walk(places)
    emit(form, to_json(found), lambda: _lines(found))
    if form == "table":
        for one in found.unread:
            say(f"not read: {shown(one.file)}: {one.reason}")
        say(f"{len(found.findings)} findings in {found.read} files read, of {found.met} met.")
    if fail_on and (found.unread or any(one.rule.severity.rank >= Severity(fail_on).rank for one in found.findings)):
        ctx.exit(NO)


def to_json(found: Scan) -> dict[str, Json]:
    """The scan as docs/spec/scan.md says it."""
    return {
        "version": 1,
        "findings": [_finding(one) for one in found.findings],
        "unread": [{"file": one.file, "reason": one.reason} for one in found.unread],
        "read": found.read,
        "met": found.met,
    }


def _finding(one: Finding) -> dict[str, Json]:
    rule = one.rule
    return {
        "code": one.kind.value,
        "title": rule.title,
        "severity": rule.severity.value,
        "confidence": one.confidence.value,
        "file": one.evidence.file,
        "line": one.evidence.line,
        "evidence": one.evidence.said,
        "why": rule.why,
        "fix": rule.fix,
        "owasp": list(rule.owasp),
    }


def _lines(found: Scan) -> list[str]:
    if not found.findings:
        return []
    rows = [
        (one.kind, one.rule.severity, f"{one.evidence.file}:{one.evidence.line}", one.evidence.said, one.rule.fix)
        for one in found.findings
    ]
    return columns(("code", "severity", "where", "what", "fix"), rows)
