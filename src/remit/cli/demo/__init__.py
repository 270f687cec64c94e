"""`remit demo`: three agents choose their tools while they run, are led astray, and are held to their remit."""

import tempfile
from pathlib import Path
from random import SystemRandom
from typing import Final

import click

from remit.cli.output import format_option

ONLY: Final = ("support", "research", "developer")


@click.command()
@click.option("--seed", type=int, help="Repeat a run: the data, the injected text, its place and the altered row.")
@click.option("--only", type=click.Choice(ONLY), multiple=True, help="Run this errand alone; repeatable.")
@click.option("--model-url", help="An OpenAI-compatible endpoint that plans in place of the rules.")
@click.option("--model", help="The model's name there. A key is read from REMIT_DEMO_MODEL_KEY.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Work in this new folder, and leave it.")
@format_option
def demo(
    *, seed: int | None, only: tuple[str, ...], model_url: str | None, model: str | None, keep: Path | None, form: str
) -> int:
    """Watch three agents leave their remit: refused, recorded, ended, proved.

    Everything is real but the people: MCP servers from the package index, a database, a site, a repository, and a Remit
    of its own on a free port, in a temporary folder. Exit code 1 when any promise is not kept.
    """
    from remit.cli.demo.run import Choice, run

    if bool(model_url) != bool(model):
        raise click.UsageError("--model-url and --model go together.")
    drawn = seed if seed is not None else SystemRandom().randrange(1_000_000)
    choice = Choice(drawn, tuple(name for name in ONLY if name in (only or ONLY)), model_url or "", model or "")
    if keep is not None:
        keep.mkdir(mode=0o700, parents=True)
        return run(choice, form, keep.resolve())
    with tempfile.TemporaryDirectory(prefix="remit-demo-") as folder:
        return run(choice, form, Path(folder).resolve())
