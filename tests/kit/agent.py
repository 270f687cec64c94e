"""An agent's side of MCP, by hand: raw requests over real sockets, also such as no client would send."""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

MODERN, LEGACY = "2026-07-28", "2025-11-25"
META = "io.modelcontextprotocol/"
ENVELOPE = {
    META + "protocolVersion": MODERN,
    META + "clientCapabilities": {"elicitation": {}, "sampling": {}, "roots": {}},
}
BOTH = "application/json, text/event-stream"


@dataclass
class Told:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def messages(self) -> list[Any]:
        """The JSON-RPC messages in it, in order."""
        if self.headers.get("content-type") == "text/event-stream":
            lines = [one[6:] for one in self.data.split(b"\n") if one.startswith(b"data: ")]
            return [json.loads(one) for one in lines if one]
        return [json.loads(self.data)] if self.data else []

    @property
    def last(self) -> Any:
        """The response."""
        return self.messages[-1]

    @property
    def text(self) -> str:
        """What a tool said."""
        return self.last["result"]["content"][0]["text"]

    @property
    def code(self) -> str:
        """Remit's own code of a refusal or fault."""
        if "error" in self.last:
            return self.last["error"].get("data", {}).get("code", "")
        return self.last["result"].get("_meta", {}).get("remit/code", "")


@dataclass
class Agent:
    """One client of one gate, with a credential; `session` is set once it has opened a legacy one."""

    url: str
    token: str
    session: str = ""
    number: int = 0
    extra: dict[str, str] = field(default_factory=dict)

    def open(self, method: str, data: bytes | None, headers: dict[str, str], timeout: float = 60.0) -> Any:
        """Send a request and leave its response unread."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        try:
            connection.request(method, parts.path, data, headers)
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def raw(self, data: bytes, headers: dict[str, str], method: str = "POST") -> Told:
        """Send these bytes."""
        connection, response = self.open(method, data, headers)
        try:
            return Told(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def headers(self, **more: str) -> dict[str, str]:
        """The headers that every request has."""
        given = {"content-type": "application/json", "accept": BOTH, "authorization": f"Bearer {self.token}"}
        if self.session:
            given["mcp-session-id"] = self.session
        return given | self.extra | {name.replace("_", "-"): value for name, value in more.items()}

    def modern(self, method: str, params: dict[str, Any] | None = None, **more: str) -> tuple[bytes, dict[str, str]]:
        """A request of the stateless era, ready to be sent."""
        self.number += 1
        given = {"_meta": dict(ENVELOPE), **(params or {})}
        body = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": given}
        routed = {"mcp-protocol-version": MODERN, "mcp-method": method}
        name = given.get("uri") if method == "resources/read" else given.get("name")
        if isinstance(name, str) and method in ("tools/call", "prompts/get", "resources/read"):
            routed["mcp-name"] = name
        return json.dumps(body).encode(), self.headers() | routed | {k.replace("_", "-"): v for k, v in more.items()}

    def ask(self, method: str, params: dict[str, Any] | None = None, **more: str) -> Told:
        """Ask in the stateless era."""
        return self.raw(*self.modern(method, params, **more))

    def call(self, tool: str, arguments: dict[str, Any] | None = None, **more: str) -> Told:
        """Call a tool in the stateless era."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments or {}}, **more)

    def hello(self, version: str = LEGACY) -> Told:
        """Open a legacy session."""
        params = {
            "protocolVersion": version,
            "capabilities": {"elicitation": {}},
            "clientInfo": {"name": "t", "version": "1"},
        }
        told = self.old("initialize", params)
        self.session = told.headers.get("mcp-session-id", "")
        if self.session:
            self.notify("notifications/initialized")
        return told

    def old(self, method: str, params: dict[str, Any] | None = None, **more: str) -> Told:
        """Ask in the legacy era."""
        self.number += 1
        body = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params or {}}
        return self.raw(json.dumps(body).encode(), self.headers(**more))

    def old_call(self, tool: str, arguments: dict[str, Any] | None = None) -> Told:
        """Call a tool in the legacy era."""
        return self.old("tools/call", {"name": tool, "arguments": arguments or {}})

    def asked(self, arguments: dict[str, Any] | None = None) -> tuple[Any, Any, Any]:
        """Call the tool `ask` in a legacy session: the connection, its response, and what the client is asked, if."""
        self.number += 1
        call = {"name": "ask", "arguments": arguments or {}}
        body = {"jsonrpc": "2.0", "id": self.number, "method": "tools/call", "params": call}
        connection, response = self.open("POST", json.dumps(body).encode(), self.headers())
        if response.headers["content-type"] != "text/event-stream":
            return connection, response, None
        while not (line := response.readline()).startswith(b"data: "):
            pass
        return connection, response, json.loads(line[6:])

    def notify(self, method: str, params: dict[str, Any] | None = None) -> Told:
        """Say something that is owed no response, in the legacy era."""
        body = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        return self.raw(json.dumps(body).encode(), self.headers())
