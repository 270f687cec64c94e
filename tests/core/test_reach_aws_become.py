"""AWS: whom the users and roles of an account can become, against a twin that tries every way for everybody."""

import json
import random
import time

import pytest

from remit.core.errors import RemitError
from remit.core.reach.aws import survey as surveys
from remit.core.reach.aws.become import Becoming
from remit.core.reach.aws.escalation import SERVICES
from remit.core.reach.aws.survey import survey
from remit.core.reach.aws.ways import Ways
from tests.core.test_reach_aws import ACTIONS, ID, LEVELS, NAMES
from tests.oracle import aws as oracle


def arn(name):
    return f"arn:aws:iam::{ID}:{name}"


WRITING = {
    service: [f"{service}:{name}" for name, level in names.items() if level in ("Write", "Permissions management")]
    for service, names in LEVELS.items()
}
BESIDE = [arn("group/g0"), arn("group/g1"), arn("policy/p0")]
"""What is neither user nor role, and a control may still deny something on."""
ESCALATING = [name for name in NAMES if name.startswith(("iam:", "sts:", "lambda:", "ec2:"))
              and name.rpartition(":")[2] not in ("SetDefaultPolicyVersion", "AddUserToGroup")]  # fmt: skip


def drawn_account(seed):
    """A small account: as AWS writes it, and as the twin reads it."""
    draw = random.Random(seed)
    users, roles, groups = [f"user/u{n}" for n in range(3)], [f"role/r{n}" for n in range(3)], ["g0", "g1"]
    everybody = [*users, *roles]
    pool = [*(arn(one) for one in everybody), *BESIDE, "*"]

    def policy(*, allow=0.9):
        statements = [
            {"Effect": "Allow" if draw.random() < allow else "Deny", "Action": draw.sample(ESCALATING, 2),
             "Resource": draw.sample(pool, 2)}
            for _ in range(draw.choice((1, 2)))
        ]  # fmt: skip
        if draw.random() < 0.3:
            ways = (
                ["iam:PassRole", *NAMES[-3:-1]],
                ["iam:PassRole", "ec2:RunInstances"],
                ["iam:PassRole", "lambda:InvokeFunction"],
            )
            statements.append({"Effect": "Allow", "Action": draw.choice(ways), "Resource": "*"})
        if draw.random() < 0.2:
            statements[-1]["Condition"] = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
        return {"Version": "2012-10-17", "Statement": statements}

    managed = {arn("policy/p0"): policy(), arn("policy/p1"): {"Statement": [{"Effect": "Allow", "Action": draw.choice(
        (["iam:*", "sts:*", "lambda:*"], ["*"])), "Resource": draw.choice(("*", arn("user/*")))}]}}  # fmt: skip
    own = {name: [policy() for _ in range(draw.choice((0, 1, 1)))] for name in (*everybody, *groups)}
    held = {name: [one for one in managed if draw.random() < 0.2] for name in (*everybody, *groups)}
    member = {name: [one for one in groups if draw.random() < 0.4] for name in users}
    limits = {name: arn("policy/p1") for name in everybody if draw.random() < 0.25}
    trust = {name: draw.choice(("account", "lambda.amazonaws.com", "ec2.amazonaws.com", "none")) for name in roles}
    controls = [[policy(), {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]] * draw.choice(
        (0, 0, 1)
    )
    other = random.Random(seed + 10_000)
    for one in controls[:1]:
        if "Condition" not in one[0]["Statement"][0] and other.random() < 0.7:
            asked = {other.choice(("StringEquals", "StringNotEquals")): {"aws:username": other.choice(("u0", "u1"))}}
            one[0]["Statement"][0] |= {"Condition": asked, "Effect": "Deny"}

    def attached(name):
        inline = [{"PolicyName": f"i{n}", "PolicyDocument": one} for n, one in enumerate(own[name])]
        kind = {"u": "User", "r": "Role", "g": "Group"}[name.rpartition("/")[2][0]]
        form = {f"{kind}PolicyList": inline, f"{kind}Name": name.rpartition("/")[2],
                "Arn": arn(name if "/" in name else f"group/{name}"),
                "AttachedManagedPolicies": [{"PolicyArn": one, "PolicyName": "p"} for one in held[name]]}  # fmt: skip
        return form | ({"PermissionsBoundary": {"PermissionsBoundaryArn": limits[name]}} if name in limits else {})

    def trusts(name):
        who = {"account": {"AWS": arn("root")}, "none": {"AWS": "arn:aws:iam::999999999999:root"}}
        return {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                               "Principal": who.get(trust[name], {"Service": trust[name]})}]}  # fmt: skip

    form = {
        "UserDetailList": [attached(name) | {"GroupList": member[name]} for name in users],
        "RoleDetailList": [attached(name) | {"AssumeRolePolicyDocument": trusts(name)} for name in roles],
        "GroupDetailList": [attached(name) for name in groups],
        "Policies": [
            {"Arn": one, "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": text}]}
            for one, text in managed.items()
        ],
        "ServiceControlPolicies": controls,
    }  # fmt: skip
    texts = {name: [*own[name], *(managed[one] for one in held[name])] for name in (*everybody, *groups)}
    read_by_twin = {
        "arns": {name: arn(name) for name in everybody},
        "identity": {n: [*texts[n], *(t for g in member.get(n, ()) for t in texts[g])] for n in everybody},
        "boundary": {n: [[managed[limits[n]]]] if n in limits else [] for n in everybody},
        "controls": controls,
        "known": {n: {"aws:username": n.rpartition("/")[2]} for n in everybody},
        "groups": {n: [arn(f"group/{g}") for g in member.get(n, ())] for n in everybody},
        "managed": {n: [*held[n], *(one for g in member.get(n, ()) for one in held[g])] for n in everybody},
        "trust": trust,
    }
    return form, read_by_twin


def became(seen, start):
    """Whom a survey lets one become: users, roles, and everything."""
    leaving = {}
    for source, target, _, _ in seen.edges:
        leaving.setdefault(source, []).append(target)
    waiting = [n for n, (kind, name, _) in enumerate(seen.nodes) if (kind, name) == ("role", start)]
    for one in waiting:
        waiting += [other for other in dict.fromkeys(leaving.get(one, ())) if other not in waiting]
    return {seen.nodes[n][1] for n in waiting if seen.nodes[n][0] in ("role", "rights")}


def unlimited(twin, name, freed):
    """Whether nothing is above what its policies say."""
    return all(
        oracle.can(oracle.limits(twin, name, freed), action, place, twin["known"][name], best=False)
        for action in NAMES
        for place in (*twin["arns"].values(), *BESIDE, "arn:aws:s3:::x")
    )


def wrong_becoming(seed):
    form, twin = drawn_account(seed)
    seen = survey(json.dumps(form).encode(), ACTIONS)
    wrong = []
    for name in twin["arns"]:
        variants = oracle.becomes(twin, name, SERVICES, WRITING)
        whole = any(wide and unlimited(twin, one, freed) for one, wide, freed in variants)
        expected = set(twin["arns"]) if whole else {one for one, _, _ in variants}
        found = became(seen, name)
        whole_said = "everything" in found
        if (found & twin["arns"].keys()) != expected or whole != whole_said:
            wrong.append((name, sorted(expected ^ (found & twin["arns"].keys())), whole, whole_said))
    return wrong


@pytest.mark.parametrize("seed", range(12))
def test_whom_one_can_become_is_what_the_twin_finds(seed):
    assert wrong_becoming(seed) == []


def test_planted_faults_in_becoming_are_seen(monkeypatch):
    for name, fault in (("_takes", lambda *_: ()), ("_writes", lambda *_: ()), ("_hands", lambda *_: ())):
        with monkeypatch.context() as patch:
            patch.setattr(Becoming, name, fault)
            assert any(wrong_becoming(seed) for seed in range(10)), name
    for owner, name, fault in (
        (Becoming, "_lifts", lambda *_: ()), (Becoming, "_joins", lambda *_: ()),
        (surveys.Ways, "_whole", lambda *_: "everything"),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, fault)
            assert widened() != WIDENED, name


DETAILS = {
    "UserDetailList": [
        {"UserName": "ann", "Arn": arn("user/ann"), "GroupList": ["devs"], "Tags": [{"Key": "team", "Value": "a"}],
         "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": {"Statement": [
             {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::a/${aws:username}/*"]},
             {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
              "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
             {"Effect": "Allow", "Action": "dreams:Have", "Resource": "*"}]}}]},
        {"UserName": "bob", "Arn": arn("user/bob"), "AttachedManagedPolicies": [
            {"PolicyName": "Admin", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]},
        {"UserName": "eve", "Arn": arn("user/eve"), "AttachedManagedPolicies": [
            {"PolicyName": "Gone", "PolicyArn": arn("policy/gone")}]},
    ],
    "GroupDetailList": [
        {"GroupName": "devs", "Arn": arn("group/devs"), "GroupPolicyList": [{"PolicyName": "pass", "PolicyDocument": {
            "Statement": {"Effect": "Allow", "Resource": "*", "Action": [
                "iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]}}}]},
    ],
    "RoleDetailList": [
        {"RoleName": "job", "Arn": arn("role/job"), "AssumeRolePolicyDocument": {"Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole",
             "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}]},
         "RolePolicyList": [{"PolicyName": "keys", "PolicyDocument": {"Statement": [
             {"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": arn("user/bob")}]}}]},
    ],
    "Policies": [{"Arn": "arn:aws:iam::aws:policy/AdministratorAccess", "PolicyVersionList": [
        {"VersionId": "v1", "IsDefaultVersion": True, "Document": {"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}],
}  # fmt: skip


def test_an_account_is_told_with_what_nobody_can_judge():
    seen = survey(json.dumps(DETAILS).encode(), ACTIONS)
    names = [name for _, name, _ in seen.nodes]
    edges = {(names[a], names[b]): (label, writes) for a, b, label, writes in seen.edges}
    assert edges["user/ann", "arn:aws:s3:::a"] == ("1 read, 1 list, 1 write, 1 permissions management", True)
    assert ("user/ann", "arn:aws:s3:::a/ann/*") in edges
    assert edges["user/ann", "arn:aws:s3:::b/*"] == ("s3:GetObject (perhaps)", False)
    assert edges["user/ann", "dreams *"] == ("dreams:Have", True)
    assert edges["policy/group/devs/pass", "role/job"] == ("passes it to lambda", False)
    assert edges["policy/role/job/keys", "user/bob"] == ("makes an access key of", False)
    assert edges["policy/arn:aws:iam::aws:policy/AdministratorAccess", "everything"][0] == "is an administrator"
    assert edges["outside/arn:aws:iam::999999999999:root", "role/job"] == ("may assume (perhaps)", False)
    assert "everything" in became(seen, "user/ann")
    assert edges["user/eve", "s3 *"][0].endswith("(perhaps)")
    said = " ".join(seen.notes)
    assert "what they let whom do is unknown: s3 (" in said
    assert edges["everything", "lambda"] == ("runs programs in", False)
    for word in ("aws:SourceIp", "sts:ExternalId", "dreams:Have", "policy/gone", "SCP"):
        assert word in said


def test_what_is_no_account_is_refused():
    good = DETAILS["RoleDetailList"][0]
    for form in (
        [], {}, {"UserDetailList": [{"UserName": "a"}]}, {"UserDetailList": [{"UserName": "a", "Arn": "a"}]},
        {"RoleDetailList": [good | {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Perhaps"}]}}]},
        {"RoleDetailList": [good | {"AssumeRolePolicyDocument": "{"}]},
        {"RoleDetailList": [good | {"AssumeRolePolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": "a:b", "NotAction": "a:c"}]}}]},
    ):  # fmt: skip
        with pytest.raises(RemitError) as fault:
            survey(json.dumps(form).encode(), ACTIONS)
        assert fault.value.code == "reach_invalid"
    with pytest.raises(RemitError) as fault:
        survey(json.dumps(DETAILS).encode(), b"[]")
    assert fault.value.code == "verbs_invalid"


def test_whose_name_a_trust_has_needs_no_leave_and_a_boundary_holds_a_role():
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
        "AWS": [arn("user/ann"), arn("role/low"), arn("user/shut")]}}]}  # fmt: skip
    nothing = {"PermissionsBoundary": {"PermissionsBoundaryArn": arn("policy/p")}}
    shut = [{"PolicyName": "d", "PolicyDocument": {"Statement": [
        {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]}}]  # fmt: skip
    form = {
        "UserDetailList": [{"UserName": "ann", "Arn": arn("user/ann")} | nothing,
                           {"UserName": "shut", "Arn": arn("user/shut"), "UserPolicyList": shut}],
        "RoleDetailList": [{"RoleName": name, "Arn": arn(f"role/{name}"), "AssumeRolePolicyDocument": trust} | nothing
                           for name in ("low", "high")],
        "Policies": [{"Arn": arn("policy/p"), "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True,
                      "Document": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}]}],
    }  # fmt: skip
    seen = survey(json.dumps(form).encode(), ACTIONS)
    assert {"role/low", "role/high"} <= became(seen, "user/ann")
    assert "role/high" not in became(seen, "role/low")
    assert "role/high" not in became(seen, "user/shut")


WIDENED = {"joiner", "freed", "chooser"}


def widened():
    """Who of a small account can do everything in the end: by joining, by lifting, by choosing a version."""

    def user(name, *statements, limit=""):
        form = {"UserName": name, "Arn": arn(f"user/{name}"), "UserPolicyList": [
            {"PolicyName": "own", "PolicyDocument": {"Statement": list(statements)}}]}  # fmt: skip
        return form | ({"PermissionsBoundary": {"PermissionsBoundaryArn": limit}} if limit else {})

    def allow(action):
        return {"Effect": "Allow", "Action": action, "Resource": "*"}

    def policy(name, versions, *actions):
        listed = [{"VersionId": f"v{n}", "IsDefaultVersion": n == 1, "Document": {"Statement": [*map(allow, actions)]}}
                  for n in range(1, versions + 1)]  # fmt: skip
        return {"Arn": arn(f"policy/{name}"), "PolicyVersionList": listed}

    chosen = {"AttachedManagedPolicies": [{"PolicyName": "two", "PolicyArn": arn("policy/two")}]}
    once = {"AttachedManagedPolicies": [{"PolicyName": "one", "PolicyArn": arn("policy/one")}]}
    form = {
        "UserDetailList": [
            user("joiner", allow("iam:AddUserToGroup")),
            user("held", allow("iam:*"), limit=arn("policy/small")),
            user("kept", allow("iam:PutUserPolicy"), limit=arn("policy/some")),
            user("freed", allow("*"), limit=arn("policy/lift")),
            user("chooser", allow("s3:GetObject")) | chosen,
            user("stuck", allow("s3:GetObject")) | once,
        ],
        "GroupDetailList": [{"GroupName": "admins", "Arn": arn("group/admins"), "GroupPolicyList": [
            {"PolicyName": "a", "PolicyDocument": {"Statement": [allow("*")]}}]}],
        "Policies": [policy("small", 1, "s3:*"),
                     policy("some", 1, "s3:*", "iam:PutUserPolicy"),
                     policy("lift", 1, "s3:*", "iam:DeleteUserPermissionsBoundary"),
                     policy("two", 2, "iam:SetDefaultPolicyVersion"), policy("one", 1, "iam:SetDefaultPolicyVersion")],
    }  # fmt: skip
    seen = survey(json.dumps(form).encode(), ACTIONS)
    names = ("joiner", "held", "kept", "freed", "chooser", "stuck")
    return {name for name in names if "everything" in became(seen, f"user/{name}")}


def test_a_group_can_be_joined_a_boundary_lifted_and_another_version_chosen():
    assert widened() == WIDENED


def rewriting():
    """Whom two reach that can write their own policies, where a control holds one of them back by its name."""

    def user(name, action=""):
        allow = [{"Effect": "Allow", "Action": action, "Resource": arn(f"user/{name}")}] if action else []
        policies = [{"PolicyName": "own", "PolicyDocument": {"Statement": allow}}]
        return {"UserName": name, "Arn": arn(f"user/{name}"), "UserPolicyList": policies}

    deny = {"Effect": "Deny", "Action": ["iam:Create*", "iam:Update*"], "Resource": "*",
            "Condition": {"StringEquals": {"aws:username": "ann"}}}  # fmt: skip
    region = {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
              "Condition": {"StringEquals": {"aws:RequestedRegion": "x"}}}  # fmt: skip
    form = {
        "UserDetailList": [*(user(name, "iam:PutUserPolicy") for name in ("ann", "bob", "cat")), user("end")],
        "ServiceControlPolicies": [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny, region]}],
    }
    seen = survey(json.dumps(form).encode(), ACTIONS)
    return {name: became(seen, f"user/{name}") for name in ("ann", "bob", "cat")}


def test_what_limits_leave_is_told_once_to_all_to_whom_they_say_the_same():
    found = rewriting()
    assert "user/end" not in found["ann"]
    assert "user/end" in found["bob"] & found["cat"]
    assert "whole: user/ann" in found["ann"]
    assert "whole: user/bob" in found["bob"] & found["cat"]


def test_limits_that_are_mixed_up_are_seen(monkeypatch):
    monkeypatch.setattr(Ways, "_mark", lambda *_: ())
    assert "user/end" not in rewriting()["bob"]


def test_a_large_account_under_controls_is_told_in_seconds():
    spent = time.process_time()
    seen = survey(account(users=40, roles=80), ACTIONS)
    assert time.process_time() - spent < 20
    assert 0 < len([1 for _, name, _ in seen.nodes if name.startswith("whole")]) < 5


def account(*, users, roles):
    """An account in which many can write the policies of many, below a control and some below a boundary."""
    draw = random.Random(7)
    wide = ["iam:PutUserPolicy", "iam:CreateAccessKey", "iam:PutRolePolicy", "sts:AssumeRole", "s3:*"]

    def policies():
        places = draw.choice(([arn("user/u1*"), arn("role/r2*")], [arn("user/*")], ["*"]))
        return [{"PolicyName": "own", "PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": draw.sample(wide, 2), "Resource": places}]}}]  # fmt: skip

    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn("root")}}]}
    bound = {"PermissionsBoundary": {"PermissionsBoundaryArn": arn("policy/bound")}}
    region = {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
              "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}  # fmt: skip
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    limit = {"Statement": [everything, {"Effect": "Deny", "Action": "iam:CreateLoginProfile", "Resource": "*"}]}
    return json.dumps({
        "UserDetailList": [{"UserName": f"u{n}", "Arn": arn(f"user/u{n}"), "UserPolicyList": policies()}
                           for n in range(users)],
        "RoleDetailList": [{"RoleName": f"r{n}", "Arn": arn(f"role/r{n}"), "RolePolicyList": policies(),
                            "AssumeRolePolicyDocument": trust} | (bound if n % 5 == 0 else {}) for n in range(roles)],
        "Policies": [{"Arn": arn("policy/bound"), "PolicyVersionList": [
            {"VersionId": "v1", "IsDefaultVersion": True, "Document": limit}]}],
        "ServiceControlPolicies": [{"Statement": [everything, region]}],
    }).encode()  # fmt: skip
