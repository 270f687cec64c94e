"""What an operator knows and no target tells: which secret is stored in what, what leads where. Pure.

A table with `edges`, each with `from` and `to` (KIND:NAME, names within this target but those of people, agents,
secrets, resources and domains), `by`, and `writes`; and `titles`, how a node is called.
"""

from typing import Final

from remit.core.canonical import Json
from remit.core.reach.graph import KINDS, invalid
from remit.core.reach.survey import Gathering, Seen

_EDGE: Final = frozenset({"from", "to", "by", "writes"})


def read(form: Json) -> Seen:
    """Read the table (`reach_invalid`)."""
    if not isinstance(form, dict) or not form.keys() <= {"edges", "titles"} or not isinstance(form.get("edges"), list):
        raise invalid("It is a table with edges, and titles where some are wanted.")
    found = Gathering("facts")
    for edge in form["edges"]:
        if not isinstance(edge, dict) or not {"from", "to"} <= edge.keys() <= _EDGE:
            raise invalid("An edge has from, to, by and writes.")
        by, writes = edge.get("by", "leads to"), edge.get("writes", False)
        if not isinstance(by, str) or not 0 < len(by) <= 200 or not isinstance(writes, bool):
            raise invalid("by is a text of up to 200 characters, and writes is true or false.")
        found.edge(_node(edge["from"]), _node(edge["to"]), by, writes=writes)
    titles = form.get("titles", {})
    if not isinstance(titles, dict) or not all(isinstance(one, str) for one in titles.values()):
        raise invalid("titles is a table of texts.")
    for key, title in titles.items():
        found.node(*_node(key), title)
    return found.seen()


def _node(key: Json) -> tuple[str, str]:
    kind, mark, name = key.partition(":") if isinstance(key, str) else ("", "", "")
    if not mark or kind not in KINDS or kind == "write" or not 0 < len(name) <= 500:
        raise invalid("A node is written KIND:NAME.")
    return kind, name
