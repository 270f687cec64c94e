"""Reader of cloud policies and of what Terraform and CloudFormation hold of them: wildcards, secrets, mounts. Pure.

Statements are those of AWS's policy grammar wherever they stand: policy files, templates,
`aws_iam_policy_document`, CDK code.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Confidence, Evidence, Finding, Kind
from remit.scan import (
    code,
    condition,
    dotenv,
    hcl,
    jsonc,
    mounted,
    packaged,
    secret,
    server,
    syntax,
    tsobject,
    uttered,
    worded,
    yamldoc,
)
from remit.scan.launch import Told
from remit.scan.node import NOTHING, Node

_READS: Final = re.compile(
    r"^(?:Get|List|Describe|BatchGet|BatchDetect|BatchCheck|Head|Lookup|Query|Scan|Select|Search|View|Check|Detect|Estimate"
    r"|Simulate|Validate|Test|Preview|Filter|Discover|Classify|Recognize)"
)
_WHOLE: Final = frozenset(
    {
        "aws-marketplace:MeterUsage", "bedrock:CallWithBearerToken", "cloudformation:ValidateTemplate",
        "cloudwatch:PutMetricData", "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses", "ecr:GetAuthorizationToken",
        "iot:AttachPrincipalPolicy", "kms:GenerateRandom", "logs:PutDestination", "logs:StartQuery",
        "logs:StopQuery", "polly:SynthesizeSpeech", "ses:VerifyEmailIdentity",
        "sts:DecodeAuthorizationMessage", "textract:AnalyzeDocument", "transcribe:StartStreamTranscription",
        "translate:TranslateText", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
    }
)  # fmt: skip
"""Actions that write and know no resource, by AWS's service authorization reference."""
_ANSWERS: Final = re.compile(
    r"bedrock:(?:InvokeModel\w*\*?|Converse\w*\*?|ApplyGuardrail|Retrieve\w*\*?|Rerank|CountTokens|GenerateQuery)$"
    r"|sagemaker:InvokeEndpoint(?:\w*\*?)$"
)
"""Actions by which a model answers or a store of texts is asked: by AWS's reference they read, and change nothing."""
_LOGS: Final = frozenset({"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"})
"""What each function of AWS writes its own log by: its managed policies allow it on every log, as their pages do."""
_NO_RESOURCE: Final = ("ssmmessages:", "ec2messages:", "autoscaling-plans:", "ce:", "pricing:")


def wants(path: str) -> bool:
    """Say whether this is such a file, or may be one: what it is, its text says."""
    return (
        path.endswith((".tf", ".tf.json", ".tfvars", ".json", ".yaml", ".yml", ".template", ".ts"))
        or code.wants(path)
        or worded.wants(path)
        or dotenv.wants(path)
    )


def roots(path: str, text: str) -> tuple[Node, ...]:
    """The documents of a file that may hold policies; none when nothing in it says so."""
    if worded.wants(path) or dotenv.wants(path):
        return tuple(worded.policies(text))
    if path.endswith(".py"):
        return _in_code(text) if re.search("Statement|[\"']resources[\"']", text) else ()
    if path.endswith(".ts"):
        return tsobject.statements(text)
    if path.endswith((".tf", ".tfvars")):
        one = hcl.read(text)
        return (one,) if one else ()
    if not re.search(r"Action|[sS]tatement|actions\b|apiGroups|AWSTemplateFormatVersion|AWS::", text):
        return ()
    one = jsonc.read(text) if text.lstrip()[:1] in ("{", "[") else None
    return (one,) if one else yamldoc.read(text) or ()


def read(path: str, text: str) -> tuple[Finding, ...]:
    """Find what stands in this file. It refuses nothing: what is no such document holds no such finding."""
    told = list(worded.told(path, text)) if worded.wants(path) else []
    more = () if worded.wants(path) or text.lstrip()[:1] in ("{", "[") else worded.policies(text)
    told += [
        one
        for root in (*roots(path, text), *more)
        for one in _told(root, terraform=path.endswith((".tf", ".tf.json", ".tfvars")))
    ]
    first = {one[1]: one for one in reversed(told) if one[0] is Kind.LITERAL_SECRET}
    told = [one for one in dict.fromkeys(told) if one[0] is not Kind.LITERAL_SECRET or first[one[1]] == one]
    return tuple(Finding(kind, Confidence.HIGH, Evidence(path, line, said)) for kind, line, said in told)


def _told(root: Node, *, terraform: bool) -> Iterator[Told]:
    stack = any(
        one["Type"].text.startswith(("AWS::", "Alexa::", "Custom::")) for one in root["Resources"].members.values()
    )
    kept = {name: one for block in root["locals"].items for name, one in block.members.items()} if terraform else {}
    for part in root.inside():
        yield from statement(_filled(part, kept) if kept else part, terraform=terraform)
        yield from azure(part)
        yield from _unasked(part)
        yield from rule(part)
        if not terraform and not stack:
            continue
        for name, value in part.members.items():
            if name in ("SecretString", "secret_string") and secret.is_random(value.text):
                yield Kind.LITERAL_SECRET, value.line, f"{name} holds a literal value"
            elif value.text and name != "default":
                yield from ((Kind.LITERAL_SECRET, line, said) for line, said in uttered.held(name, value))
        yield from _mounted(part)
        yield from _image(part)
        yield from _variables(part)
    if terraform:
        for one in root["provider"].items:
            yield from server.checks(one)
        yield from _defaults(root)


def _filled(part: Node, kept: dict[str, Node]) -> Node:
    """A statement with what stands in locals for its actions and resources."""
    found = {
        key: kept[part[key].text[8:-1]]
        for key in ("actions", "resources", "Action", "Resource")
        if part[key].text.startswith("${local.") and part[key].text[8:-1] in kept
    }
    return Node(part.line, {**part.members, **found}) if found else part


def _mounted(part: Node) -> Iterator[Told]:
    if part["host_path"].text and mounted.held(part["host_path"].text):
        yield Kind.HOST_MOUNT, part["host_path"].line, mounted.SAID
    for name, key in (("host", "sourcePath"), ("host", "source_path")):
        yield from mounted.binds([(part[name][key].text, part[name][key].line)])
    source = part["Host"]["SourcePath"] if part["Host"]["SourcePath"].text else part["source"]
    if source.text and (source is not part["source"] or part["type"].text == "bind") and mounted.held(source.text):
        yield Kind.HOST_MOUNT, source.line, mounted.SAID
    for one in part["host_path"].items:
        if one["path"].text and mounted.held(one["path"].text):
            yield Kind.HOST_MOUNT, one["path"].line, mounted.SAID


def _variables(part: Node) -> Iterator[Told]:
    """What the variables that a function or a task is given hold and turn off."""
    pairs: list[tuple[str, Node]] = []
    for one in (*part["Environment"].items, *part["environment"].items):
        pairs += [*one["Variables"].members.items(), *one["variables"].members.items()]
    for one in (*part["Environment"].items, *part["environment"].items, *part["env"].items):
        for name, value in (("name", "value"), ("Name", "Value")):
            if one[name].text and one[value].value is not None:
                pairs.append((one[name].text, one[value]))
    for key, node in pairs:
        yield from server.variable("environment", key, node)


def _image(part: Node) -> Iterator[Told]:
    """A container that is given a credential, and whose image has no exact version."""
    image = next((part[key] for key in ("image", "Image", "image_uri", "ImageUri") if part[key].text), NOTHING)
    if not image.text:
        return
    keyed = any(part[key].items for key in ("secrets", "Secrets", "secure_environment_variables"))
    for one in (*part["env"].items, *part["environment"].items, *part["Environment"].items):
        named = one["name"].text or one["Name"].text or one.text.partition("=")[0]
        given = [*one["variables"].members, *one["Variables"].members]
        keyed = keyed or bool(one["value_source"].items or one["value_from"].items)
        keyed = keyed or any(packaged.is_named(name) for name in (named, *given) if name)
    keyed = keyed or any(packaged.is_named(name) for name in part["environment_variables"].members)
    if keyed and image.text and not packaged.pinned_image(image.text):
        yield Kind.UNPINNED, image.line, "an image with no exact version is given a credential"


def rule(part: Node) -> Iterator[Told]:
    """A rule of a cluster's role: every verb, or verbs that write on every resource."""
    if not part["apiGroups"].items and not part["api_groups"].items:
        return
    if not _NO_ROLE.isdisjoint(part.members):
        return
    verbs, whole = part["verbs"].items, any(one.text == "*" for one in part["resources"].items)
    wild = next((one for one in verbs if one.text == "*"), None)
    loud = next((one for one in verbs if one.text not in ("get", "list", "watch")), None)
    if wild is not None:
        yield Kind.WILDCARD, wild.line, "every verb is allowed"
    elif whole and loud is not None:
        yield Kind.WILDCARD, loud.line, f"{loud.text} is allowed on every resource"


_NO_ROLE: Final = frozenset({"clusterScope", "namespaces", "operations", "objectSelector"})
"""Members of a rule that sorts or judges calls (a flow, a webhook), and grants nothing."""
_SERVES: Final = re.compile(r"(?i)mcp|agent")


def _unasked(part: Node) -> Iterator[Told]:
    """A server of tools that the cloud lets everybody call."""
    labels = [one.text for one in part["$labels"].items]
    url = part["Properties"]["AuthType"] if part["Type"].text == "AWS::Lambda::Url" else NOTHING
    if labels[:1] == ["aws_lambda_function_url"]:
        url = part["authorization_type"]
    asked = [url] if url.text == "NONE" else []
    if part["role"].text == "roles/run.invoker":
        asked += [one for one in (part["member"], *part["members"].items) if one.text == "allUsers"]
    if asked and _SERVES.search(" ".join(one.text for one in part.inside() if one.text)):
        yield Kind.OPEN_REMOTE, asked[0].line, "anybody may call it, and is not asked who they are"


def _defaults(root: Node) -> Iterator[Told]:
    """The default of a variable is a secret by the variable's name."""
    for one in root["variable"].items:
        labels = one["$labels"].items
        if labels and secret.is_held(labels[0].text, one["default"].text):
            yield Kind.LITERAL_SECRET, one["default"].line, f"{labels[0].text} has a literal value"


def statement(part: Node, *, terraform: bool = False) -> Iterator[Told]:
    """What a statement of a policy allows by wildcard."""
    effect = part["Effect"].text or part["effect"].text
    actions = part["Action"].items or part["actions"].items or part["Actions"].items
    resources = part["Resource"].items or part["resources"].items
    inverse = next((part[key] for key in ("NotAction", "not_actions", "notActions") if part[key].items), NOTHING)
    block = terraform and effect == "" and bool(actions) and (bool(resources) or bool(part["principals"].items))
    if effect != "Allow" and not block:
        return
    named = part["Principal"].value is not None or bool(part["principals"].items)
    verbs = [one for one in actions if one.text]
    if named and (not resources or all(verb.text.startswith(("kms:", "sts:")) for verb in verbs)):
        return
    wild = next((one for one in verbs if one.text == "*" or one.text.endswith(":*") or _is_loose(one.text)), None)
    if wild is not None and not wild.text.startswith(_NO_RESOURCE):
        yield Kind.WILDCARD, wild.line, f"{wild.text} is allowed"
        return
    if inverse.items and not named:
        yield Kind.WILDCARD, inverse.line, "everything but a list is allowed"
        return
    loud = [one for one in verbs if writes(one.text) and not one.text.startswith("${")]
    whole = next((one for one in resources if one.text == "*" or _is_every(one.text)), None)
    if whole is not None and loud and not named and not condition.ties(part):
        yield Kind.WILDCARD, whole.line, f"{loud[0].text} is allowed on every resource"


_EVERY: Final = re.compile(
    r"arn:[\w*-]*:(?!s3:)[\w*-]*:\*?:\*?:(?:[\w-]+[/:])?\*|arn:[\w*-]*:s3:::\*(?:/\*)?"
    r"|arn:[\w*-]*:(?!s3:|logs:|execute-api:|bedrock:|sts:)[\w*-]*:[\w*-]*:[\w*-]*:(?:[a-z-]+[/:])\*"
)
"""Every resource of a kind: no name is said; nor, where a kind is not said either, a region or an account."""


def _is_every(resource: str) -> bool:
    return bool(_EVERY.fullmatch(re.sub(r"\$\{[^{}]*\}", "x", resource)))


_FAMILY: Final = re.compile(
    r"^(?:kms:(?:GenerateDataKey|ReEncrypt)|bedrock:(?:InvokeModel|Converse|InvokeAgent)|logs:(?:PutLogEvents|CreateLog)"
    r"|xray:Put|cloudwatch:PutMetric|lambda:InvokeFunction)\*$"
)
"""Wildcards behind one action, which the services' own pages write for it and its like."""


def _is_loose(action: str) -> bool:
    """Say whether an action stands for several by a wildcard, and one of them may write."""
    return "*" in action and ":" in action and not _READS.match(action.partition(":")[2]) and not _FAMILY.match(action)


def azure(part: Node) -> Iterator[Told]:
    """An Azure role: in JSON it has assignable scopes, in Terraform blocks of permissions."""
    lists = part["Actions"].items if part["AssignableScopes"].items or part["assignableScopes"].items else []
    for one in part["permissions"].items:
        lists = [*lists, *one["actions"].items, *one["data_actions"].items, *one["dataActions"].items]
    for one in lists:
        if one.text == "*" or (re.fullmatch(r"[A-Za-z.*]+(?:/[A-Za-z*]+)*", one.text) and _is_wide(one.text)):
            yield Kind.WILDCARD, one.line, f"{one.text} is allowed"


def _is_wide(action: str) -> bool:
    """Say whether an action of Azure stands for several, and does not only read."""
    return "*" in action and not action.lower().endswith("/read")


def writes(action: str) -> bool:
    """Say whether an action of AWS does more than read, and knows a resource."""
    if action in _WHOLE or action.startswith(_NO_RESOURCE) or _ANSWERS.match(action) or action in _LOGS:
        return False
    return not _READS.match(action.partition(":")[2])


def _in_code(text: str) -> tuple[Node, ...]:
    """The policy statements in CDK code, and policies written as dictionaries."""
    tree = (
        syntax.parse(text)
        if re.search("Effect|PolicyStatement|PolicyDocumentStatement|[\"']actions[\"']", text)
        else None
    )
    if tree is None:
        return ()
    found = []
    for node in syntax.walk(tree):
        if isinstance(node, ast.Call) and syntax.last(node.func).endswith(
            ("PolicyStatement", "PolicyDocumentStatementArgs", "PolicyDocumentStatement")
        ):
            members = {one.arg: _plain(one.value, 0) for one in node.keywords if one.arg}
            effect = members.get("effect", Node(node.lineno, "Allow"))
            members["effect"] = Node(effect.line, "Deny" if "DENY" in effect.text.upper() else "Allow")
            found.append(Node(node.lineno, members))
        elif isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if "Effect" in keys:
                found.append(_plain(node, 0))
            elif {"actions", "resources"} <= keys:
                found.append(_allowing(_plain(node, 0)))
    return tuple(found)


def _allowing(one: Node) -> Node:
    """A statement that allows where it does not say otherwise."""
    effect = one["effect"] if one["effect"].text else Node(one.line, "Allow")
    return Node(
        one.line, {**one.members, "effect": Node(effect.line, "Deny" if "DENY" in effect.text.upper() else "Allow")}
    )


def _plain(node: ast.expr, depth: int) -> Node:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return Node(node.lineno, node.value)
    if isinstance(node, ast.List | ast.Tuple) and depth < 4:
        return Node(node.lineno, [_plain(one, depth + 1) for one in node.elts])
    if isinstance(node, ast.Dict) and depth < 4:
        names = [
            (key.value, one) for key, one in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
        ]
        return Node(node.lineno, {str(name): _plain(one, depth + 1) for name, one in names})
    return Node(node.lineno, "${" + syntax.said(node)[:200] + "}")
