"""The slow, obvious twin of `check` and `covers`: reads the JSON form of a step, and asks about every call one by one.

It shares no code with `remit.core`. Values that only an attacker would write are not its business: the tables in
tests/vectors/limits name those.
"""

import ipaddress
import json
import posixpath
import re
from fractions import Fraction
from urllib.parse import urlsplit


def same(left, right):
    """Two JSON values are one when their numbers, read as rationals, and all else are."""
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return Fraction(left) == Fraction(right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(one, two) for one, two in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    return type(left) is type(right) and left == right


def a_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def bounded(value, bounds):
    if not a_number(value):
        return False
    exact = Fraction(value)
    return Fraction(bounds.get("min", value)) <= exact <= Fraction(bounds.get("max", value))


def under(value, directory):
    if not isinstance(value, str) or not value.startswith("/") or ".." in value.split("/"):
        return False
    return posixpath.commonpath([posixpath.normpath(value), directory]) == directory


def listed(value, names):
    if not isinstance(value, str):
        return False
    split = urlsplit(value if "://" in value else "//" + value)
    try:
        port = split.port or {"http": 80, "https": 443}.get(split.scheme)
    except ValueError:
        return False
    if split.hostname is None:
        return False
    for name in names:
        wanted = urlsplit("//" + name.removeprefix("*."))
        if wanted.port not in {None, port}:
            continue
        if name.startswith("*.") and split.hostname.endswith("." + wanted.hostname):
            return True
        if not name.startswith("*.") and split.hostname == wanted.hostname:
            return True
    return False


def inside(value, networks):
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return isinstance(value, str) and any(address in ipaddress.ip_network(network) for network in networks)


def a_name(value):
    """Say whether this can be the name of an object."""
    if isinstance(value, str):
        return 0 < len(value) <= 256 and value.isprintable()
    return isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0 and abs(value) < 2**53


def passes(limit, value):
    """Say whether one value passes one limit in its JSON form."""
    ((tag, body),) = limit.items()
    return {
        "any": lambda: True,
        "equals": lambda: same(value, body),
        "one_of": lambda: any(same(value, one) for one in body),
        "prefix": lambda: isinstance(value, str) and value[: len(body)] == body,
        "pattern": lambda: isinstance(value, str) and re.fullmatch(body, value) is not None,
        "range": lambda: bounded(value, body),
        "subpath": lambda: under(value, body),
        "host": lambda: listed(value, body),
        "cidr": lambda: inside(value, body),
        "max_length": lambda: isinstance(value, str) and len(value) <= body,
        "owned": lambda: all(a_name(one) for one in (value if isinstance(value, list) and value else [value])),
    }[tag]()


def money(value):
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return Fraction(value)
    return Fraction(str(value)) if a_number(value) and value >= 0 else None


def named(step, arguments):
    """Say whether the arguments are those that the step names, each within its limits: flat arguments only."""
    limits = step.get("arguments", {})
    for name, value in arguments.items():
        if name not in limits and not step.get("allow_unknown"):
            return False
        if not all(passes(limit, value) for limit in limits.get(name, [])):
            return False
    return all(name in arguments or name in step.get("optional", []) for name in limits)


def timely(step, at, history):
    if "window" in step and not step["window"]["start"] <= at < step["window"]["end"]:
        return False
    if "rate" not in step:
        return True
    since = at - 1000 * step["rate"]["seconds"]
    return len([past for past in history if past["at"] > since]) < step["rate"]["count"]


def affordable(step, call, history):
    for total in step.get("totals", []):
        amounts = [money(past["arguments"].get(total["argument"])) for past in [*history, call]]
        if amounts[-1] is None or sum(amount for amount in amounts if amount is not None) > Fraction(total["max"]):
            return False
    if "rows" in step and sum(past["rows"] for past in history) >= step["rows"]["max"]:
        return False
    return "uses" not in step or len(history) < step["uses"]


def allows(step, call, history):
    """Say whether a step in its JSON form allows a call after a history of allowed calls.

    A call is `{"arguments", "at", "rows"}`; `rows` is what its answer held.
    """
    return named(step, call["arguments"]) and timely(step, call["at"], history) and affordable(step, call, history)


def wider(parent, child, calls):
    """Play the calls against the child; return the first allowed one that the parent refuses, or None."""
    if (parent["action"], parent["path"]) != (child["action"], child["path"]):
        return {"another": json.dumps([child["action"], child["path"]])}
    history = []
    for call in calls:
        if allows(child, call, history):
            if not allows(parent, call, history):
                return call
            history.append(call)
    return None
