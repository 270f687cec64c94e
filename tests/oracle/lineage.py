"""Who vouches for what in a small world, the slow and obvious way: every earlier answer is read again, in plain text.

The world has three tools that answer: `find` (records with id, mail, name and text; the service sets id and mail),
`staff` (trusted: a list of addresses) and `make` (a write that answers with a record, and mints its id); and two that
write: `send` (to addresses) and `drop` (by id). Names are one word; nothing is looked for by argument.
"""

import re


def bare(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def says(request, text):
    """Whether the request holds the words of a text, in order."""
    want, all_ = bare(text), bare(request)
    return bool(want) and any(all_[at : at + len(want)] == want for at in range(len(all_)))


def addresses(text):
    return [one.lower() for one in re.findall(r"[A-Za-z0-9.]+@[A-Za-z0-9.]+\.[a-z]+", text)]


def vouched(request, earlier, tool, value):
    """Whether a source vouches for an address to send to, or an id to drop."""
    for name, answer in earlier:
        if name == "staff" and any(one.lower() == value.lower() for one in answer):
            return True
        if name == "make" and tool == "drop" and answer["id"] == value:
            return True
        if name == "find":
            for record in answer:
                field = record["mail"] if tool == "send" else record["id"]
                if field.lower() == value.lower() and says(request, record["name"]):
                    return True
    return tool == "send" and value.lower() in addresses(request)


def pointed(request, earlier, value):
    """Whether an address stands anywhere in a record that the request names."""
    found = [record for name, answer in earlier if name == "find" for record in answer if says(request, record["name"])]
    return any(value.lower() in [record["mail"].lower(), *addresses(record["text"])] for record in found)


def answer(request, earlier, tool, value, *, meant, used, complete):
    """`allow`, `ask` or `refuse` for one call that sends to one address or drops one id."""
    seen = earlier if complete else []
    if not meant:
        return "refuse"
    if not vouched(request, seen, tool, value):
        settled = tool == "send" and addresses(request) and not pointed(request, seen, value)
        return "refuse" if settled else "ask"
    return "ask" if used else "allow"
