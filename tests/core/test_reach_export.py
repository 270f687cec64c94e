"""Exports: OpenGraph keeps to its published schema, and no text of ours breaks out of a picture or a digraph."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from remit.core.reach import export
from remit.core.reach.answer import answer
from remit.core.reach.export import dot, identity, opengraph
from remit.core.reach.graph import Builder
from remit.core.reach.picture import svg

HOSTILE = 'x"];n0->n0;</title><script>alert(1)</script>\u202e\x1b[31m'
PLAIN = str | int | float | bool


def hostile():
    builder = Builder()
    agent, tool = builder.node("agent", "agt_1", HOSTILE), builder.node("object", f"crm/{HOSTILE}")
    home = builder.node("domain", "customers")
    builder.sensitive(home)
    builder.writes(agent, tool, HOSTILE)
    builder.edge(tool, home, "holds")
    return answer(builder.build(), 0)


def refused(payload):
    """What of the published schema (metadata, node and edge) a payload does not keep."""
    found = [] if payload.keys() == {"metadata", "graph"} and payload["metadata"].keys() == {"source_kind"} else ["top"]
    for node in payload["graph"]["nodes"]:
        good = isinstance(node["id"], str) and 1 <= len(node["kinds"]) <= 3
        found += [] if good and all(isinstance(v, PLAIN) for v in node["properties"].values()) else [node["id"]]
        found += [node["id"]] if not all(re.fullmatch(r"[A-Za-z0-9_]+", kind) for kind in node["kinds"]) else []
    ids = {node["id"] for node in payload["graph"]["nodes"]}
    # BloodHound writes ids in capitals as it takes them in.
    found += [] if len({one.upper() for one in ids}) == len(payload["graph"]["nodes"]) else ["ids"]
    for edge in payload["graph"]["edges"]:
        ends = edge["start"], edge["end"]
        good = all(end["match_by"] == "id" and end["value"] in ids for end in ends)
        found += [] if good and re.fullmatch(r"[A-Za-z0-9_]+", edge["kind"]) else [edge["kind"]]
        found += [] if all(isinstance(v, PLAIN) for v in edge["properties"].values()) else [edge["kind"]]
    return found


def test_opengraph_keeps_to_the_published_schema():
    payload = opengraph(hostile())
    assert refused(payload) == []
    assert json.loads(json.dumps(payload)) == payload
    assert len(payload["graph"]["nodes"]) == 4
    payload["graph"]["nodes"][0]["kinds"] = []
    payload["graph"]["edges"][0]["properties"]["deep"] = {}
    assert len(refused(payload)) == 2


def many():
    """Objects whose names differ in case alone, or look like another's id, and labels of all sorts."""
    builder = Builder()
    agent = builder.node("agent", "agt_1", "scribe")
    upper = identity("object:db/Users").removeprefix("object:")
    for name in ("db/users", "db/Users", "db/USERS", upper, upper.lower()):
        builder.writes(agent, builder.node("object", name), f"s3:Get{name}, 5 write (perhaps)")
    room = builder.node("rights", "r")
    builder.edge(agent, room, "may assume (perhaps)")
    builder.edge(room, builder.node("domain", "d"), "user/u3: writes its policies (iam:PutUserPolicy)")
    return answer(builder.build(), 0)


def test_ids_differ_in_more_than_case_and_kinds_stay_few():
    payload = opengraph(many())
    assert refused(payload) == []
    kinds = {edge["kind"] for edge in payload["graph"]["edges"]}
    assert kinds == {"RemitCanWrite", "RemitIsAWriteTo", "RemitMayAssume", "RemitLeads"}
    unsure = {edge["kind"] for edge in payload["graph"]["edges"] if edge["properties"]["perhaps"]}
    assert unsure == {"RemitCanWrite", "RemitMayAssume"}


def test_planted_faults_in_an_export_are_seen(monkeypatch):
    monkeypatch.setattr(export, "identity", lambda key: key)
    assert refused(opengraph(many())) == ["ids"]
    monkeypatch.setattr(export, "_kind", lambda _, label: label)
    assert len(refused(opengraph(many()))) > 1


@pytest.mark.parametrize(
    "name", ["\x00\x0b\ufffe", "]]>", "<!--", "&#0;&lt;", "\ud800", "'\" onload=x", "a" * 1000, "\u202e"]
)
def test_a_picture_is_well_formed_and_runs_nothing(name):
    builder = Builder()
    builder.edge(builder.node("agent", "agt_1", name), builder.node("secret", f"s{name}"), name)
    drawn = svg(answer(builder.build(), 0))
    root = ET.fromstring(drawn.encode())
    tags = {one.tag.rpartition("}")[2] for one in root.iter()}
    assert tags <= {"svg", "title", "desc", "rect", "text", "g", "path"}
    attributes = {key for one in root.iter() for key in one.attrib}
    assert not [
        key for key in attributes if key.lower().startswith("on") or key.rpartition("}")[2] in ("href", "style")
    ]


def test_a_hostile_name_stays_a_name():
    text = dot(hostile())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(re.findall(r"^  n\d+ -> n\d+ \[label=\"(?:[^\"\\]|\\.)*\"\];$", text, re.MULTILINE)) == 3
    assert len(text.splitlines()) == 3 + 4 + 3 + 1
    drawn = svg(hostile())
    assert "<script" not in drawn
    assert {one.tag.rpartition("}")[2] for one in ET.fromstring(drawn).iter()} <= {
        "svg", "title", "desc", "rect", "text", "g", "path",
    }  # fmt: skip
