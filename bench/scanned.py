"""The scanner on a tree of 100,000 files: the first run, the second with nothing changed, and its memory.

And on modules of agents in Python, which it parses: CPU seconds for each megabyte of them.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.places import folder

NAMES = ("m.ts", "m.go", "a.py", "r.md", "p.txt", "c.css", "q.java", "z.rs", "h.html", "s.sh")
CLIENT = json.dumps(
    {"mcpServers": {"a": {"command": "npx", "args": ["-y", "x@1.0.0"], "env": {"A_TOKEN": "${A_TOKEN}"}}}}
)
CHART = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  replicas: 2\n"
RUN = """
import sys, time
from remit.cli.main import run
start, spent = time.perf_counter(), time.process_time()
run(['scan', sys.argv[1], '-o', 'json'])
taken, spent = time.perf_counter() - start, time.process_time() - spent
# Not getrusage: what that tells of a new program begins with what the one that started it held.
most = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]
print(taken, int(most) / 1024, spent, file=sys.stderr)
"""
HEAD = """import os

import httpx
from langchain.agents import create_agent
from langchain.tools import tool
from mcp import ClientSession, StdioServerParameters
from pydantic import BaseModel

HUB_URL = "https://api.example.net/v1"
NAMES: list[str] = ["orders", "visits", "notes"]
"""
PART = '''

class Query{at}(BaseModel):
    """What is asked of the {noun}."""

    text: str
    limit: int = 10
    fields: dict[str, list[str]] = {{"shown": ["title", "text"], "hidden": ["id"]}}

    def params(self) -> dict[str, str]:
        return {{"q": self.text.strip().lower(), "limit": str(max(1, min(self.limit, {at}00))), "order": "-changed"}}


@tool
def search_{noun}_{at}(query: str, limit: int = 10) -> list[dict[str, str]]:
    """Search the {noun} of a customer."""
    asked = Query{at}(text=query, limit=limit)
    headers = {{"Authorization": f"Bearer {{os.environ['HUB_TOKEN']}}", "Accept": "application/json"}}
    answer = httpx.get(f"{{HUB_URL}}/{noun}/{at}", params=asked.params(), headers=headers, timeout=20)
    if answer.status_code == 404:
        return []
    answer.raise_for_status()
    rows = [one for page in answer.json()["pages"] for one in page["rows"] if one.get("kind") in NAMES]
    return [{{"title": row["title"], "text": row["body"]["text"][: asked.limit * 30]}} for row in rows]


server_{at} = StdioServerParameters(
    command="npx", args=["-y", "{noun}-mcp@1.{at}.0"], env={{"HUB_TOKEN": os.environ["HUB_TOKEN"], "MODE": "read"}}
)
agent_{at} = create_agent(model="large", tools=[search_{noun}_{at}], name="{noun}-{at}")


async def ask_{noun}_{at}(session: ClientSession, question: str) -> str:
    try:
        answer = await agent_{at}.ainvoke({{"messages": [{{"role": "user", "content": question}}]}})
    except (httpx.HTTPError, KeyError) as fault:
        return f"no answer about {noun}: {{fault!r}}"
    return " ".join(str(one.content) for one in answer["messages"] if getattr(one, "content", None))
'''
NOUNS = ("orders", "visits", "notes", "claims", "parcels", "invoices", "tickets")
MODULES = 500
"""Modules of about 10 kB."""


def tree(root: Path, count: int) -> None:
    """A tree of so many files: a tenth is Python, three in a hundred are settings, manifests and clients' files."""
    for part in range(count // 100):
        place = root / f"d{part // 100}" / f"s{part}"
        place.mkdir(parents=True)
        for at in range(100):
            name, text = f"{at}{NAMES[at % 10]}", "x = 1\n" * 40
            if at == 50:
                name, text = "package.json", '{"name": "a", "description": "", "scripts": {"a": "b"}}'
            elif at == 60:
                name, text = "deployment.yaml", CHART
            elif at == 70 and part % 10 == 0:
                name, text = ".mcp.json", CLIENT
            (place / name).write_text(text)


def modules(root: Path, count: int) -> float:
    """So many modules of agents, no two the same, and their size in megabytes."""
    size = 0
    for number in range(count):
        text = HEAD + "".join(PART.format(at=number + at, noun=NOUNS[(number + at) % 7]) for at in range(1, 6))
        place = root / f"app{number // 50}"
        place.mkdir(parents=True, exist_ok=True)
        size += (place / f"agent_{number}.py").write_text(text)
    return size / 1_000_000


def once(root: Path, cache: Path) -> tuple[float, float, float]:
    """Seconds, megabytes at the most, and CPU seconds of one scan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(root)],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
        text=True,
    )
    seconds, megabytes, spent = done.stderr.split()[-3:]
    return float(seconds), float(megabytes), float(spent)


def measure(*, quick: bool) -> dict[str, float]:
    with folder() as place:
        tree(place / "tree", 10_000 if quick else 100_000)
        time.sleep(2.5)
        first, second = once(place / "tree", place / "cache"), once(place / "tree", place / "cache")
        size = modules(place / "modules", MODULES // 10 if quick else MODULES)
        python = once(place / "modules", place / "other")
    return {
        "scan.first_s": first[0],
        "scan.second_s": second[0],
        "scan.rss_mb": max(first[1], second[1]),
        "scan.python_s_per_mb": python[2] / size,
        "scan.python_rss_mb": python[1],
    }
