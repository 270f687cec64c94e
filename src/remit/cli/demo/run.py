"""One run of the demo: install, set the stage, let the agents play side by side, end their tasks, prove it all."""

import os
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import click

from remit.cli.demo import promises, servers
from remit.cli.demo.errands import Errand, developer, research, support
from remit.cli.demo.model import Model
from remit.cli.demo.play import Played, play
from remit.cli.demo.promises import Promise
from remit.cli.demo.site import Issuer, Site
from remit.cli.demo.stage import AUDIENCE, Cast, Stage
from remit.cli.demo.timeline import Timeline
from remit.cli.output import NO, YES, emit, say
from remit.store.opening import open_db


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: the seed, the errands by name, and a model that plans, or none."""

    seed: int
    only: tuple[str, ...]
    model_url: str = ""
    model: str = ""


def run(choice: Choice, form: str, folder: Path) -> int:
    """Play one run in an empty folder, and say whether its promises were kept."""
    loud = form == "table"
    password = secrets.token_urlsafe(24)
    site, issuer = Site(password), Issuer(AUDIENCE)
    try:
        errands = [_errand(choice, name, folder, site) for name in choice.only]
        if loud:
            click.echo(f"remit demo --seed {choice.seed}")
        found = servers.install(tuple(one.server for one in errands), servers.cache(), say)
        began = time.monotonic()
        with Stage(folder, issuer) as stage:
            cast = stage.register(errands, found, password)
            stage.serve()
            timeline = _timeline(stage, cast, loud=loud)
            try:
                kept, played = _acts(stage, cast, timeline, site, password)
            finally:
                timeline.close()
            stage.stop()
            kept += promises.proved(stage, _dice(choice, "altered"))
    finally:
        site.close()
        issuer.close()
    seconds = time.monotonic() - began
    data = {
        "seed": choice.seed,
        "seconds": round(seconds, 2),
        "install_seconds": round(found.seconds, 2),
        "errands": [_told(one) for one in played],
        "receipts": [line.to_json() for line in timeline.lines],
        "promises": [one.to_json() for one in kept],
    }
    emit(form, data, lambda: _summary(kept, seconds, found.seconds))
    return YES if all(one.kept for one in kept) else NO


def _acts(
    stage: Stage, cast: list[Cast], timeline: Timeline, site: Site, password: str
) -> tuple[list[Promise], list[Played]]:
    timeline.start()
    for one in cast:
        timeline.say(f"  A stranger left in {one.errand.lure}: {one.errand.bait}")
    with ThreadPoolExecutor(len(cast)) as pool:
        played = list(pool.map(lambda one: play(stage, one, timeline), cast))
    timeline.catch_up()
    try:
        kept = promises.held(played, timeline.lines, site, password)
        kept.append(promises.ended(stage, played, timeline))
    finally:
        for done in played:
            done.close()
    return kept, played


def _dice(choice: Choice, name: str) -> Random:
    return Random(f"{choice.seed}/{name}")  # noqa: S311 - it varies a show and protects nothing


def _errand(choice: Choice, name: str, folder: Path, site: Site) -> Errand:
    random, place = _dice(choice, name), folder / name
    place.mkdir()
    if name == "support":
        made = support.errand(random, place)
    else:
        made = research.errand(random, place, site) if name == "research" else developer.errand(random, place)
    return replace(made, planner=Model(choice.model_url, choice.model, made.request)) if choice.model else made


def _timeline(stage: Stage, cast: list[Cast], *, loud: bool) -> Timeline:
    names = {one.agent.id: one.errand.name for one in cast}
    tty = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Timeline(open_db(stage.data / "remit.db"), lambda agent: names.get(agent, ""), loud=loud, colour=tty)


def _told(one: Played) -> dict[str, object]:
    errand = one.cast.errand
    return {
        "agent": errand.name,
        "task": one.cast.task.id,
        "path": errand.path.value,
        "request": errand.request,
        "bait": errand.bait,
        "lure": errand.lure,
        "calls": [call.tool for call in one.calls],
        "answer": one.answer,
    }


def _summary(kept: list[Promise], seconds: float, installing: float) -> list[str]:
    lines = ["", "Promises"]
    for one in kept:
        lines += [f"  {'PASS' if one.kept else 'FAIL'}  {one.what}", f"        {one.proof}"]
    spent = f", after {installing:.1f} s of installing" if installing else ""
    good = sum(one.kept for one in kept)
    return [*lines, "", f"{good} of {len(kept)} promises kept in {seconds:.1f} s{spent}."]
