"""A target's own log against the ledger: what was decided is explained, what was not is a gap.

PostgreSQL's log is a real one; GitHub's is written from its reference, of what was done at a stand-in: *partial*.
"""

import base64
import hashlib
import json
import time
import urllib.request
from contextlib import closing

import psycopg
import pytest

from remit.control import revocation
from remit.control.join import join
from remit.core.permit import Permit
from remit.core.resource import Minting
from remit.core.target_log import read
from remit.custody.secret import Secret
from remit.custody.sources.github import GitHubSource
from tests.control.test_lessor import CALL, Shop, called
from tests.kit.github import APP, INSTALLATION, GitHub, pem
from tests.kit.nouns import TASK
from tests.kit.postgres import Postgres
from tests.kit.targets import Lending
from tests.kit.world import read_call, steps


@pytest.fixture(scope="module")
def server():
    made = Postgres(
        "logging_collector=on", "log_destination='csvlog,jsonlog'", "log_directory='logs'", "log_statement='all'",
        "log_timezone='UTC'", "log_filename='target'",
    )  # fmt: skip
    yield made
    made.close()


def written(log, user):
    """The log once its last act is in it: the server's collector writes it a little later."""
    for _ in range(1200):
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
        if lines[-1].endswith("\n") and any("/* again */" in one and user in one for one in lines):
            return "".join(lines)
        time.sleep(0.05)
    raise AssertionError("the act never came into the log")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_statement_that_nobody_decided_is_a_gap(server, tmp_path, form):
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    url = server.fresh()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE TABLE orders (id int, total int)")
    shop = Shop(place, url).settle()
    errand, permit = called(shop)
    lent = shop.gate.borrow(permit)
    given = {"user": lent.user, "password": lent.password.decode(), "autocommit": True}
    with psycopg.connect(url, **given) as conn:
        conn.execute("SELECT id FROM orders WHERE id = %s", (1,))
        shop.note(permit)
        conn.execute("SELECT /* again */ id FROM orders")
    kind, acts = read(written(server.folder / "data" / "logs" / f"target.{form}", lent.user))
    found = join(shop.authority.view, [one for one in acts if one.name in ("", lent.user)])
    assert kind == f"postgres-{form}"
    assert [act.what for act, _ in found.explained] == ["SELECT id FROM orders WHERE id = $1"]
    assert [(one.act.what, one.why) for one in found.gaps] == [
        ("SELECT /* again */ id FROM orders", "no allowed call of its task is left that did this then")
    ]
    assert found.others >= 3
    shop.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
    assert shop.settle_targets()
    died = shop.leases()[0].died
    late = [one.__class__(one.line, died + 5_000, one.name, one.user, one.verb, one.what) for one in acts if one.name]
    assert {one.why for one in join(shop.authority.view, late).gaps if one.act.name == lent.user} == {
        "its lease was proven dead before"
    }
    stranger = late[0].__class__(1, died, f"remit_{TASK}_own_aaaaaaaa", "x", "select", "SELECT 1")
    assert [one.why for one in join(shop.authority.view, [stranger]).gaps] == ["no lease of this ledger has this name"]
    shop.close()
    assert CALL.kind == "select"


KINDS = {step.action.partition("/")[2] for step in steps()}
BOT = "acme-agents[bot]"


class Audited:
    """Who acts at the stand-in with a token, and the audit log that GitHub would write of it."""

    def __init__(self, github, clock):
        self.github, self.clock, self.events = github, clock, []

    def does(self, token, *actions, **members):
        asked = urllib.request.Request(
            f"{self.github.url}/installation/repositories", headers={"authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert answer.status == 200
        mark = base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()
        for one in actions:
            said = {"@timestamp": self.clock.now(), "action": one, "actor": BOT, "hashed_token": mark}
            self.events.append(said | {"repo": "acme/docs"} | members)

    def log(self, form):
        return json.dumps(self.events) if form == "json" else "\n".join(json.dumps(one) for one in self.events)


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_partial_what_a_token_did_at_github_is_explained_by_the_calls_of_its_task_alone(tmp_path, form):
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    with closing(GitHub()) as github:
        world = Lending(place, tmp_path / "folder").settle()
        settings = {"address": github.url, "app": APP, "installation": INSTALLATION}
        settings |= {f"allow.{kind}": "contents:read docs" for kind in KINDS}
        folder, world.source = world.source, GitHubSource(Secret(pem(github.key)), settings, world.authority.clock.now)
        world.register(minting=Minting(kind="github", settings=settings))
        errand = world.a_task()
        permit = world.decide(read_call(), world.enter(world.a_credential(errand.id).text))
        assert isinstance(permit, Permit), permit
        token = dict(world.gate.borrow(permit).headers)[b"authorization"].decode().removeprefix("Bearer ")
        audited = Audited(github, world.authority.clock)
        audited.does(token, "api.request", "git.clone", request_id="AAAA:1")
        world.note(permit)
        ended = world.authority.clock.now()
        audited.does(token, "git.clone", **{"@timestamp": ended + 60_000})
        theirs = world.source.mint(intended(world)).secret
        audited.does(json.loads(theirs.reveal())["token"], "git.push")
        audited.events.append({"@timestamp": ended, "action": "repo.create", "actor": "ann"})
        kind, acts = read(audited.log(form))
        found = joined(world, acts)
        assert (kind, found[0], found[2]) == ("github", ["api.request", "git.clone"], 2)
        assert found[1] == [("git.clone", "no allowed call of its task is left that did this then")]
        assert joined(world, acts, BOT)[1:] == (
            [("git.push", "no lease of this ledger has this token"), *found[1]],
            1,
        ), "a token of our App that no lease minted is a gap"
        world.act(lambda c: revocation.revoke(c, "task", errand.id, "operator"))
        assert world.settle_targets()
        late = {"@timestamp": world.leases()[0].died + 5_000, "action": "git.push", "actor": BOT}
        _, acts = read(json.dumps([late | {"hashed_token": world.leases()[0].mark}]))
        assert joined(world, acts)[1] == [("git.push", "its lease was proven dead before")]
        world.source = folder
        world.close()


def joined(world, acts, actor=""):
    found = join(world.authority.view, acts, ours=actor)
    return [act.verb for act, _ in found.explained], [(one.act.verb, one.why) for one in found.gaps], found.others


def intended(world):
    """What somebody who has the App's key would mint beside us."""
    from remit.core.ids import TaskId
    from remit.core.moment import Instant
    from remit.core.step import Step
    from remit.core.trust import TrustPath
    from remit.custody.source import Intent

    until = Instant(world.authority.clock.now() + 60_000)
    steps = (Step.from_json({"action": "mcp:notes/read_note", "path": "own"}),)
    return Intent(name="theirs", task=TaskId(TASK), path=TrustPath.OWN, until=until, steps=steps)
