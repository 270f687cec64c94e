"""AWS's list of actions, as the package brings it: it is read, and every known way of escalation is in it."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from remit.core.errors import RemitError
from remit.core.reach.aws.escalation import spoken
from remit.core.reach.aws.survey import survey
from remit.core.reach.aws.verbs import Verbs
from remit.custody import actions as lists
from remit.custody.actions import actions
from tests.core.test_reach_aws_become import DETAILS


def test_every_action_of_policy_sentrys_list_of_escalations_is_in_a_way():
    place = Path(next(iter(find_spec("policy_sentry").submodule_search_locations))) / "shared/data/audit"
    listed = {line.strip().lower() for line in (place / "privilege-escalation.txt").read_text().splitlines()} - {""}
    assert len(listed) > 30
    assert listed <= {one.lower() for one in spoken()}


def test_the_real_list_is_read_and_what_an_administrator_can_do_is_in_it():
    verbs = Verbs(actions(), ["s3:GetObject", "brand-new:Thing"])
    assert len(verbs.names) > 20_000
    assert verbs.unknown == ["brand-new:Thing"]
    classes = {name: verbs.classed(verbs.number(name)) for name in ("s3:GetObject", "s3:ListBucket", "iam:PassRole")}
    assert classes == {"s3:GetObject": "read", "s3:ListBucket": "list", "iam:PassRole": "permissions management"}
    unheard = [one for one in spoken() if verbs.number(one) is None]
    assert unheard == ["codestar:CreateProjectFromTemplate"]
    seen = survey(json.dumps(DETAILS).encode(), actions())
    assert sum(kind == "object" for kind, _, _ in seen.nodes) > 400


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(lists, "find_spec", lambda name: None)
    with pytest.raises(RemitError) as fault:
        actions()
    assert fault.value.code == "driver_missing"
