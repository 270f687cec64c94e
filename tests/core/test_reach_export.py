"""Exports: OpenGraph keeps to its published schema, and no text of ours breaks out of a picture or a digraph."""

import json
import re
from xml.etree import ElementTree as ET

from remit.core.reach.answer import answer
from remit.core.reach.export import dot, opengraph
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
    ids = {node["id"] for node in payload["graph"]["nodes"]}
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
