"""Which conditions tie a statement of a policy to what it names, and which only look so."""

import pytest

from remit.scan import condition
from remit.scan.node import Node


def _statement(test: str, name: str, *values: str) -> Node:
    return Node(1, {"Condition": Node(2, {test: Node(2, {name: Node(2, [Node(2, one) for one in values])})})})


@pytest.mark.parametrize(
    ("test", "name", "values"),
    [
        ("StringEquals", "aws:ResourceTag/team", ("agents",)),
        ("stringlike", "ec2:ResourceTag/team", ("agents-*",)),
        ("ForAnyValue:StringEquals", "aws:RequestTag/team", ("a", "b")),
        ("StringEquals", "iam:AWSServiceName", ("spot.amazonaws.com",)),
        ("StringEquals", "ec2:CreateAction", ("CreateVolume",)),
    ],
)
def test_a_tag_a_role_or_an_act_ties(test: str, name: str, values: tuple[str, ...]) -> None:
    assert condition.ties(_statement(test, name, *values))


@pytest.mark.parametrize(
    ("test", "name", "values"),
    [
        ("StringLike", "aws:ResourceTag/team", ("*",)),
        ("StringEquals", "aws:ResourceTag/team", ("agents", "*")),
        ("StringEquals", "aws:ResourceTag/team", ()),
        ("StringNotEquals", "aws:ResourceTag/team", ("agents",)),
        ("StringEqualsIfExists", "aws:ResourceTag/team", ("agents",)),
        ("Null", "aws:ResourceTag/team", ("false",)),
        ("StringEquals", "iam:PassedToService", ("ec2.amazonaws.com",)),
        ("StringEquals", "aws:RequestedRegion", ("eu-west-1",)),
        ("Bool", "aws:SecureTransport", ("true",)),
    ],
)
def test_any_value_a_refusal_or_the_way_of_a_call_ties_nothing(test: str, name: str, values: tuple[str, ...]) -> None:
    assert not condition.ties(_statement(test, name, *values))


def test_a_block_of_terraform_ties_too() -> None:
    asked = {"test": Node(2, "StringEquals"), "variable": Node(3, "aws:ResourceTag/team"), "values": Node(4, "agents")}
    assert condition.ties(Node(1, {"condition": Node(2, [Node(2, asked)])}))
