"""What a command is told of the gates: settings in its own client's form, or the plain ones. Pure.

Nothing that lets in stands in an argument: a file that only its owner can read is named, or a variable is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

KEY: Final = "REMIT_TOKEN"
"""The variable that holds the key of the relay: of use on this machine and for as long as the run lasts, no longer."""
DIRECT: Final[Mapping[str, tuple[str, ...]]] = {
    "claude": ("api.anthropic.com",),
    "codex": ("api.openai.com", "chatgpt.com"),
    "gemini": ("generativelanguage.googleapis.com", "cloudcode-pa.googleapis.com"),
}
"""Hosts of its model that a known client reaches past the proxy."""


@dataclass(frozen=True, slots=True)
class Told:
    """Arguments put in after the command's name, variables, and the files that these name: name to text."""

    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def client_of(command: Sequence[str]) -> str:
    """Which client a command is, by the name of its program."""
    return PurePath(command[0]).name.removesuffix(".exe").removesuffix(".cmd")


def told(client: str, base: str, names: Sequence[str], key: str, folder: str) -> Told:
    """What to tell this client of the MCP gates of these resources, which are reached below `base`."""
    urls = {name: f"{base}/mcp/{name}" for name in names}
    head = {"Authorization": f"Bearer {key}"}
    plain = {"mcpServers": {name: {"type": "http", "url": url, "headers": head} for name, url in urls.items()}}
    files = {"mcp.json": json.dumps(plain, indent=1)}
    common = {"REMIT_MCP_URL": f"{base}/mcp", "REMIT_HTTP_URL": f"{base}/http", KEY: key}
    common["REMIT_MCP_CONFIG"] = f"{folder}/mcp.json"
    match client:
        case "claude":
            return Told(("--mcp-config", f"{folder}/mcp.json", "--strict-mcp-config"), common, files)
        case "copilot":
            return Told(("--additional-mcp-config", f"@{folder}/mcp.json"), common, files)
        case "codex":
            pairs = [
                (f'mcp_servers.{name}.url="{url}"', f'mcp_servers.{name}.bearer_token_env_var="{KEY}"')
                for name, url in urls.items()
            ]
            return Told(tuple(word for pair in pairs for one in pair for word in ("-c", one)), common, files)
        case "gemini":
            servers = {name: {"httpUrl": url, "headers": head} for name, url in urls.items()}
            files |= {"gemini.json": json.dumps({"mcpServers": servers}, indent=1)}
            return Told((), common | {"GEMINI_CLI_SYSTEM_SETTINGS_PATH": f"{folder}/gemini.json"}, files)
        case "opencode":
            remote = {
                name: {"type": "remote", "url": url, "headers": head, "enabled": True, "oauth": False}
                for name, url in urls.items()
            }
            files |= {"opencode.json": json.dumps({"mcp": remote}, indent=1)}
            return Told((), common | {"OPENCODE_CONFIG": f"{folder}/opencode.json"}, files)
        case _:
            return Told((), common, files)
