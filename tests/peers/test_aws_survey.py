"""An account of AWS looked at through moto's server, whose own judgement of each call is what the survey is held to.

*Partial*, by name: moto judges users by their own, attached and groups' policies, and knows neither boundaries, trust,
conditions nor controls; those are held to twins in tests/core/test_reach_aws.py.
"""

import json
import random
import time
import urllib.request

import pytest

from remit.core.moment import Instant
from remit.core.reach.aws.account import account
from remit.core.reach.aws.judge import YES, Actor, Judge
from remit.core.reach.aws.survey import survey
from remit.core.reach.aws.verbs import Verbs
from remit.custody.actions import actions
from remit.custody.secret import Secret
from remit.custody.sources.sts import StsSource
from remit.custody.surveyor_aws import look
from tests.custody.sources import refused
from tests.kit import moto

CALLS = ("ListUsers", "ListRoles", "ListGroups", "ListPolicies", "GetAccountSummary", "ListAccountAliases")
PATTERNS = ("iam:*", "iam:List*", "iam:Get*", "iam:ListU*", "*", "iam:List?oles", *(f"iam:{one}" for one in CALLS))


@pytest.fixture(scope="module")
def aws():
    with moto.served() as setting:
        yield StsSource(Secret(moto.KEYS), setting | {"allow.read": "s3:GetObject *"}, now), setting["iam"]


def now():
    return Instant(time.time_ns() // 1_000_000)


def judging(url, after):
    """Have the server judge whoever asks, once it was asked so many times more."""
    heads = {"Content-Type": "text/plain"}
    request = urllib.request.Request(f"{url}moto-api/reset-auth", after, heads, method="POST")
    urllib.request.urlopen(request, timeout=5).close()


def form(action, **members):
    return {"Action": action, "Version": "2010-05-08", **members}


def policy(draw):
    listed = [
        {"Effect": "Allow" if draw.random() < 0.75 else "Deny", "Action": draw.sample(PATTERNS, draw.choice((1, 2))),
         "Resource": "*"}
        for _ in range(draw.choice((1, 2)))
    ]  # fmt: skip
    return json.dumps({"Version": "2012-10-17", "Statement": listed})


def settled(source):
    """Ten users with policies of every kind, and the key of each."""
    draw, keys = random.Random(3), {}
    for n in range(3):
        source.call("iam", form("CreateGroup", GroupName=f"g{n}"))
        source.call("iam", form("PutGroupPolicy", GroupName=f"g{n}", PolicyName="p", PolicyDocument=policy(draw)))
        source.call("iam", form("CreatePolicy", PolicyName=f"m{n}", PolicyDocument=policy(draw)))
    for n in range(10):
        name = f"u{n}"
        source.call("iam", form("CreateUser", UserName=name))
        if draw.random() < 0.7:
            source.call("iam", form("PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=policy(draw)))
        if draw.random() < 0.5:
            arn = f"arn:aws:iam::123456789012:policy/m{draw.randrange(3)}"
            source.call("iam", form("AttachUserPolicy", UserName=name, PolicyArn=arn))
        if draw.random() < 0.5:
            source.call("iam", form("AddUserToGroup", UserName=name, GroupName=f"g{draw.randrange(3)}"))
        said = source.call("iam", form("CreateAccessKey", UserName=name))
        keys[name] = tuple(
            said.partition(f"<{one}>")[2].partition("<")[0] for one in ("AccessKeyId", "SecretAccessKey")
        )
    return keys


def test_partial_what_a_survey_says_of_users_is_what_each_call_of_theirs_meets(aws):
    source, url = aws
    keys = settled(source)
    details, _ = look(source)
    found = account(details)
    judge = Judge(Verbs(actions(), found.named()))
    wrong, allowed = [], 0
    judging(url, b"0")
    for one in found.principals:
        name = one.name.removeprefix("user/")
        if name not in keys:
            continue
        held = [*one.policies, *(policy for group in one.groups for policy in found.groups[group].policies)]
        actor = Actor(one.name, tuple(s for policy in held for s in policy.statements), context=one.context)
        who = (keys[name][0], Secret(keys[name][1].encode()), "")
        for call in CALLS:
            really = not refused(source.call, "iam", form(call), who)
            said = judge.may(actor, f"iam:{call}", "*") == YES
            allowed += really
            wrong += [(name, call, said, really)] if said != really else []
    assert wrong == []
    assert 10 < allowed < 10 * len(CALLS) - 10


def test_partial_the_whole_account_becomes_a_survey(aws):
    source, url = aws
    judging(url, b"inf")
    details, _ = look(source)
    seen = survey(details, actions(), "user/u0")
    names = [name for _, name, _ in seen.nodes]
    assert ("anybody", "role/agents") in {(names[a], names[b]) for a, b, _, _ in seen.edges}
    assert seen.login == "user/u0"
