"""A policy of AWS: its statements, whether their conditions hold for whom, and what of that nobody can tell. Pure.

What cannot be judged (a condition on an address, a time, a tag of the thing) is neither true nor false: an Allow under
it is kept as possible, and a Deny under it takes nothing away.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from remit.core.canonical import Json
from remit.core.reach.aws.pattern import covers
from remit.core.reach.graph import invalid

Context = Mapping[str, str | None]
"""What is known of who asks: values by keys in lower case; None where there surely is none."""
TAGS: Final = "aws:principaltag/"
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_KEYS: Final = frozenset({
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `but` says that actions, resources or principals are all but those that are listed."""

    allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    principals: tuple[tuple[str, str], ...] = ()
    but: frozenset[str] = frozenset()

    def personal(self) -> bool:
        """Say that it depends on who asks."""
        return bool(self.conditions) or any("${" in one for one in (*self.resources, *self.actions))


ANYTHING: Final = Statement(allow=True, actions=("*",), resources=("*",))
UNSEEN: Final = Statement(
    allow=True, actions=("*",), resources=("*",), conditions=(("unseen", "a policy whose text was not given", ()),)
)
"""What stands for a policy whose text is not there: it may say anything."""


def read(document: Json) -> tuple[Statement, ...]:
    """The statements of a policy (`reach_invalid`)."""
    form = _decoded(document) if isinstance(document, str) else document
    if not isinstance(form, dict):
        raise invalid("A policy is an object with statements.")
    listed = form.get("Statement", [])
    return tuple(_statement(one) for one in (listed if isinstance(listed, list) else [listed]))


def _decoded(text: str) -> Json:
    try:
        found: Json = msgspec.json.decode(text)
    except msgspec.DecodeError as fault:
        raise invalid("A policy does not read as JSON.") from fault
    return found


def _statement(form: Json) -> Statement:
    if not isinstance(form, dict) or form.get("Effect") not in ("Allow", "Deny") or not form.keys() <= _KEYS:
        raise invalid("A statement of a policy has an Effect, and nothing that policies of AWS do not have.")
    but = {name for name in ("Action", "Resource", "Principal") if f"Not{name}" in form}
    if any(name in form for name in but):
        raise invalid("A statement of a policy says both what it is for and what it is not for.")
    actions = _texts(form.get("NotAction" if "Action" in but else "Action", []))
    return Statement(
        allow=form["Effect"] == "Allow",
        actions=actions,
        resources=_texts(form.get("NotResource" if "Resource" in but else "Resource", [])),
        conditions=_conditions(form.get("Condition", {})),
        principals=_principals(form.get("NotPrincipal" if "Principal" in but else "Principal", {})),
        but=frozenset(but),
    )


def _texts(form: Json) -> tuple[str, ...]:
    listed = form if isinstance(form, list) else [form]
    if not all(isinstance(one, str) and len(one) <= 2048 for one in listed):
        raise invalid("A policy lists what is no text.")
    return tuple(listed)


def _conditions(form: Json) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    if not isinstance(form, dict) or not all(isinstance(one, dict) for one in form.values()):
        raise invalid("The condition of a policy does not read.")
    found = []
    for operator, keys in form.items():
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            texts = tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in listed)
            found.append((operator.lower(), key, texts))
    return tuple(found)


def _principals(form: Json) -> tuple[tuple[str, str], ...]:
    if isinstance(form, str):
        return (("AWS", form),)
    if not isinstance(form, dict):
        raise invalid("The principal of a policy does not read.")
    return tuple((kind, one) for kind, values in form.items() for one in _texts(values))


def resolved(text: str, context: Context) -> tuple[str, bool]:
    """A pattern with its variables put in, and whether that is all that it says; what is not known matches anything."""
    sure = True

    def put(match: re.Match[str]) -> str:
        nonlocal sure
        name = match[1].partition(",")[0].strip()
        value = context.get(name.lower()) if _known(name, context) else None
        if value is None:
            sure = False
            return "*"
        return value

    return (_VARIABLE.sub(put, text), sure) if "${" in text else (text, True)


def asked(one: Statement) -> tuple[str, ...]:
    """The keys, in lower case, of all that a statement's word to somebody rests on; with `TAGS` where tags are."""
    texts = [*one.resources, *(value for _, _, values in one.conditions for value in values)]
    found = {key.lower() for _, key, _ in one.conditions}
    found |= {match[1].partition(",")[0].strip().lower() for text in texts for match in _VARIABLE.finditer(text)}
    return tuple(sorted(found | ({TAGS} if any(key.startswith(TAGS) for key in found) else set())))


def _known(key: str, context: Context) -> bool:
    return key.lower() in context or (key.lower().startswith(TAGS) and TAGS in context)


def judged(one: Statement, context: Context, unjudged: set[str] | None = None) -> bool | None:
    """Whether a statement's conditions hold; None where that cannot be told, and then its keys are added."""
    found: bool | None = True
    for operator, key, values in one.conditions:
        holds = _holds(operator, key, values, context)
        if holds is False:
            return False
        if holds is None:
            found = None
            if unjudged is not None:
                unjudged.add(key)
    return found


def _holds(operator: str, key: str, values: tuple[str, ...], context: Context) -> bool | None:
    if operator == "unseen" or not _known(key, context):
        return None
    held = context.get(key.lower())
    if operator == "null":
        return {"true": held is None, "false": held is not None}.get(values[0].lower() if len(values) == 1 else "")
    name, lax = operator.removesuffix("ifexists"), operator.endswith("ifexists")
    if ":" in name or name not in _TESTS:
        return None
    test, negative = _TESTS[name]
    if held is None:
        return lax or negative
    wanted = [resolved(value, context) for value in values]
    if any(test(value, held) for value, sure in wanted if sure):
        return not negative
    return negative if all(sure for _, sure in wanted) else None


def _same(value: str, held: str) -> bool:
    return value == held


def _alike(value: str, held: str) -> bool:
    return value.lower() == held.lower()


def _arn(value: str, held: str) -> bool:
    """ARNs are compared part by part: a star does not reach over a colon, but in the last part."""
    wanted, mine = value.split(":", 5), held.split(":", 5)
    return len(wanted) == len(mine) and all(map(covers, wanted, mine))


_TESTS: Final[dict[str, tuple[Callable[[str, str], bool], bool]]] = {
    "stringequals": (_same, False),
    "stringnotequals": (_same, True),
    "stringequalsignorecase": (_alike, False),
    "stringnotequalsignorecase": (_alike, True),
    "stringlike": (covers, False),
    "stringnotlike": (covers, True),
    "arnequals": (_arn, False),
    "arnlike": (_arn, False),
    "arnnotequals": (_arn, True),
    "arnnotlike": (_arn, True),
    "bool": (_alike, False),
}
