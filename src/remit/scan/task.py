"""Who holds what, in what a cloud runs: containers and functions of Terraform and CloudFormation. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import wrapped
from remit.scan.node import Node
from remit.scan.sight import Holder, Pair, Whole

_SECRETS: Final = ("secrets", "Secrets", "RuntimeEnvironmentSecrets", "runtime_environment_secrets")
_ENVIRONMENTS: Final = (
    "environment", "Environment", "env", "RuntimeEnvironmentVariables", "EnvironmentVariables", "environment_variable",
)  # fmt: skip
_MAPS: Final = ("app_settings", "runtime_environment_secrets", "runtime_environment_variables", "environment_variables")
_STORED: Final = re.compile(
    r"(?:data\.)?(?:aws_secretsmanager_secret|aws_ssm_parameter|google_secret_manager_secret|azurerm_key_vault_secret|vault_)\w*\.[\w.\[\]\"-]+"
)
"""A stored secret, or its value, in Terraform's words."""


def holders(root: Node, *, terraform: bool) -> Iterator[Holder]:
    """The containers and functions below a document's resources."""
    if terraform:
        for one in root["resource"].items:
            labels = [label.text for label in one["$labels"].items]
            yield from _below("/".join(labels[-2:]), one)
    for name, one in root["Resources"].members.items():
        yield from _below(name, one["Properties"])


def _below(name: str, resource: Node) -> Iterator[Holder]:
    for part in resource.inside():
        pairs = list(_pairs(part))
        wholes = tuple(
            Whole((one["value"] if one["value"].text else one["Value"]).line, "its environment is a whole file", "")
            for key in ("environmentFiles", "EnvironmentFiles", "environment_files")
            for one in part[key].items
            if one["value"].text or one["Value"].text
        )
        if pairs or wholes:
            called = part["name"].text or part["Name"].text
            like = part["image"].text or part["Image"].text
            yield Holder("task", f"{name}/{called}" if called else name, part.line, like or name, tuple(pairs), wholes)


def _pairs(part: Node) -> Iterator[Pair]:
    """The variables of one container or function: a list of names and values, or members of `variables`."""
    for key in (*_SECRETS, *_ENVIRONMENTS):
        for one in part[key].items:
            named = one["name"].text or one["Name"].text
            given = next(
                (one[at] for at in ("value", "Value", "valueFrom", "ValueFrom", "value_from") if one[at].text), one
            )
            if named:
                yield from _referred(named, one)
            if named and given.text:
                yield Pair(named, stored(given.text) if key in _SECRETS else given.text, given.line)
            for name, value in (*one["variables"].members.items(), *one["Variables"].members.items()):
                if value.text:
                    yield Pair(name, stored(value.text), value.line)
    yield from _listed(part)


def _listed(part: Node) -> Iterator[Pair]:
    """What clouds write in other ways: tables of variables, and stored secrets by blocks of their own."""
    for key in _MAPS:
        yield from (Pair(name, stored(one.text), one.line) for name, one in part[key].members.items() if one.text)
    for one in part["secret_environment_variables"].items:
        if one["key"].text and one["secret"].text:
            yield Pair(one["key"].text, "${secret:" + one["secret"].text.strip("${}") + "}", one["secret"].line)
    for one in part["secret"].items:
        given = one["key_vault_secret_id"] if one["key_vault_secret_id"].text else one["value"]
        if one["name"].text and given.text:
            yield Pair(f"{one['name'].text}_secret", stored(given.text), given.line)


def _referred(named: str, one: Node) -> Iterator[Pair]:
    """A variable of Terraform whose value a stored secret has: a cloud's, or a key of a cluster's."""
    for source in (*one["value_source"].items, *one["value_from"].items):
        for ref in source["secret_key_ref"].items:
            name = ref["secret"] if ref["secret"].text else ref["name"]
            place = "/".join(part.text.strip("${}") for part in (name, ref["key"]) if part.text)
            if name.text:
                yield Pair(named, "${secret:" + place + "}", name.line)


def stored(text: str) -> str:
    """The text; where it says where a secret is stored, as such a reference."""
    if found := _STORED.search(text) if text.startswith("${") else None:
        return "${secret:" + found[0] + "}"
    bare = text.strip("${}")
    if text.startswith("{{resolve:") or bare.startswith(
        ("arn:aws:secretsmanager", "arn:aws:ssm", "aws_secretsmanager_", "aws_ssm_")
    ):
        return "${secret:" + bare.replace("}", "") + "}"
    return text


def run(words: list[wrapped.Word]) -> list[wrapped.Word]:
    """The words of a command of a container engine; none of any other."""
    return words if words and wrapped.program(words[0][0]) in ("docker", "podman", "nerdctl") else []
