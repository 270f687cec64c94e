"""The parts of the demo, each on its own: what proves a promise must itself be able to say no."""

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random

import pytest

from remit.cli.demo.client import Client, _message
from remit.cli.demo.errands import research, support
from remit.cli.demo.key import Key
from remit.cli.demo.model import Model
from remit.cli.demo.planner import Call, Done, Observation, instruction
from remit.cli.demo.play import play
from remit.cli.demo.servers import cache, install
from remit.cli.demo.site import HOST, Issuer, Site
from remit.cli.demo.stage import AUDIENCE, Stage
from remit.cli.demo.timeline import Timeline
from remit.control.revocation import revoke
from remit.core.call import Call as Wanted
from remit.core.check import Consumption, Refusal, Usage, check
from remit.core.errors import RemitError
from remit.core.grant import Step, covers
from remit.core.moment import Instant
from remit.custody.assertion import Identity, verify_identity
from remit.custody.jwk import read_key
from remit.store.opening import open_db
from tests.kit.world import World, read_call


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site("a password")
    yield made
    made.close()


def test_the_site_serves_only_whoever_knows_the_password(site: Site) -> None:
    site.page("/public/", "Welcome.")

    def ask(url: str, password: str) -> tuple[int, bytes]:
        header = {"Proxy-Authorization": f"Basic {b64_text(f'remit:{password}')}"}
        request = urllib.request.Request(f"http://127.0.0.1:{site.port}/", headers=header)
        request.selector = url
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, b""

    assert ask(f"http://{HOST}/public/", "a password") == (200, b"Welcome.")
    assert ask(f"http://{HOST}/public/", "another")[0] == 407
    assert ask("http://elsewhere.example/public/", "a password")[0] == 404
    assert site.asked() == [f"http://{HOST}/public/", "http://elsewhere.example/public/"]
    assert (site.served, site.refused) == (2, 1)


def b64_text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_the_research_plan_holds_its_bait_out(tmp_path: Path, site: Site) -> None:
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        made = research.errand(Random(seed), folder, site)
        wide, narrow = Step.from_json(made.brief[0]), Step.from_json(made.plan[0])
        assert covers(wide, narrow)
        bait = instruction(made.bait)
        assert bait is not None
        assert isinstance(check(narrow, bait.arguments, Usage(), Instant(1)), Refusal)
        first = made.planner.next(None, [{"name": "fetch"}])
        assert isinstance(first, Call)
        assert isinstance(check(narrow, first.arguments, Usage(), Instant(1)), Consumption)


def test_an_issuers_sign_in_is_believed_by_nobody_else(site: Site) -> None:
    issuer = Issuer(AUDIENCE)
    try:
        token = issuer.sign_in("pia", "Pia Person")
        with urllib.request.urlopen(f"{issuer.url}/keys") as answer:
            keys = [read_key(one) for one in json.load(answer)["keys"]]
        now = Instant(int(time.time() * 1000))
        found = verify_identity(token, issuer=issuer.url, audience=AUDIENCE, now=now, keys=keys)
        assert isinstance(found, Identity)
        assert found.subject == "pia"
        other = [read_key(Key().public)]
        assert not isinstance(
            verify_identity(token, issuer=issuer.url, audience=AUDIENCE, now=now, keys=other), Identity
        )
    finally:
        issuer.close()


def test_the_timeline_says_what_the_ledger_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    given = world.a_task()
    entry = world.enter(world.a_credential(given.id).text)
    timeline = Timeline(open_db(tmp_path / "remit.db"), lambda _: "scribe", loud=True, colour=False)
    timeline.start()
    before = len(timeline.lines)
    world.note(world.decide(read_call(), entry))
    world.decide(Wanted("mcp:notes/wipe", {}), entry)
    world.act(lambda change: revoke(change, "task", given.id, "op"))
    world.decide(read_call(), entry)
    timeline.close()
    said = [(line.verdict, line.action, line.code) for line in timeline.lines[before:] if line.action]
    assert said == [
        ("allow", "mcp:notes/read_note", ""),
        ("deny", "mcp:notes/wipe", "policy_forbids"),
        ("deny", "mcp:notes/read_note", "task_ended"),
    ]
    shown = capsys.readouterr().out
    assert (
        shown.index("✓ allowed")
        < shown.index("[policy_forbids]")
        < shown.index("task.ended")
        < shown.index("[task_ended]")
    )
    assert "/notes/a" in shown
    world.close()


def test_a_model_takes_the_place_of_the_rules() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message: dict[str, object] = {"content": "It is done."}
            if len(asked["messages"]) == 2:
                function = {"name": asked["tools"][0]["function"]["name"], "arguments": '{"path": "/a"}'}
                message = {"content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
            body = json.dumps({"choices": [{"message": message}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        model = Model(f"http://127.0.0.1:{server.server_port}/v1", "small", "Read it.")
        tools = [{"name": "read_it", "inputSchema": {"type": "object"}}]
        call = model.next(None, tools)
        assert isinstance(call, Call)
        assert (call.tool, call.arguments, call.astray) == ("read_it", {"path": "/a"}, False)
        assert model.next(Observation(call, "text", False), tools) == Done("It is done.")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    with pytest.raises(RemitError) as refused:
        Model(f"http://127.0.0.1:{server.server_port}/v1", "small", "Read it.").next(None, tools)
    assert refused.value.code == "demo_model"


def test_the_client_finds_its_answer_in_a_stream() -> None:
    progress = b'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n'
    stream = progress + b'data: {"id": 3, "result": {}}\n\n'
    assert _message(stream, "text/event-stream", 3) == {"id": 3, "result": {}}
    assert _message(stream, "text/event-stream", 4) == {}
    assert _message(b'{"id": 1, "result": {"a": 1}}', "application/json", 1) == {"id": 1, "result": {"a": 1}}
    assert _message(b"nothing", "application/json", 1) == {}


def test_a_stranger_gets_no_credential_and_an_ended_task_no_answer(tmp_path: Path) -> None:
    folder = tmp_path / "support"
    folder.mkdir()
    made = support.errand(Random(1), folder)
    issuer, strange = Issuer(AUDIENCE), Issuer(AUDIENCE)
    try:
        with Stage(tmp_path, issuer) as stage:
            cast = stage.register([made], install(("sqlite",), cache(), print), "a long password")[0]
            stage.serve()
            timeline = Timeline(open_db(stage.data / "remit.db"), str, loud=False, colour=False)
            timeline.start()
            played = play(stage, cast, timeline)
            timeline.close()
            assert made.done(played.answer)
            assert made.harm() == ""
            assert played.strayed == 1
            stage._issuer = strange
            with pytest.raises(RemitError) as refused:
                stage.credential(cast)
            assert refused.value.code == "demo_token"
            with pytest.raises(RemitError) as shut:
                Client(f"{stage.url}/mcp/desk", "no credential").open()
            assert shut.value.code == "demo_gate"
            stage.desk.act(lambda change: revoke(change, "task", cast.task.id, "operator"))
            assert played.last_call().error
            played.close()
    finally:
        issuer.close()
        strange.close()
