"""AWS: ways that no list has, and exports that are not whole: what is not known is told as possible, and named."""

import json

import pytest

from remit.core.errors import RemitError
from remit.core.reach.aws.survey import survey
from tests.core.test_reach_aws import ACTIONS
from tests.core.test_reach_aws_become import arn, became


def passing(*actions, service="scheduler.amazonaws.com", path="", where="*"):
    """What one who has these actions does to a role that trusts a service, and to one that takes a provider's word."""
    provider = arn("saml-provider/idp")
    trust = [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]
    word = [{"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithSAML"}]
    policy = {"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": where}]}
    roles = [("job", f"role/{path}job", trust), ("staff", "role/staff", word)]
    form = {
        "UserDetailList": [{"UserName": "ann", "Arn": arn("user/ann"), "UserPolicyList": [
            {"PolicyName": "own", "PolicyDocument": policy}]}],
        "RoleDetailList": [{"RoleName": name, "Arn": arn(at), "AssumeRolePolicyDocument": {"Statement": said}}
                           for name, at, said in roles],
    }  # fmt: skip
    seen = survey(json.dumps(form).encode(), ACTIONS)
    names = [name for _, name, _ in seen.nodes]
    return {names[b]: label for a, b, label, _ in seen.edges if names[a] in ("user/ann", "policy/user/ann/own")}


def test_a_role_is_passed_to_services_that_no_list_of_ways_has_and_by_a_word_that_can_be_written():
    assert passing("iam:PassRole", "lambda:CreateFunction")["role/job"] == "may pass it to scheduler (perhaps)"
    assert passing("iam:PassRole", "s3:PutObject", service="lambda.amazonaws.com").get("role/job") is None
    once = passing("iam:PassRole", "lambda:InvokeFunction", service="lambda.amazonaws.com")
    assert once["role/job"] == "may pass it to lambda (perhaps)"
    assert "role/job" not in passing("iam:PassRole", "s3:GetObject")
    assert "role/job" not in passing("s3:PutObject")
    assert "role/job" not in passing("iam:PassRole", "s3:PutObject", path="aws-service-role/scheduler.amazonaws.com/")
    assert passing("iam:UpdateSAMLProvider")["role/staff"] == "writes whose word it takes (iam:UpdateSAMLProvider)"
    assert "role/staff" not in passing("iam:UpdateSAMLProvider", where=arn("saml-provider/other"))


def test_what_was_not_given_of_an_account_is_not_taken_for_nothing():
    """One page of several; users alone, whose groups' policies are then not there to be read."""
    users = {"UserDetailList": [{"UserName": "ann", "Arn": arn("user/ann"), "GroupList": ["admins"]}]}
    seen = survey(json.dumps(users).encode(), ACTIONS)
    reached = {name for _, name, _ in seen.nodes}
    assert "group/admins" in reached
    assert "everything" in became(seen, "user/ann")
    said = " ".join(seen.notes)
    assert "count as if they allowed everything: group/admins" in said
    assert "No roles were given" in said
    for more in ({"IsTruncated": True, "Marker": "x"}, {"NextToken": "x"}):
        with pytest.raises(RemitError, match="one page of several"):
            survey(json.dumps(users | more).encode(), ACTIONS)
