"""AWS STS as a source, against moto's server. It ignores session policies and conditions: *partial*, by name.

What is shown: sessions are made, signed and named as AWS wants it, and the policies that would narrow and deny them are
the ones that are sent. What AWS does with these policies is not.
"""

import itertools
import json
import time
import urllib.parse

import pytest

from remit.core.grant import Step
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.custody.source import Gone, Intent, Rung
from remit.custody.sources.sts import StsSource, denial
from tests.custody.sources import Suite, fails_where_it_must, refused
from tests.kit import moto
from tests.kit.nouns import named

NUMBERS = itertools.count()
KEYS = Secret(moto.KEYS)


def now():
    return Instant(time.time_ns() // 1_000_000)


@pytest.fixture(scope="module")
def aws():
    with moto.served() as setting:
        setting |= {"allow.read": "s3:GetObject,s3:ListBucket arn:aws:s3:::reports,arn:aws:s3:::reports/*"}
        yield StsSource(KEYS, setting, now), setting


def intent(kind="read", **members):
    number = next(NUMBERS)
    step = Step.from_json({"action": f"mcp:reports/{kind}", "path": "own"})
    given = {"name": f"remit_{named('tsk')}_own_{number:08d}", "task": TaskId(named("tsk")), "path": TrustPath.OWN}
    given |= {"until": Instant(now() + 60_000), "life": 60_000, "steps": (step,), "labels": (("ticket", "T-7 <x>"),)}
    return Intent(**(given | members))


def who(source, lent):
    names = [value.reveal().decode() for _, value in lent.environ]
    form = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    return source.call("sts", form, (names[0], Secret(names[1].encode()), names[2]))


def test_partial_it_does_what_every_source_does_but_prove_an_end(aws):
    source, _ = aws
    opens = lambda lent: "<Arn>arn:aws:sts::123456789012:assumed-role/agents/remit_tsk" in who(source, lent)  # noqa: E731
    suite = Suite(source, intent, opens, gone=(Gone.UNKNOWN,), never=(Gone.UNKNOWN,))
    suite.holds()
    fails_where_it_must(suite)
    said = source.describe()
    assert (said.rung, said.revocable, said.shown) == (Rung.SHORT, False, "partial")


def test_partial_the_session_policy_is_that_of_the_steps_and_a_plan_without_one_gets_nothing(aws):
    source, setting = aws
    (statement,) = json.loads(source.policy(intent().steps))["Statement"]
    assert statement == {
        "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"],
    }  # fmt: skip
    assert refused(source.mint, intent("write")) == "rights_unbounded"
    long = StsSource(KEYS, setting | {"allow.read": "s3:GetObject " + ",".join(["arn:aws:s3:::x/*"] * 200)}, now)
    assert refused(long.mint, intent()) == "rights_unbounded"


def test_partial_a_drop_denies_this_session_and_the_policy_goes_when_it_has_ended(aws):
    source, _ = aws
    minted = source.mint(intent())
    assert minted.ends >= now() + 890_000, "AWS gives no shorter session than 15 minutes: that is when it ends"
    source.drop(minted)
    form = {"Action": "GetRolePolicy", "Version": "2010-05-08", "RoleName": "agents", "PolicyName": minted.name}
    assert json.dumps(json.loads(denial(minted.name))["Statement"][0]["Condition"]) in json.dumps(
        json.loads(urllib.parse.unquote(source.call("iam", form).partition("<PolicyDocument>")[2].partition("<")[0]))
    )
    ended = minted.__class__(minted.name, minted.until, minted.secret, None, Instant(1))
    source.drop(ended)
    assert refused(source.call, "iam", form) == "target_declined"
    source.drop(ended)


@pytest.mark.parametrize("wrong", [{"role": "x"}, {"region": ""}, {"sts": "http://aws.example/"}, {"allow.read": "x"}])
def test_settings_that_cannot_be_are_refused(aws, wrong):
    assert refused(lambda: StsSource(KEYS, aws[1] | wrong, now)) == "setting_invalid"
    assert refused(lambda: StsSource(Secret(b"nokey"), aws[1], now)) == "setting_invalid"
