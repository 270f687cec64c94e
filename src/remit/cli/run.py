"""`remit run`: a task for one command, which sees no credential of its starter's and loses its own with its end."""

import contextlib
import json
import os
import secrets
import shutil
import ssl
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from remit.cli.desk import operator, settings_of
from remit.cli.output import REMOTE, complain, forms, say
from remit.cli.running import apart, clients, guard
from remit.cli.running.clients import Told
from remit.cli.running.command import Command, failed
from remit.cli.running.consenting import consented
from remit.cli.running.keeper import Keeper, Sql
from remit.cli.running.node import Node, folder, tokens
from remit.cli.running.scrub import Scrubbed, scrub
from remit.cli.settings import Settings, loopback
from remit.cli.task import read_steps
from remit.cli.values import SPAN, labelled
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.shown import several, shown
from remit.core.trust import TrustPath
from remit.gateway.serve import relay as relays
from remit.gateway.serve.relay import Relay

PLAIN_PG: Final = frozenset({"PGAPPNAME", "PGCLIENTENCODING", "PGDATESTYLE", "PGGEQO", "PGTZ"})
"""What libpq reads that says nothing of where it goes or how."""
Renew = Callable[[], Mapping[str, Any]]
"""Has the next credential issued: its text, and in how many seconds it runs out."""
FIXED: Final[Mapping[str, str]] = {"requester": "--as", "life": "--life", "file": "--plan", "request": "--request"}
"""What is not for the starter to say of a task that a person consents to."""
LOCALS: Final = "localhost,127.0.0.1,::1"
TRUST: Final = (
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE",
    "PIP_CERT",
)  # fmt: skip


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("words", metavar="-- CMD...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--agent", required=True, help="The agent that the command is.")
@click.option("--brief", required=True, help="The brief that its task is opened under.")
@click.option(
    "--path",
    type=click.Choice([path.value for path in TrustPath]),
    help="On whose authority.  [default: the agent's own; a person's where the brief holds nothing else]",
)
@click.option("--as", "requester", default="", help="The dispatcher who opens it.  [default: whoever runs this]")
@click.option("--label", multiple=True, help="NAME=VALUE; repeatable.")
@click.option("--purpose", default="", help="What this errand is for.")
@click.option("--request", default="", help="What was asked for, in the person's own words: what lineage goes by.")
@click.option("--life", type=SPAN, help="How long it may live, such as 30m.  [default: what the brief says]")
@click.option("--plan", "file", type=click.Path(dir_okay=False), help="Its plan: a file as `remit task plan` takes.")
@click.option(
    "--keep", multiple=True, metavar="NAME", help="A credential's variable that the command needs; repeatable."
)
@click.option("--direct", multiple=True, metavar="HOST", help="A host that it reaches past the proxy; repeatable.")
@click.option("--wait", type=SPAN, default="5m", show_default=True, help="How long a person has to consent.")
@click.option("--browse", is_flag=True, help="Open the browser here for the person who consents.")
@click.option("--server", help="The node.  [default: what the settings say]")
@forms("table", "json")
@click.pass_context
def run(ctx: click.Context, /, *, words: tuple[str, ...], form: str, **given: Any) -> None:
    """Run CMD as an agent: its task opens before it and ends with it, whatever way it ends.

    Its environment holds no credential but what --keep names; it reaches tools, APIs and databases by the gates. The
    exit code is the command's, 128 and the signal that ended it; before it starts, Remit's own. With -o json the last
    line of stdout says what became of it. What acts for a person waits until one has signed in and consented.
    """
    ctx.exit(_run(settings_of(ctx), words, form, given))


def _run(settings: Settings, words: tuple[str, ...], form: str, given: Mapping[str, Any]) -> int:
    node = Node((given["server"] or settings.origin).rstrip("/"))
    client = clients.client_of(words)
    referred = [one.removeprefix("env:") for one in settings.references if one.startswith("env:")]
    cleaned = scrub(os.environ, client, given["keep"], tokens(), referred)
    labels = labelled(given["label"])
    steps = [step.to_json() for step in read_steps(given["file"])] if given["file"] else None
    if cleaned.removed:
        say(f"Taken out of the command's environment: {', '.join(cleaned.removed)}.")
    if cleaned.kept:
        say(f"Left in it: {', '.join(cleaned.kept)}.")
    apart.close_memory()
    hidden = _secrets(settings) if apart.can_hide() else None
    if hidden is None:
        say("The command runs as the same user and is not kept from files that this user can read: see the guide.")
    opened, renew = _opened(node, client, given, labels, steps)
    with _scratch() as place:
        return Run(node, opened, renew, place, client, cleaned).go(words, form, hidden, given["direct"])


def _opened(
    node: Node, client: str, given: Mapping[str, Any], labels: dict[str, str], steps: list[Json] | None
) -> tuple[Mapping[str, Any], Renew]:
    """The run's task with its first credential, and how the next one is had: on the agent's own path, else a person's.

    A command has one path, and so one credential: what a brief holds on the other gives it nothing, and that is said.
    """
    asked = {"brief": given["brief"], "agent": given["agent"], "purpose": given["purpose"], "labels": labels}
    body = asked | {"requester": given["requester"] or operator(), "request": given["request"]}
    body |= {"life": given["life"]} if given["life"] else {}
    body |= {"steps": steps} if steps is not None else {}
    if given["path"] != TrustPath.DELEGATED.value:
        try:
            opened = node.post("/v1/runs", body)
        except RemitError as fault:
            if fault.code != "run_delegated" or given["path"]:
                raise
        else:
            if opened["left_out"]:
                left = ", ".join(map(shown, opened["left_out"]))
                say(f"On a person's authority, so not given: {left}. With --path delegated these are given instead.")
            return opened, lambda: node.post(f"/v1/runs/{opened['task']['id']}/credential", {})
    if fixed := [word for name, word in FIXED.items() if given[name]]:
        raise RemitError(
            "consent_fixed",
            f"A person consents to the brief as they see it, and dispatches it: {', '.join(fixed)} cannot be said.",
            "Leave it out, or narrow the brief.",
        )
    asked["purpose"] = asked["purpose"] or f"Run {shown(client, 100)}."
    consent, held = consented(node, asked, given["wait"], browse=given["browse"])
    return consent, held.renew


@dataclass
class Run:
    """One command under one task."""

    node: Node
    opened: Mapping[str, Any]
    renew: Renew
    place: Path
    client: str
    cleaned: Scrubbed
    ended_by: str = ""

    def go(self, words: tuple[str, ...], form: str, hidden: list[Path] | None, direct: tuple[str, ...]) -> int:
        """Run the command to its end, and end the task; the exit code."""
        task = self.opened["task"]["id"]
        stays = guard.Guard(self.node, task, str(self.place))
        key, ports = secrets.token_urlsafe(24), self.opened["gates"]["ports"]
        forward = ports["forward"] if self.opened["gates"]["http"] else 0
        place = relays.Node(self.node.host, self.node.port, self.node.tls, self.node.origin.partition("://")[2])
        relay = Relay(place, key, forward)
        sql = self._sql()

        def put(credential: str) -> None:
            relay.credential = credential
            if sql is not None:
                sql.write(credential)

        put(self.opened["credential"])
        told = clients.told(self.client, relay.base, self.opened["gates"]["mcp"], key, str(self.place))
        for name, text in told.files.items():
            _write(self.place / name, text)
        environment = self._environment(told, relay.proxy, sql, direct)
        try:
            command = Command((words[0], *told.arguments, *words[1:]), environment, hidden, self.place)
        except RemitError as fault:
            complain(fault)
            self._close(relay, None, stays, task, form, started=False, code=failed(fault))
            return failed(fault)
        stays.sees(command.process)
        relay.start()

        def over(fault: RemitError) -> None:
            self.ended_by = fault.code
            say(f"The task of this command has ended: {fault.message}")
            command.process.stop()

        keeper = Keeper(self.node, task, self.renew, put, over, self.opened["expires_in"])
        keeper.start()
        code = command.wait()
        proven = self._close(relay, keeper, stays, task, form, started=True, code=code)
        return code or (0 if proven else REMOTE)

    def _close(
        self,
        relay: Relay,
        keeper: Keeper | None,
        stays: guard.Guard,
        task: str,
        form: str,
        *,
        started: bool,
        code: int,
    ) -> bool:
        """End all that is left and tell what became of it; whether every end was proven."""
        if keeper is not None:
            keeper.stop()
        relay.stop()
        found = guard.ended(self.node, task, guard.PROOF_S)
        stays.done()
        return tell(form, task, found, {"started": started, "code": code}, self.cleaned)

    def _sql(self) -> Sql | None:
        gates = self.opened["gates"]
        if not gates["postgres"] or not gates["ports"]["postgres"]:
            return None
        if not gates["secured"] and not loopback(self.node.host):
            # What ends TLS before the node does not end it for databases: libpq would show the credential to anybody.
            say("Its databases are not told: the gate speaks no TLS, and the credential would travel in the clear.")
            return None
        return Sql(self.node.host, gates["ports"]["postgres"], self.place / "pgpass")

    def _environment(self, told: Told, proxy: str, sql: Sql | None, direct: tuple[str, ...]) -> dict[str, str]:
        """What the command sees: what was left, and where the gates are."""
        found = {**self.cleaned.environment, **told.variables}
        if proxy:
            found = {name: value for name, value in found.items() if not name.lower().endswith("_proxy")}
            authority = self.opened["gates"]["authority"]
            past = ",".join((LOCALS, *clients.DIRECT.get(self.client, ()), *direct))
            for name, value in (("HTTPS_PROXY", proxy), ("HTTP_PROXY", proxy), ("NO_PROXY", past)):
                found |= {name: value, name.lower(): value}
            found |= {"NODE_USE_ENV_PROXY": "1"}
            if authority:
                bundle = str(_write(self.place / "trust.pem", _roots() + authority))
                found |= dict.fromkeys(TRUST, bundle)
        if sql is not None:
            # What of libpq's stayed would lead elsewhere, and the credential with it: PGHOSTADDR before any other.
            found = {name: value for name, value in found.items() if name in PLAIN_PG or not name.startswith("PG")}
            found |= {"PGHOST": sql.host, "PGPORT": str(sql.port), "PGUSER": "remit", "PGPASSFILE": str(sql.file)}
            names = self.opened["gates"]["postgres"]
            found |= {"PGDATABASE": names[0]} if len(names) == 1 else {}
            found |= {"PGSSLMODE": "disable"}
            if self.opened["gates"]["secured"]:
                root = os.environ.get("PGSSLROOTCERT") or os.environ.get("SSL_CERT_FILE") or "system"
                found |= {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": root}
        return found


def tell(form: str, task: str, found: Mapping[str, Any], command: dict[str, Json], cleaned: Scrubbed) -> bool:
    """Say what became of a run; whether every end was proven. Not to know is not proven."""
    leases = found.get("leases", [])
    dead = [one["resource"] for one in leases if one["state"] == "dead"]
    over = found.get("task", {}).get("state") == "ended"
    proven = over and len(dead) == len(leases)
    calls = found.get("calls", {})
    if form == "json":
        data = {
            "task": task, "ended": over, "because": found.get("task", {}).get("because", ""), "command": command,
            "calls": calls, "leases": leases, "proven": proven, "removed": list(cleaned.removed),
            "kept": list(cleaned.kept),
        }  # fmt: skip
        click.echo(json.dumps(data, ensure_ascii=True, sort_keys=True))
    if not over:
        say(f"The end of {task} is not known: the node was not to be reached. It ends it within a minute by itself.")
    else:
        said = f"{len(dead)} of {len(leases)} leases proven dead" if leases else "no leases were made"
        say(f"{task} ended: {several(calls.get('done', 0), 'call')} done, {calls.get('refused', 0)} refused; {said}.")
    return proven


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for what the command is told, which its owner alone can read, and which goes with it.

    All runs' lie in one, so that a command can be shown its own alone; in a new one where somebody else took its name.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime if os.access(runtime, os.W_OK) else tempfile.gettempdir()) / f"remit-run-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    seen = base.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o077:
        say(f"{base} is not yours alone, so other runs' files are not kept from the command: remove it.")
        base = Path(tempfile.mkdtemp(prefix="remit-run-"))
    path = Path(tempfile.mkdtemp(dir=base))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, text: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _secrets(settings: Settings) -> list[Path]:
    """What no command may see: the tokens of logins, the data folder, and every file that holds a secret of ours."""
    files = [one.removeprefix("file:") for one in settings.references if one.startswith("file:")]
    found = [folder(), settings.data.resolve(), *(Path(one).resolve() for one in files)]
    return [one for one in found if one.exists()]


def _roots() -> str:
    """The authorities that this system trusts: the command still trusts them, where it reaches hosts directly."""
    place = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Path(place or "").read_text(encoding="utf-8").rstrip() + "\n"
    return ""
