"""What code of infrastructure and TypeScript shows, asked of each reader by itself: near misses stand beside it."""

import ast

from remit.core.finding import Kind
from remit.scan import attached, plan, rbac, ready, tsenv, tslogin, tsuse
from remit.scan.node import Node
from remit.scan.sight import Granted, Used


def test_an_environment_is_told_where_it_is_made_and_one_that_is_picked_is_not() -> None:
    whole = 'const env = { ...process.env };\nstart({ command: "a", env });\n'
    picked = "const env = Object.fromEntries(Object.entries(process.env).filter(([k]) => K.has(k)));\nstart({ env });\n"
    assert [(one[0], one[1]) for one in tsenv.told(whole)] == [(Kind.INHERITED, 1)]
    assert list(tsenv.told(picked)) == []


def test_a_pair_of_keys_is_standing_and_one_with_a_session_is_lent() -> None:
    pair = "make({\n  accessKeyId: process.env.A,\n  secretAccessKey: process.env.B,\n});\n"
    lent = pair.replace("});", "  sessionToken: process.env.C,\n});")
    assert [(one[0], one[1]) for one in tslogin.told(pair)] == [(Kind.STANDING, 3)]
    assert list(tslogin.told(lent)) == []


def test_calls_of_a_service_are_held_to_what_was_asked_for() -> None:
    code = (
        'import { Client } from "@microsoft/microsoft-graph-client";\nconst scopes = ["Mail.ReadWrite"];\n'
        'graph.api("/me/messages").top(5).get();\ngraph.api("/me/sendMail").post({});\n'
    )
    seen = list(tsuse.sights("a.ts", code))
    assert [(one.line, one.scope, one.writes) for one in seen if isinstance(one, Granted)] == [
        (2, "Mail.ReadWrite", True)
    ]
    told = [(one.scope, one.writes) for one in seen if isinstance(one, Used)]
    assert told == [("Mail|Mail.read", False), ("Mail|Mail.send", True)]


def test_a_ready_made_tool_says_whether_it_writes() -> None:
    told = list(ready.used("new GmailSearch(\nGmailToolkit(\nMyGmailSearch("))
    assert told == [("gmail|gmail.read", False), ("gmail", True)]


def test_a_construct_in_a_namespace_gives_no_cluster_away() -> None:
    code = 'import pulumi_kubernetes as k8s\nk8s.rbac.v1.{}("a", role_ref={{"name": "cluster-admin"}})\n'
    for name, kinds in (("ClusterRoleBinding", [Kind.ADMIN]), ("RoleBinding", [])):
        text = code.format(name)
        assert [one[0] for one in plan.told("a.py", text, ast.parse(text))] == kinds


def test_a_boundary_attaches_nothing() -> None:
    admin = Node(1, "arn:aws:iam::aws:policy/AdministratorAccess")
    assert [one[0] for one in attached.in_part(Node(1, {"managedPolicyArn": admin}))] == [Kind.ADMIN]
    assert list(attached.in_part(Node(1, {"permissionsBoundaryPolicy": admin}))) == []


def test_a_rule_of_everything_is_told_in_either_spelling() -> None:
    every = Node(1, [Node(1, "*")])
    for groups in ("apiGroups", "api_groups"):
        rule = Node(1, {groups: every, "resources": every, "verbs": every})
        assert [one[0] for one in rbac.rule(rule)] == [Kind.ADMIN]
    assert list(rbac.rule(Node(1, {"apiGroups": every, "resources": every, "verbs": Node(1, [Node(1, "get")])}))) == []
