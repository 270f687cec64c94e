"""Which agent or app of a tree with several a folder belongs to, as far as its path says so. Pure."""

import re
from typing import Final

_PLACE: Final = re.compile(
    r"((?:.*/)?(?:agents|apps|services|packages|bots|crews|functions|lambdas|workers|servers|projects)/[^/]+)(?:/.*)?$"
)


def project(folder: str) -> str:
    """The folder of the agent or app to which a folder belongs; else the folder itself."""
    found = _PLACE.match(folder)
    return found[1] if found else folder


def of_agent(folder: str) -> bool:
    """Say whether a folder is that of an agent, by the name of the folder around it."""
    return folder.rpartition("/")[0].rpartition("/")[2] in ("agents", "bots", "crews")


def of_file(path: str) -> str:
    """The same for a file; empty where its path does not say so."""
    folder = path.rpartition("/")[0]
    found = _PLACE.match(folder)
    return found[1] if found else ""
