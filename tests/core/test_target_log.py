"""Logs of targets: what is an act, whose it is, and when it was."""

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.errors import RemitError
from remit.core.target_log import instant_of, read
from tests.kit.nouns import TASK, code

VECTORS = Path(__file__).parents[1] / "vectors" / "join"
ACTS = json.loads((VECTORS / "acts.json").read_text(encoding="utf-8"))
NAME = f"remit_{TASK}_own_aaaaaaaa"


def csv_line(message, user=NAME, at="2026-11-30 01:02:03.456 UTC", tag="SELECT"):
    row = [at, user, "shop", "1", "h", "s", "1", tag, "", "", "0", "LOG", "00000", message, *[""] * 12]
    return ",".join('"' + one.replace('"', '""') + '"' for one in row)


def json_line(message, user=NAME):
    return json.dumps({"timestamp": "2026-11-30 01:02:03.456 UTC", "user": user, "message": message, "ps": "SELECT"})


SAID = [
    ("statement: SELECT 1", ("select", "SELECT 1")),
    ("execute <unnamed>: /* x */ -- y\n (UPDATE t SET x = 1", ("update", "/* x */ -- y\n (UPDATE t SET x = 1")),
    ("execute S_1: DELETE FROM orders", ("delete", "DELETE FROM orders")),
    ("AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.orders,select id from x,<none>", ("select", "select id from x")),
    ("statement: BEGIN", None),
    ("statement: set search_path = x", None),
    ("connection authorized: user=x", None),
    ("statement: set application_name = 'it''s; a:b' -- begin", None),
    ("statement: ;", None),
    ("duration: 0.42 ms  statement: DELETE FROM orders", ("delete", "DELETE FROM orders")),
    ("duration: 0.42 ms  execute <unnamed>: DELETE FROM orders", ("delete", "DELETE FROM orders")),
    ("duration: 0.42 ms  bind <unnamed>: DELETE FROM orders", None),
    ("duration: 0.42 ms", None),
    # What pretends to be of the session alone.
    ("statement: BEGIN; DELETE FROM orders", ("delete", "DELETE FROM orders")),
    ("statement: set x = 'a;'; delete from orders; commit", ("delete", "delete from orders")),
    ("statement: /* a /* b */ begin */ DELETE FROM orders", ("delete", "/* a /* b */ begin */ DELETE FROM orders")),
    ("execute x: begin: DELETE FROM orders", ("begin", "begin: DELETE FROM orders")),
    ("execute x: begin ': DELETE FROM orders WHERE status = 'x'", (
        "begin", "begin ': DELETE FROM orders WHERE status = 'x'")),
]  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize(("message", "wanted"), SAID)
def test_a_statement_is_an_act_and_what_a_session_says_of_itself_is_none(form, message, wanted):
    line = csv_line if form == "csv" else json_line
    kind, acts = read("\n".join([line("statement: SELECT 0", user="ann"), line(message)]))
    assert kind == f"postgres-{form}"
    assert [(one.verb, one.what) for one in acts if one.name] == ([wanted] if wanted else [])
    assert [one.user for one in acts if not one.name] == ["ann"]
    assert {one.at for one in acts} == {1_796_000_523_456}


def test_each_statement_of_one_text_is_an_act():
    text = "statement: select ';' /* ; */, $a$;$a$, e'\\';', \";\" from orders; delete from orders -- ;\n; commit"
    _, acts = read(csv_line(text))
    assert [(one.verb, one.line) for one in acts] == [("select", 1), ("delete", 1)]


def test_a_text_of_many_comments_is_read_in_no_time():
    _, acts = read(csv_line("statement: " + "-- " * 2_000))
    assert acts == []


def test_cloudtrail_says_who_by_the_name_of_the_session():
    record = {"eventTime": "2026-11-30T01:02:03Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject"}
    mine = {"principalId": f"AROA1:{NAME}", "arn": f"arn:aws:sts::1:assumed-role/r/{NAME}"}
    text = json.dumps(
        {"Records": [record | {"userIdentity": mine}, record | {"userIdentity": {"principalId": "AIDA"}}, {}]}
    )
    kind, acts = read(text)
    assert kind == "cloudtrail"
    assert [(one.line, one.name, one.verb) for one in acts] == [(1, NAME, "s3:GetObject"), (2, "", "s3:GetObject")]


@pytest.mark.parametrize("name", sorted(ACTS))
def test_each_log_of_the_vectors_is_read_as_it_says(name):
    kind, acts = read((VECTORS / name).read_text(encoding="utf-8"))
    assert kind == ACTS[name]["kind"]
    assert [asdict(one) for one in acts] == ACTS[name]["acts"]


def test_an_event_of_github_with_another_form_is_read_as_far_as_it_goes():
    base = {"@timestamp": 1_796_000_523_456, "action": "git.push", "actor": "ann"}
    odd = [base | {"hashed_token": 7, "repo": ["x"]}, base | {"@timestamp": "2026-11-30T01:02:03Z", "actor": None}, {}]
    _, acts = read(json.dumps(odd))
    assert [(one.line, one.at, one.user, one.mark, one.what) for one in acts] == [
        (1, 1_796_000_523_456, "ann", "", "git.push"),
        (2, 1_796_000_523_000, "", "", "git.push"),
    ]
    assert code(read, json.dumps([*odd, 7])) == "log_broken"
    assert code(read, json.dumps([base | {"@timestamp": -1}])) == "log_zone"
    assert code(read, json.dumps([base | {"@timestamp": "yesterday"}])) == "log_zone"


@given(st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_time_is_read_as_its_zone_says(when, minutes):
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    wanted = int(when.replace(microsecond=0, tzinfo=zone).timestamp() * 1000)
    sign, off = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{when:%Y-%m-%d %H:%M:%S} {sign}{off // 60:02d}:{off % 60:02d}"
    if wanted >= 0:
        assert instant_of(text) == wanted
        assert instant_of(text.replace(" ", "T", 1)) == wanted


@pytest.mark.parametrize(
    "text", ["", "hello", "a,b,c", "half a {", "{}", "[]", "[1]", "null", '{"a": 1}', '{"Records": 1}',
             "2026-11-30 01:02:03 UTC [1] LOG: x"],
)  # fmt: skip
def test_what_is_no_log_is_refused(text):
    assert code(read, text) == "log_unknown"


@pytest.mark.parametrize("at", ["2026-11-30 01:02:03 CET", "2026-11-30 01:02:03", "yesterday"])
def test_a_zone_that_is_a_mere_name_is_refused(at):
    assert code(instant_of, at) == "log_zone"


@pytest.mark.parametrize("name", sorted(ACTS))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_log_that_is_cut_off_is_never_read_in_part(name, share):
    text = (VECTORS / name).read_text(encoding="utf-8").rstrip("\n")
    cut = text[: int(len(text) * share)]
    if cut.endswith("\n") or text[len(cut)] == "\n":
        cut = cut.rstrip("\n")[:-1]
    assert code(read, cut) in ("log_broken", "log_unknown")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_one_line_that_cannot_be_read_is_told_by_its_number(form):
    line = csv_line if form == "csv" else json_line
    good = line("statement: SELECT 0")
    with pytest.raises(RemitError, match="Entry 2 of this log"):
        read("\n".join([good, good[: len(good) // 2], good]))
