"""A small legacy MCP server on standard input and output; `reflect` tells its environment, `pid` its process."""

import json
import os
import sys


def tools() -> list[dict]:
    names = ("echo", "reflect", "pid", "die", "progress", "ask", "able")
    return [{"name": name, "inputSchema": {"type": "object"}} for name in names]


def say(body: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **body}) + "\n")
    sys.stdout.flush()


def text(said: str) -> dict:
    return {"content": [{"type": "text", "text": said}], "isError": False}


def call(params: dict) -> dict:
    given = params.get("arguments", {})
    if params["name"] == "reflect":
        return text(json.dumps(dict(os.environ)))
    if params["name"] == "pid":
        return text(str(os.getpid()))
    if params["name"] == "die":
        os._exit(3)
    if params["name"] == "progress":
        token = params["_meta"]["progressToken"]
        say({"method": "notifications/progress", "params": {"progressToken": token, "progress": 1}})
    if params["name"] == "able":
        return text(json.dumps(able))
    if params["name"] == "ask":
        say({"id": "q-1", "method": given.get("method", "elicitation/create"), "params": {"message": "Which?"}})
        return text(sys.stdin.readline())
    return text(str(given.get("text", "done")))


able: dict = {}
"""What the client said that it can be asked for."""


def main() -> None:
    for line in sys.stdin:
        body = json.loads(line)
        method, params = body.get("method", ""), body.get("params", {})
        if "id" not in body:
            continue
        if method == "initialize":
            info = {"name": "stdio", "version": "1"}
            able.update(params["capabilities"])
            value = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
        elif method == "tools/list":
            value = {"tools": tools()}
        elif method == "tools/call":
            value = call(params)
        elif method == "ping":
            value = {}
        else:
            say({"id": body["id"], "error": {"code": -32601, "message": "Unknown method"}})
            continue
        say({"id": body["id"], "result": value})


if __name__ == "__main__":
    main()
