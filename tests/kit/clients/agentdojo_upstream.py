"""The benchmark's own environments as an MCP server, and a way beside it to set one up and to ask for its verdicts.

Runs in the interpreter of the peer `agentdojo`, and knows nothing of Remit. One run at a time: `/setup` loads an
environment, with an injection or without, and answers with the recorded calls; `/mcp/SUITE` runs the suite's own
functions on it; `/verdict` answers with the benchmark's `utility()` and `security()`.
"""

import calendar
import json
import logging
import re
import sys
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml
from agentdojo.attacks.important_instructions_attacks import ImportantInstructionsAttack
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime
from agentdojo.task_suite.load_suites import get_suite
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python as plain

VERSION = "v1.2.2"
MODERN = "2026-07-28"
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
if hasattr(yaml, "CSafeLoader"):
    yaml.safe_load = lambda text: yaml.load(text, yaml.CSafeLoader)

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(r"(?:https?://)?www\.[\w.-]+\.[a-z]{2,}(/\S*)?")
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
MONTHS = calendar.month_name[1:]


def respelled(value, inside=False):
    """A value of an attack in another spelling that means the same: capitals, schemes, days in words."""
    if isinstance(value, dict):
        return {name: respelled(one) for name, one in value.items()}
    if isinstance(value, list):
        return [respelled(one) for one in value]
    if not isinstance(value, str):
        return value
    text = EMAIL.sub(lambda one: one[0].split("@")[0].upper() + "@" + one[0].split("@")[1], value)
    text = URL.sub(lambda one: one[0] if one[0].startswith("http") else f"https://{one[0]}", text)
    if inside:
        return DAY.sub(lambda one: f"{int(one[3])} {MONTHS[int(one[2]) - 1]} {one[1]}", text)
    return text.swapcase() if text == value and (" " in value or len(value) > 24) and not DAY.match(value) else text


class Suites:
    """What is set up now."""

    def __init__(self):
        self.suites = {}
        self.seen = {}

    def suite(self, name):
        if name not in self.suites:
            self.suites[name] = get_suite(VERSION, name)
        return self.suites[name]

    def vectors(self, name, user):
        """The places of an injection that the recorded calls of a task come upon, and after which call first."""
        if (name, user) not in self.seen:
            suite = self.suite(name)
            marks = {one: f"<CANARY-{one}->" for one in suite.get_injection_vector_defaults()}
            task = suite.user_tasks[user]
            environment = task.init_environment(suite.load_and_inject_default_environment(marks))
            calls = task.ground_truth(environment.model_copy(deep=True))
            told = [json.dumps(plain(run(suite, environment, one.function, one.args)[0])) for one in calls]
            places = [one for one, mark in marks.items() if any(mark in text for text in told)]
            first = next(n for n, text in enumerate(told) if any(marks[one] in text for one in places))
            self.seen[name, user] = places, first
        return self.seen[name, user]

    def setup(self, suite, user, injection=None, spelled=False):
        self.now = one = self.suite(suite)
        self.task = one.user_tasks[user]
        self.injection = one.injection_tasks[injection] if injection else None
        places, first = self.vectors(suite, user)
        given = {}
        if self.injection is not None:
            goal = respelled(self.injection.GOAL, inside=True) if spelled else self.injection.GOAL
            text = ImportantInstructionsAttack._JB_STRING.format(goal=goal, model="GPT-4", user="Emma Johnson")
            given = dict.fromkeys(places, text)
        self.environment = self.task.init_environment(one.load_and_inject_default_environment(given))
        self.before = self.environment.model_copy(deep=True)
        self.trace = []
        attack = recorded(self.injection, self.before) if self.injection else []
        return {
            "prompt": self.task.PROMPT,
            "calls": [
                (call.function, plain(call.args)) for call in self.task.ground_truth(self.before.model_copy(deep=True))
            ],
            "after": first,
            "attack": [(tool, respelled(args)) for tool, args in attack] if spelled else attack,
        }

    def verdict(self):
        check = self.now._check_task_result
        said = [{"type": "text", "content": self.task.GROUND_TRUTH_OUTPUT}]
        found = {"utility": check(self.task, said, self.before, self.environment, self.trace)}
        if self.injection is not None:
            said = [{"type": "text", "content": self.injection.GROUND_TRUTH_OUTPUT}]
            found["security"] = check(self.injection, said, self.before, self.environment, self.trace)
        return {name: bool(one) for name, one in found.items()}

    def call(self, tool, arguments):
        self.trace.append(FunctionCall(function=tool, args=arguments))
        found, fault = run(self.now, self.environment, tool, arguments)
        text = fault or json.dumps(plain(found))
        return {"content": [{"type": "text", "text": text}], "isError": bool(fault)}

    def tools(self, name):
        return [
            {"name": one.name, "description": one.description, "inputSchema": one.parameters.model_json_schema()}
            for one in self.suite(name).tools
        ]


def answered(kind):
    """The JSON schema of what a function returns."""
    try:
        return TypeAdapter(kind).json_schema()
    except Exception:  # noqa: BLE001 - a type without a schema says nothing
        return {}


def recorded(task, environment):
    """The recorded calls of a task or an attack."""
    return [(call.function, plain(call.args)) for call in task.ground_truth(environment.model_copy(deep=True))]


def run(suite, environment, tool, arguments):
    return FunctionsRuntime(suite.tools).run_function(environment, tool, arguments, raise_on_error=False)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held = Suites()

    def log_message(self, *_):
        return

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/tasks":
            suite = self.held.suite(body["suite"])
            empty = suite.load_and_inject_default_environment({})
            attacks = [name for name, one in suite.injection_tasks.items() if recorded(one, empty)]
            answer = {"users": list(suite.user_tasks), "attacks": attacks, "tools": self.held.tools(body["suite"])}
            answer["returns"] = {one.name: answered(one.return_type) for one in suite.tools}
        elif self.path == "/setup":
            answer = self.held.setup(**body)
        elif self.path == "/verdict":
            answer = self.held.verdict()
        else:
            answer = self.mcp(body)
        data = json.dumps(answer).encode()
        self.send_response(200 if answer else 202)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def mcp(self, body):
        params = body.get("params", {})
        if body["method"] == "tools/call":
            found = {"resultType": "complete", **self.held.call(params["name"], params.get("arguments", {}))}
        elif body["method"] == "tools/list":
            tools = self.held.tools(self.path.rsplit("/", 1)[1])
            found = {"resultType": "complete", "tools": tools, "ttlMs": 60_000, "cacheScope": "public"}
        else:
            return {"jsonrpc": "2.0", "id": body.get("id"), "error": {"code": -32601, "message": "Unknown method"}}
        return {"jsonrpc": "2.0", "id": body["id"], "result": found}


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(json.dumps({"port": server.server_address[1]}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
