"""`remit run` for a person: they consent in a browser at the node's own server, and what comes of it ends with it."""

import json
import signal
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from tests.cli.test_run import _runs, open_tasks, task, until
from tests.kit.running_person import READS, WAITS, answers_at, node_for_people
from tests.kit.signin import query


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with node_for_people(tmp_path_factory.mktemp("person"), "errand", "brisk") as one:
        yield one


def sent(url, fields=None):
    """One request as anybody's program sends it: its status and what was answered."""
    data = urlencode(fields).encode() if fields else None
    try:
        with urllib.request.urlopen(url, data, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()


def test_a_person_consents_and_what_comes_out_is_the_commands_task(node):
    """Renewed while the command runs, on the delegated path alone, and held by the command at no moment."""
    program = READS + "import time; time.sleep(2.5); print(call('/notes/b')); print(call('/etc/passwd'))\n"
    program += "import os; print('eyJ' in repr(os.environ) + open(os.environ['REMIT_MCP_CONFIG']).read())"
    with node.start(program, "-o", "json", "--label", "ticket=T-7", brief="brisk") as process:
        came = node.person.go(process.asks())
        assert (came.status, "Your answer was taken" in came.body) == (200, True)
        code, lines, said = process.ends()
    assert code == 0, said
    first, second, refused, held, last = lines
    assert ("Note: /notes/a" in first, "Note: /notes/b" in second, "argument_refused" in refused) == (True, True, True)
    told = json.loads(last)
    assert (held, told["ended"], told["because"]) == ("False", True, "complete")
    assert told["calls"] == {"done": 2, "open": 0, "refused": 1}
    page = node.person.seen[-2].body
    assert "Let scribe act for you?" in page
    assert "<strong>remit run</strong> asks" in page
    made = task(node, told["task"])
    assert made["person"] == made["requester"] != ""
    assert (made["watched"], made["labels"], made["purpose"][:10]) == (True, {"ticket": "T-7"}, "Run python")
    receipts = node.decided(told["task"])
    assert {(one["path"], one["subject"]) for one in receipts} == {("delegated", made["person"])}


def test_run_08_what_is_no_answer_to_this_question_is_turned_away_and_another_servers_ends_it(node):
    """Another state, none, one parameter twice, another address: it waits on. Another server's answer is the end."""
    before = open_tasks(node)
    with node.start("print('ran')") as process:
        address = process.asks()
        back, asked = answers_at(address), query(address)
        right = {"state": asked["state"], "iss": node.origin, "code": "rmc_x"}
        for wrong in (right | {"state": "x"}, {"code": "rmc_x", "iss": node.origin}, {"state": "", "error": "no"}):
            assert sent(f"{back}?{urlencode(wrong)}")[0] == 400
        assert sent(f"{back}?{urlencode(right)}&code=rmc_y")[0] == 400
        assert sent(f"{back}/x?{urlencode(right)}")[0] == 404
        assert process.poll() is None
        assert sent(f"{back}?{urlencode(right | {'iss': 'https://other.example'})}")[0] == 400
        code, lines, said = process.ends()
    assert (code, lines, "[consent_foreign]" in said) == (4, [], True), said
    assert asked["code_challenge_method"] == "S256"
    assert open_tasks(node) == before


def test_run_07_a_code_that_is_seen_on_its_way_gives_nothing_and_ends_what_it_was_for(node):
    before = open_tasks(node)
    with node.start("print('ran')") as process:
        address = process.asks()
        back, asked = answers_at(address), query(address)
        came = node.person.go(address, stop=back).url
        stolen = {"grant_type": "authorization_code", "code": query(came)["code"], "redirect_uri": back}
        stolen |= {"client_id": asked["client_id"]}
        assert sent(f"{node.origin}/oauth/token", stolen)[0] == 400
        assert sent(f"{node.origin}/oauth/token", stolen | {"code_verifier": asked["code_challenge"]})[0] == 400
        assert len(open_tasks(node) - before) == 1
        assert sent(came)[0] == 200
        code, lines, said = process.ends()
    assert (code, lines, "[consent_over]" in said) == (4, [], True), said
    assert open_tasks(node) == before, "what a stolen code was for goes on"


def test_killed_outright_it_leaves_no_command_no_task_and_nothing_that_is_renewed(node):
    before = open_tasks(node)
    with node.start(WAITS) as process:
        node.person.go(process.asks())
        assert b"Note: /notes/a" in process.stdout.readline()
        command = int(process.stdout.readline())
        (mine,) = open_tasks(node) - before
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
        assert until(lambda: task(node, mine)["state"] == "ended")
        assert task(node, mine)["because"] == "complete"
        assert until(lambda: not _runs(command))
