"""The picture of a flow: well-formed, complete, and inert whatever names are in it."""

import xml.etree.ElementTree as ET

import pytest

from remit.core.flow import Act, Crossing, Flow, Lane, Switch
from remit.core.flow_svg import MANY, svg

NAME = "{http://www.w3.org/2000/svg}"
HOSTILE = "\"><script>alert(1)</script><x y='&\u202e\u0000\x1b[2J"


def act(number, what="done", lane=0, **members):
    given = {"leaf": number, "at": number, "task": "t", "lane": lane, "action": "mcp:mail/read", "call": f"c{number}"}
    return Act(**(given | {"what": what} | members))


LANES = (Lane("own", "bot", "bot"), Lane("delegated", "per", "bot"))


def drawn(acts, lanes=LANES, **members):
    given = {"task": "tsk", "blended": 1, "lanes": lanes, "acts": tuple(acts), "switches": (), "crossings": ()}
    return svg(Flow(**(given | members)))


def texts(picture):
    return " ".join("".join(one.itertext()) for one in ET.fromstring(picture).iter())


def test_every_call_switch_crossing_and_gap_is_drawn():
    acts = [act(0), act(1, "refused", 1, code="blended_read_only"), act(2, "unknown", 1, gaps=("outcome unknown",))]
    picture = drawn(acts, switches=(Switch(0, 2),), crossings=(Crossing("c0", "c2", "", ""),), gaps=("some were lost",))
    root = ET.fromstring(picture)
    assert len(root.findall(f"{NAME}g")) == 3
    said = texts(picture)
    assert "blended, high risk: 3 calls, 2 identities, 1 switch, 1 value crossed, 2 gaps" in said
    for wanted in ("blended_read_only", "by its own authority", "for a person", "Gap: some were lost"):
        assert wanted in said


def test_names_from_elsewhere_do_nothing():
    lanes = (Lane("own", HOSTILE, HOSTILE),)
    acts = [act(0, action=f"mcp:mail/{HOSTILE}", code=HOSTILE, gaps=(HOSTILE,))]
    picture = drawn(acts, lanes, task=HOSTILE, gaps=(HOSTILE,))
    root = ET.fromstring(picture)
    assert {one.tag.removeprefix(NAME) for one in root.iter()} <= {
        "svg", "title", "desc", "rect", "text", "line", "path", "circle", "g"
    }  # fmt: skip
    assert not any(name.startswith("on") or "href" in name for one in root.iter() for name in one.attrib)
    assert "\u202e" not in picture
    assert "\x1b" not in picture


@pytest.mark.parametrize("count", [0, 1, MANY, MANY + 1, 300])
def test_any_number_of_calls_fits_its_frame(count):
    picture = drawn([act(n, lane=n % 2) for n in range(count)])
    root = ET.fromstring(picture)
    width = int(root.attrib["width"])
    assert all(float(one.attrib["cx"]) < width for one in root.iter(f"{NAME}circle"))
    assert len(root.findall(f"{NAME}g")) == count


def test_a_crossing_from_a_call_that_is_not_shown_is_left_out():
    assert "value crossed" in texts(drawn([act(0)], crossings=(Crossing("elsewhere", "c0", "", ""),)))
