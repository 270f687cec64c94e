"""The twin of the plan classifier: asks a solver for a call, or a number of calls, that a new plan allows and an old
one forbids.

A plan is read from its JSON form into formulas over one call: the value of each argument (a text, a number, an address,
another value, or none), the instant, how often the same call was made before, and the sum of a total so far. It shares
no code with `remit.core`. `None` says that there is none.
"""

import ipaddress

import z3

UNBOUNDED = 1_000_000
TEXT, NUMBER, OTHER, NONE = range(4)


class Argument:
    """One argument of the call: what kind of value it is, and the value for each kind."""

    def __init__(self, name):
        self.kind = z3.Int(f"{name}.kind")
        self.text = z3.String(f"{name}.text")
        self.number = z3.Real(f"{name}.number")
        self.sane = z3.And(self.kind >= TEXT, self.kind <= NONE, z3.Length(self.text) <= 24)


def regex(source):
    """The expressions that the plans of this oracle's tests use, by hand."""
    letter = {c: z3.Re(z3.StringVal(c)) for c in "ab"}
    anything = z3.Full(z3.ReSort(z3.StringSort()))
    return {
        "a.*": z3.Concat(letter["a"], anything),
        "ab?": z3.Concat(letter["a"], z3.Option(letter["b"])),
        "[ab]+": z3.Plus(z3.Union(letter["a"], letter["b"])),
        "a": letter["a"],
    }[source]


def same(argument, value):
    if isinstance(value, bool) or value is None:
        return z3.And(argument.kind == OTHER, argument.text == z3.StringVal(repr(value)))
    if isinstance(value, str):
        return z3.And(argument.kind == TEXT, argument.text == z3.StringVal(value))
    return z3.And(argument.kind == NUMBER, argument.number == z3.RealVal(str(value)))


def host(argument, names):
    found = []
    for name in names:
        if name.startswith("*."):
            found.append(z3.SuffixOf(z3.StringVal(name[1:]), argument.text))
        else:
            found.append(argument.text == z3.StringVal(name))
    return z3.And(argument.kind == TEXT, z3.Or(found))


def network(argument, networks):
    """Addresses are numbers here: those of IPv4 as they are, those of IPv6 beyond them."""
    found = []
    for text in networks:
        one = ipaddress.ip_network(text)
        base = 2**32 if one.version == 6 else 0
        first, last = base + int(one.network_address), base + int(one.broadcast_address)
        found.append(z3.And(argument.number >= first, argument.number <= last))
    return z3.And(argument.kind == NUMBER, z3.Or(found))


def passes(limit, argument):
    """The formula of one limit. Texts of paths are those that are normal already."""
    ((tag, body),) = limit.items()
    text = argument.kind == TEXT
    if tag == "any":
        return argument.kind != NONE
    if tag == "equals":
        return same(argument, body)
    if tag == "one_of":
        return z3.Or([same(argument, one) for one in body])
    if tag == "prefix":
        return z3.And(text, z3.PrefixOf(z3.StringVal(body), argument.text))
    if tag == "pattern":
        return z3.And(text, z3.InRe(argument.text, regex(body)))
    if tag == "max_length":
        return z3.And(text, z3.Length(argument.text) <= body)
    if tag == "range":
        least, most = body.get("min"), body.get("max")
        bounds = [argument.number >= z3.RealVal(str(least))] if least is not None else []
        bounds += [argument.number <= z3.RealVal(str(most))] if most is not None else []
        return z3.And(argument.kind == NUMBER, *bounds)
    if tag == "subpath":
        under = z3.PrefixOf(z3.StringVal(body.rstrip("/") + "/"), argument.text)
        return z3.And(
            text, z3.PrefixOf(z3.StringVal("/"), argument.text), z3.Or(argument.text == z3.StringVal(body), under)
        )
    return host(argument, body) if tag == "host" else network(argument, body)


class Question:
    """One call that two plans are asked about."""

    def __init__(self, plans):
        names = {name for plan in plans for step in plan for name in step.get("arguments", {})}
        self.arguments = {name: Argument(name) for name in sorted(names | {"stranger"})}
        self.at = z3.Int("at")
        self.sane = z3.And(self.at >= 0, *(one.sane for one in self.arguments.values()))

    def holds(self, step):
        """That the step allows the call when nothing was used of it yet."""
        limits = step.get("arguments", {})
        said = []
        for name, argument in self.arguments.items():
            absent = argument.kind == NONE
            if name in limits:
                within = z3.And(argument.kind != NONE, *(passes(one, argument) for one in limits[name]))
                said.append(z3.Or(within, absent) if name in step.get("optional", []) else within)
            elif not step.get("allow_unknown"):
                said.append(absent)
        if "window" in step:
            said.append(z3.And(self.at >= step["window"]["start"], self.at < step["window"]["end"]))
        for total in step.get("totals", []):
            argument = self.arguments[total["argument"]]
            said.append(
                z3.And(argument.kind == NUMBER, argument.number >= 0, argument.number <= z3.RealVal(total["max"]))
            )
        return z3.And(said) if said else z3.BoolVal(True)

    def sum(self, plan, action, path, worth):
        """What all steps of an action and path that hold the call give together, each worth what `worth` says."""
        steps = [one for one in plan if (one["action"], one["path"]) == (action, path)]
        given = [z3.If(self.holds(one), z3.RealVal(str(worth(one))), z3.RealVal(0)) for one in steps]
        whole = z3.Sum([z3.RealVal(0), *given])
        return z3.If(whole > UNBOUNDED, z3.RealVal(UNBOUNDED), whole)


def uses(step):
    return step.get("uses", UNBOUNDED)


def burst(step):
    """How many calls the step lets through at one instant."""
    return min(uses(step), step["rate"]["count"]) if "rate" in step else uses(step)


def rows(step):
    return step["rows"]["max"] if "rows" in step else UNBOUNDED


def money(step):
    return min([float(one["max"]) for one in step.get("totals", [])], default=UNBOUNDED)


def wider(before, after):
    """A call that `after` allows more of than `before`, as (what it is more of, action, path, model); else None.

    "unknown" stands in the model's place when the solver gave up.
    """
    question = Question((before, after))
    for action, path in sorted({(one["action"], one["path"]) for one in after}):
        for what, worth in (("calls", uses), ("calls at once", burst), ("rows", rows), ("total", money)):
            solver = z3.Solver()
            solver.set("timeout", 5_000)
            solver.add(question.sane)
            solver.add(question.sum(after, action, path, worth) > question.sum(before, action, path, worth))
            said = solver.check()
            if said == z3.sat:
                return what, action, path, solver.model()
            if said == z3.unknown:
                return what, action, path, "unknown"
    return None
