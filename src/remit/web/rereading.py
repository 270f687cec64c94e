"""Reading the whole ledger for a page: one at a time, a part at each step, so that a node does other things between."""

import asyncio
from collections.abc import Generator
from typing import Final, TypeVar

from remit.control import rerun
from remit.control import rightsize as sizes
from remit.core.errors import RemitError
from remit.core.rightsize import Rightsize
from remit.core.whatif import Tally
from remit.web.site import Site

T = TypeVar("T")
PART: Final = 64
"""How many entries are read at once: a page that reads the ledger does other things between."""


async def one_by_one(site: Site, work: Generator[None, None, T]) -> T:
    """Do all of it; refuses while another one is under way (`rightsize_busy`)."""
    if site.reading.locked():
        raise RemitError("rightsize_busy", "The ledger is being read for another one.", "Try again later.")
    async with site.reading:
        while True:
            try:
                next(work)
            except StopIteration as end:
                found: T = end.value
                return found
            await asyncio.sleep(0)


async def replayed(site: Site, job: rerun.Job) -> tuple[Tally, int]:
    """Every recorded call of a brief decided again: what came of it, and how many plans would not be within it."""
    return await one_by_one(site, rerun.replaying(site.authority.view, job, part=PART))


async def fails(site: Site, one: Rightsize) -> int:
    """How many calls that were allowed would fail under a proposal, by all that is recorded by now."""
    tally, _ = await replayed(site, sizes.again(site.authority.view, one))
    return tally.fail
