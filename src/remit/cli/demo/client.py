"""A plain MCP client over Streamable HTTP, revision 2025-11-25: all that an agent of the demo has, with its credential.

It keeps every byte that it was sent, so that it can be shown afterwards what the agent never saw.
"""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from remit.core.canonical import Json
from remit.core.errors import RemitError

REVISION: Final = "2025-11-25"
_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate answered: HTTP status, the text of the tool's content, and whether it was an error or a refusal."""

    status: int
    text: str
    error: bool


class Client:
    """One agent's connection to one gate. Not for use by two threads at once."""

    def __init__(self, url: str, credential: str) -> None:
        parts = urlsplit(url)
        self._http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
        self._path = parts.path
        self._credential = credential
        self._session = ""
        self._number = 0
        self.heard = bytearray()

    def open(self) -> None:
        """Say hello (MCP 2025-11-25, lifecycle). Raises `demo_gate` when the gate does not let us in."""
        hello = {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "remit-demo", "version": "1"}}
        status, answer = self._ask("initialize", hello)
        if status != 200 or "result" not in answer:
            self.close()
            raise _gate(status, answer)
        self._ask("notifications/initialized", None)

    def tools(self) -> Sequence[Mapping[str, Json]]:
        """The tools that the gate lists for this credential."""
        status, answer = self._ask("tools/list", {})
        if status != 200 or "result" not in answer:
            raise _gate(status, answer)
        found: list[Mapping[str, Json]] = answer["result"]["tools"]
        return found

    def call(self, tool: str, arguments: Mapping[str, Json]) -> Answer:
        """Call a tool."""
        status, answer = self._ask("tools/call", {"name": tool, "arguments": dict(arguments)})
        result = answer.get("result")
        if status != 200 or not isinstance(result, dict):
            return Answer(status, json.dumps(answer.get("error", {})), error=True)
        text = "\n".join(str(one.get("text", "")) for one in result.get("content", []))
        return Answer(status, text, error=bool(result.get("isError")))

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _ask(self, method: str, params: Json) -> tuple[int, dict[str, Json]]:
        message: dict[str, Json] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            self._number += 1
            message |= {"id": self._number, "params": params}
        headers = {
            "Authorization": f"Bearer {self._credential}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": REVISION,
        }
        if self._session:
            headers["Mcp-Session-Id"] = self._session
        try:
            self._http.request("POST", self._path, json.dumps(message).encode(), headers)
            reply = self._http.getresponse()
            body = reply.read()
        except (OSError, http.client.HTTPException) as fault:
            self._http.close()
            raise RemitError(
                "demo_gate", f"The gate did not answer: {type(fault).__name__}.", "See the server's log."
            ) from fault
        self._session = reply.headers.get("Mcp-Session-Id", self._session)
        self.heard += bytes(reply.headers) + body
        return reply.status, _message(body, reply.headers.get("Content-Type", ""), message.get("id"))


def _message(body: bytes, kind: str, number: Json) -> dict[str, Json]:
    """The answer to our request: the body itself, or the event of a stream that carries it."""
    texts = [body] if "event-stream" not in kind else _events(body)
    for text in texts:
        try:
            found = json.loads(text)
        except ValueError:
            continue
        if (
            isinstance(found, dict)
            and ("id" not in found or found["id"] == number or len(texts) == 1)
            and "method" not in found
        ):
            return found
    return {}


def _events(body: bytes) -> list[bytes]:
    blocks = body.replace(b"\r\n", b"\n").split(b"\n\n")
    return [b"\n".join(line[5:].lstrip() for line in one.split(b"\n") if line.startswith(b"data:")) for one in blocks]


def _gate(status: int, answer: Mapping[str, Json]) -> RemitError:
    return RemitError("demo_gate", f"The gate answered {status}: {json.dumps(answer)[:300]}", "See the server's log.")
