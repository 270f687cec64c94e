"""Credentials issued and looked at per second, beside npm `oidc-provider` where it does the same in the same run.

Every request authenticates by an assertion of its own (`private_key_jwt`, ES256), and every credential is a JWT signed
with ES256. Remit's are written to its ledger before they leave; the other's live in its memory.
"""

import json
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.governed import cpu
from bench.house import House, house, port
from bench.places import ROOT, folder
from bench.proving import Key
from tests.kit import peers

CLIENTS = 32
MOST_PER_S = 6_000
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def posted(place: Path, url: str, bodies: list[dict[str, str]], seconds: float, **more: Any) -> dict[str, float]:
    """Let the load send these forms."""
    file = place / "requests.json"
    said = {"url": url, "fields": FORM, "bodies": [urllib.parse.urlencode(one) for one in bodies], **more}
    file.write_text(json.dumps(said))
    argv = [sys.executable, "-m", "bench.posts", str(file), str(CLIENTS), str(seconds)]
    done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@contextmanager
def other(key: Key) -> Iterator[tuple[str, int]]:
    """`oidc-provider` with one client that has this key: its issuer and its process."""
    issuer = f"http://127.0.0.1:{port()}"
    script = ROOT / "bench" / "oidc.mjs"
    environment = {"PEER_PREFIX": str(peers.npm_prefix("idp")), "NODE_NO_WARNINGS": "1", "NODE_ENV": "production"}
    argv = [str(peers.node()), str(script), issuer, json.dumps({**key.public, "alg": "ES256", "kid": key.thumb})]
    program = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    try:
        if not program.stdout or program.stdout.readline().strip() != b"ready":
            raise SystemExit("oidc-provider did not start")
        yield issuer, program.pid
    finally:
        program.terminate()
        program.wait(20)
        if program.stdout:
            program.stdout.close()


def measure(*, quick: bool) -> dict[str, float]:
    seconds = 1.0 if quick else 2.0
    count = int(MOST_PER_S * seconds)
    found: dict[str, float] = {}
    with folder() as place, house(place) as one:
        key, issuer = Key(one.key), one.url.partition("/mcp/")[0]

        def proved(**more: str) -> list[dict[str, str]]:
            shown = (key.assertion(one.agent, issuer) for _ in range(count))
            return [{"client_assertion_type": ASSERTION, "client_assertion": text, **more} for text in shown]

        asked: dict[str, tuple[str, dict[str, str]]] = {
            "issued.credentials": ("/oauth/token", {"grant_type": "client_credentials", "task": one.task}),
            "introspected": ("/oauth/introspect", {"token": one.token}),
        }
        for name, (path, form) in asked.items():
            found |= _timed(place, f"{issuer}{path}", proved(**form), seconds, name, one.pid)
        found |= _exchanged(place, one, proved, issuer, seconds)
        form = urllib.parse.urlencode({"grant_type": "refresh_token", "client_id": one.client})
        more = {"chains": list(one.chains), "form": form}
        found |= _timed(place, f"{issuer}/oauth/token", [], seconds, "issued.refreshed", one.pid, **more)
    with folder() as place, other(key) as (there, pid):
        shown = (key.assertion("bench", there) for _ in range(count))
        form = {"grant_type": "client_credentials", "resource": "urn:bench", "client_assertion_type": ASSERTION}
        bodies = [{**form, "client_assertion": text} for text in shown]
        found |= _timed(place, f"{there}/token", bodies, seconds, "oidc_provider.credentials", pid)
    found["issued.ratio_to_oidc_provider"] = (
        found["issued.credentials.per_s"] / found["oidc_provider.credentials.per_s"]
    )
    return found


def _exchanged(place: Path, one: House, proved: Any, issuer: str, seconds: float) -> dict[str, float]:
    """Token exchange of a person's ID token, which the house's own identity provider signed."""
    kind = "urn:ietf:params:oauth:token-type:id_token"
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "task": one.errand,
        "subject_token": one.identity, "subject_token_type": kind,
    }  # fmt: skip
    return _timed(place, f"{issuer}/oauth/token", proved(**form), seconds, "issued.exchanged", one.pid)


def _timed(
    place: Path, url: str, bodies: list[dict[str, str]], seconds: float, name: str, pid: int, **more: Any
) -> dict[str, float]:
    before = cpu(pid)
    seen = posted(place, url, bodies, seconds, **more)
    return {f"{name}.per_s": seen["per_s"], f"{name}.cpu_us": (cpu(pid) - before) / seen["requests"] * 1e6}
