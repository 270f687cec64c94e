"""`remit login`: use an admin link up for a token, and keep it where only you can read it."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from remit.cli.output import emit, format_option, moment, pairs
from remit.cli.settings import loopback
from remit.core.errors import RemitError

WAY: Final = "/console/enter/"
PATIENCE_S: Final = 10


@click.command()
@click.argument("link")
@format_option
def login(*, link: str, form: str) -> None:
    """Exchange a one-time admin LINK for a token of the API, kept as a header file that curl takes with -H @FILE."""
    origin, code = _parts(link)
    answer = _asked(origin, code)
    path = _kept(origin, str(answer["token"]))
    data = {"address": origin, "file": str(path), "until": answer["until"]}
    emit(form, data, lambda: pairs(data | {"until": moment(answer["until"])}))


def _parts(link: str) -> tuple[str, str]:
    parts = urlsplit(link)
    safe = parts.scheme == "https" or (parts.scheme == "http" and loopback(parts.hostname or ""))
    if not safe or not parts.path.startswith(WAY) or not parts.path.removeprefix(WAY).isascii():
        raise RemitError(
            "link_invalid", "This is not an admin link.", "Give the whole link as remit up --admin printed it."
        )
    return f"{parts.scheme}://{parts.netloc}", parts.path.removeprefix(WAY)


def _asked(origin: str, code: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        f"{origin}/v1/login", json.dumps({"code": code}).encode(), {"content-type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with opener.open(request, timeout=PATIENCE_S) as told:
            found: dict[str, Any] = json.loads(told.read(65536))
    except urllib.error.HTTPError as fault:
        raise _told(fault) from fault
    except (OSError, ValueError) as fault:
        raise RemitError(
            "server_unreachable", f"Nothing answers as Remit does at {origin}.", "Start it: remit serve."
        ) from fault
    return found


class _Stay(urllib.request.HTTPRedirectHandler):
    """The code goes to the address that was given, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return


def _told(fault: urllib.error.HTTPError) -> RemitError:
    try:
        said = json.loads(fault.read(65536))
        return RemitError(said["code"], said["message"], said["remedy"])
    except (OSError, ValueError, KeyError, TypeError):
        return RemitError("server_unreachable", f"The server answered {fault.code}.", "Look at its log.")


def _kept(origin: str, token: str) -> Path:
    """Write the token as a header, in a file that only its owner can read."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    folder = home / "remit"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{urlsplit(origin).netloc.replace(':', '_')}.header"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"Authorization: Bearer {token}\n")
    return path
