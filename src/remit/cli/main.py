"""`remit`: the group of all commands. Each is imported when it runs, so that help answers at once."""

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any, Final

import click

from remit.core.errors import INTERNAL, RemitError

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "agent": ("agent:agent", "Register agents; review, transfer, suspend and retire them."),
    "approvals": ("approvals:listing", "See what waits for people, exactly as they are asked."),
    "approve": ("approvals:approve", "Say yes to exactly what was shown."),
    "attestor": ("attestor:attestor", "Register who vouches for agents."),
    "brief": ("brief:brief", "Apply, show and withdraw the ceilings that tasks are opened under."),
    "can": ("can:can", "Ask whether an agent could do something now, and why."),
    "client": ("client:client", "Let programs send people here to consent."),
    "demo": ("demo:demo", "Watch three agents leave their remit: refused, recorded, ended, proved."),
    "connect": ("connect:connect", "Take in a person's account, so that their tasks get narrow tokens of it."),
    "deny": ("approvals:deny", "Say no to what was asked."),
    "doctor": ("doctor:doctor", "Look for what is wrong with this installation."),
    "evidence": ("evidence:evidence", "Write all that the ledger says of a task into one file, to be checked offline."),
    "key": ("key:key", "See the signing keys, and let the next one of a purpose sign."),
    "lease": ("lease:lease", "See what was minted at targets, and say how it is."),
    "ledger": ("ledger:ledger", "Verify, export, show, replay and prove the ledger."),
    "login": ("login:login", "Exchange an admin link for a token of the API."),
    "person": ("person:person", "Register people, and erase who they are."),
    "policy": ("policy:policy", "Check, test, apply and compare policies."),
    "reach": ("reach:reach", "See how far something reaches if it turns: the identity blast radius."),
    "resource": ("resource:resource", "Register targets and pin their tools."),
    "review": ("review:review", "Approve or refuse what a scan put forward."),
    "rightsize": ("rightsize:rightsize", "Propose briefs that give what is used, and prove what they would refuse."),
    "revoke": ("revoke:revoke", "Stop something, and everything below it, now."),
    "run": ("run:run", "Run a command as an agent: a task that opens before it and ends with it."),
    "scan": ("scan:scan", "Look for secrets and risky servers in the configuration of agents."),
    "secret": ("secret:secret", "Store what upstreams want to see and agents never do."),
    "serve": ("serve:serve", "Serve this data folder."),
    "service": ("person:service", "Register services that may open tasks."),
    "signal": ("signal:signal", "Let identity providers tell us of people, and see what they told."),
    "status": ("status:status", "Say in which state this installation is."),
    "store": ("store:store", "See where the records lie, and copy them to another database."),
    "task": ("task:task", "Open, plan, show, list and close tasks."),
    "witness": ("witness:witness", "Cosign heads of ledgers, and refuse forks and rollbacks."),
    "up": ("up:up", "Set everything up on first use, and serve."),
}
"""Name, where it is, and what its line in the help says."""


class Lazy(click.Group):
    """A group that knows its commands by name and imports one only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        """All names, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click passes it
        """Import the command of this name; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(f"remit.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click passes it
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.option("--config", metavar="FILE", help="Settings file.  [default: remit.toml, when it is there]")
@click.option("--data", metavar="FOLDER", help="Data folder.  [default: .remit]")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@click.option("--version", is_flag=True, help="Say which version this is.")
@click.pass_context
def remit(ctx: click.Context, *, config: str | None, data: str | None, debug: bool, version: bool) -> None:
    """Govern agents while they run: what they may do is decided, recorded and withdrawn call by call.

    Exit codes: 0 yes or done, 1 a negative answer, 2 usage or a local error, 3 server or network, 4 not permitted,
    5 an approval is pending.
    """
    ctx.obj = {"config": config, "data": data, "debug": debug}
    if version:
        from remit import __version__

        click.echo(f"remit {__version__}")
    elif ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit with its code. A fault is told on stderr: what, why, what to do, its code."""
    args = sys.argv[1:] if argv is None else argv
    sys.exit(run(args))


def run(args: list[str]) -> int:
    """Run one command and return its exit code."""
    out = sys.stdout
    try:
        code = _run(args)
    except SystemExit:
        # click has met a reader who left, and has put something silent in the place of our output.
        if sys.stdout is out:
            raise
        return 0
    return code if sys.stdout is out else 0


def _run(args: list[str]) -> int:
    debug = "--debug" in args
    try:
        outcome: Any = remit.main(args=args, prog_name="remit", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        return 2
    except click.ClickException as fault:
        fault.show()
        return 2
    except BrokenPipeError:
        # Whoever reads our output has gone; what is still buffered must not be complained about at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as fault:
        if debug:
            raise
        from remit.cli.output import complain, exit_code

        told = fault if isinstance(fault, RemitError) else _told(fault)
        complain(told)
        return exit_code(told.code)
    return outcome if isinstance(outcome, int) else 0


def _told(fault: Exception) -> RemitError:
    """Say any other fault as ours: the ledger's carries its words, the rest is a defect."""
    code, message, remedy = (getattr(fault, name, None) for name in ("code", "message", "remedy"))
    if isinstance(code, str) and isinstance(message, str) and isinstance(remedy, str):
        return RemitError(code, message, remedy)
    if isinstance(fault, OSError):
        where = f" {fault.filename}" if fault.filename else ""
        return RemitError(
            "file_failed", f"The system refused{where}: {fault.strerror}.", "Check the path and its rights."
        )
    return RemitError(
        INTERNAL, f"Remit failed ({type(fault).__name__}).", "Run it again with --debug, and report this."
    )


if __name__ == "__main__":
    main()
