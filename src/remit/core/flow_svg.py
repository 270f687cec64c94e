"""A flow as a picture: one lane for each identity, calls from left to right, crossings as arcs. Pure; text is escaped.

The picture stands by itself: no script, no outside reference, colours that hold on white, and a title and description
for who cannot see it. Colour never says anything alone: each kind of act has its own shape.
"""

from html import escape
from typing import Final

from remit.core.flow import Act, Flow, Lane
from remit.core.shown import several, shown

LEFT: Final = 310
STEP: Final = 132
TIGHT: Final = 40
TOP: Final = 92
LANE: Final = 150
MANY: Final = 14
"""Above so many acts they stand closer, without their labels; each still says what it is where one points at it."""
INK: Final = "#1b1b1b"
DIM: Final = "#555555"
BAD: Final = "#8a0000"
CROSSED: Final = "#b00050"
COLOURS: Final = {"own": "#a24a00", "delegated": "#0b5cad", "": DIM}
SAYS: Final = {"own": "by its own authority", "delegated": "for a person", "": "unknown path"}
Point = tuple[int, int]
Members = dict[str, str | float]


def svg(flow: Flow) -> str:
    """Draw the flow."""
    step = STEP if len(flow.acts) <= MANY else TIGHT
    width = LEFT + max(step * len(flow.acts), 450) + 60
    bottom = TOP + LANE * max(len(flow.lanes), 1) + 22
    height = bottom + 18 * len(flow.gaps) + 24
    at = {act.call: (LEFT + step // 2 + step * n, _y(act.lane)) for n, act in enumerate(flow.acts)}
    heading = f"Flow of {flow.task}"
    parts = [
        _one("title", heading),
        _one("desc", _summary(flow)),
        _one("rect", width=width, height=height, fill="#ffffff"),
        _one("text", heading, x=20, y=30, font_size=17, font_weight=600),
        _one("text", _summary(flow), x=20, y=54, fill="#333333"),
        *(part for number, lane in enumerate(flow.lanes) for part in _lane(number, lane, width)),
        *(_switch(at[flow.acts[one.before].call], at[flow.acts[one.after].call]) for one in flow.switches),
        *(part for one in flow.crossings if {one.source, one.target} <= at.keys()
          for part in _arc(at[one.source], at[one.target])),
        *(_act(act, *at[act.call], labelled=step == STEP) for act in flow.acts),
        *_legend(bottom),
        *(_one("text", f"Gap: {gap}", x=20, y=bottom + 24 + 18 * n, fill=BAD) for n, gap in enumerate(flow.gaps)),
    ]  # fmt: skip
    inside = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" font-family="system-ui, sans-serif" font-size="13">\n{inside}\n</svg>\n'
    )


def _one(name: str, said: str = "", /, **members: str | float) -> str:
    """One element; its text and its members escaped."""
    held = "".join(f' {key.replace("_", "-")}="{_text(str(value))}"' for key, value in members.items())
    return f"<{name}{held}>{_text(said)}</{name}>" if said else f"<{name}{held}/>"


def _text(text: str) -> str:
    return escape(shown(text), quote=True)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _summary(flow: Flow) -> str:
    state = "blended, high risk" if flow.blended else "one path so far"
    gaps = sum(bool(act.gaps) for act in flow.acts) + len(flow.gaps)
    return (
        f"{state}: {several(len(flow.acts), 'call')}, {several(len(flow.lanes), 'identity', 'identities')}, "
        f"{several(len(flow.switches), 'switch', 'switches')}, {several(len(flow.crossings), 'value')} crossed, "
        f"{several(gaps, 'gap')}"
    )


def _y(lane: int) -> int:
    return TOP + LANE * lane + LANE // 2


def _lane(number: int, lane: Lane, width: int) -> list[str]:
    top, colour = TOP + LANE * number + 4, COLOURS.get(lane.path, DIM)
    acting = lane.agent and lane.agent != lane.subject
    return [
        _one("rect", x=10, y=top, width=width - 20, height=LANE - 8, rx=8, fill=colour, fill_opacity=0.06),
        _one("rect", x=10, y=top, width=5, height=LANE - 8, rx=2, fill=colour),
        _one("line", x1=LEFT - 10, y1=_y(number), x2=width - 24, y2=_y(number), stroke=colour, stroke_opacity=0.35),
        _one("text", SAYS.get(lane.path, SAYS[""]), x=30, y=top + 52, font_weight=600, fill=colour),
        _one("text", _cut(lane.subject or "nobody known", 31), x=30, y=top + 73, font_size=12),
        *([_one("text", f"by {_cut(lane.agent, 31)}", x=30, y=top + 92, font_size=12, fill=DIM)] if acting else []),
    ]


def _act(act: Act, x: int, y: int, *, labelled: bool) -> str:
    code = f", {act.code}" if act.code else ""
    said = f"{act.action} ({act.what}{code}) {'; '.join(act.gaps)}".strip()
    parts = [_one("title", said), *_shape(act, x, y)]
    if labelled:
        place, _, kind = act.action.partition("/")
        middle: Members = {"x": x, "text_anchor": "middle"}
        parts += [
            _one("text", _cut(kind, 17), y=y + 30, **middle),
            _one("text", _cut(place.partition(":")[2], 20), y=y + 46, font_size=11, fill=DIM, **middle),
            _one("text", _cut(act.code or act.what, 21), y=y + 61, font_size=11, fill=_ink(act), **middle),
        ]
    return f"<g>{''.join(parts)}</g>"


def _ink(act: Act) -> str:
    return DIM if act.what == "done" else BAD


def _shape(act: Act, x: int, y: int) -> list[str]:
    """Done is a full circle, refused a cross, what failed a full square, what is not known a dashed ring."""
    ring = [_one("circle", cx=x, cy=y, r=14, fill="none", stroke=BAD, stroke_dasharray="2 3")] if act.gaps else []
    if act.what == "refused":
        cross = f"M{x - 7} {y - 7}L{x + 7} {y + 7}M{x + 7} {y - 7}L{x - 7} {y + 7}"
        return [*ring, _one("path", d=cross, stroke=BAD, stroke_width=3)]
    if act.what in ("open", "unknown"):
        dashed: Members = {"fill": "#ffffff", "stroke": DIM, "stroke_width": 2, "stroke_dasharray": "3 3"}
        return [*ring, _one("circle", cx=x, cy=y, r=9, **dashed)]
    if act.what == "done":
        return [*ring, _one("circle", cx=x, cy=y, r=9, fill=INK)]
    return [*ring, _one("rect", x=x - 8, y=y - 8, width=16, height=16, fill=INK)]


def _switch(before: Point, after: Point) -> str:
    (x1, y1), (x2, y2) = before, after
    middle = (x1 + x2) // 2
    path = f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    return _one("path", d=path, fill="none", stroke="#777777", stroke_width=1.5, stroke_dasharray="6 4")


def _arc(source: Point, target: Point) -> list[str]:
    """From above the answer to above the call, with a head: it never hides behind the line of a switch."""
    (x1, y1), (x2, y2) = source, target
    lift = 48
    path = f"M{x1} {y1 - 12}C{x1 + 8} {y1 - lift} {x2 - 26} {y2 - lift - 8} {x2 - 5} {y2 - 15}"
    head = f"M{x2 - 14} {y2 - 19}L{x2 - 2} {y2 - 11}L{x2 - 4} {y2 - 26}Z"
    return [_one("path", d=path, fill="none", stroke=CROSSED, stroke_width=2.5), _one("path", d=head, fill=CROSSED)]


def _legend(y: int) -> list[str]:
    dashed: Members = {"fill": "#ffffff", "stroke": DIM, "stroke_dasharray": "3 3"}
    return [
        _one("circle", cx=28, cy=y - 4, r=6, fill=INK),
        _one("text", "done", x=40, y=y),
        _one("path", d=f"M88 {y - 9}l10 10m0 -10l-10 10", stroke=BAD, stroke_width=3),
        _one("text", "refused", x=106, y=y),
        _one("rect", x=172, y=y - 10, width=11, height=11, fill=INK),
        _one("text", "failed", x=190, y=y),
        _one("circle", cx=252, cy=y - 4, r=6, **dashed),
        _one("text", "outcome unknown", x=264, y=y),
        _one("line", x1=396, y1=y - 4, x2=426, y2=y - 4, stroke="#777777", stroke_width=1.5, stroke_dasharray="6 4"),
        _one("text", "switch of identity", x=434, y=y),
        _one("line", x1=560, y1=y - 4, x2=590, y2=y - 4, stroke=CROSSED, stroke_width=2.5),
        _one("text", "a value crossed", x=598, y=y),
    ]
