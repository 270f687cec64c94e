"""An account of AWS as `aws iam get-account-authorization-details` writes it: users, groups, roles, policies. Pure.

`ServiceControlPolicies`, which that command does not write, may be added: a list of policies, or a list of such lists,
one for each level of the organisation above the account.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from remit.core.canonical import Json
from remit.core.reach.aws.policy import TAGS, UNSEEN, Context, Statement, read
from remit.core.reach.graph import decoded, invalid

MOST: Final = 50_000


class _Inline(msgspec.Struct, rename="pascal"):
    policy_name: str
    policy_document: Json


class _Attached(msgspec.Struct, rename="pascal"):
    policy_arn: str


class _Limit(msgspec.Struct, rename="pascal"):
    permissions_boundary_arn: str


class _Tag(msgspec.Struct, rename="pascal"):
    key: str
    value: str


class _User(msgspec.Struct, rename="pascal"):
    user_name: str
    arn: str
    user_policy_list: list[_Inline] = []
    group_list: list[str] = []
    attached_managed_policies: list[_Attached] = []
    permissions_boundary: _Limit | None = None
    tags: list[_Tag] = []


class _Group(msgspec.Struct, rename="pascal"):
    group_name: str
    arn: str
    group_policy_list: list[_Inline] = []
    attached_managed_policies: list[_Attached] = []


class _Role(msgspec.Struct, rename="pascal"):
    role_name: str
    arn: str
    assume_role_policy_document: Json
    role_policy_list: list[_Inline] = []
    attached_managed_policies: list[_Attached] = []
    permissions_boundary: _Limit | None = None


class _Version(msgspec.Struct, rename="pascal"):
    version_id: str
    is_default_version: bool
    document: Json = None


class _Policy(msgspec.Struct, rename="pascal"):
    arn: str
    policy_version_list: list[_Version] = []


class _Details(msgspec.Struct, rename="pascal"):
    user_detail_list: list[_User] = []
    group_detail_list: list[_Group] = []
    role_detail_list: list[_Role] = []
    policies: list[_Policy] = []
    service_control_policies: list[Json] = []
    is_truncated: bool = False
    next_token: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy: its name, and the statements in force. An inline one is named `KIND/OWNER/NAME`; `versions` counts."""

    name: str
    statements: tuple[Statement, ...]
    versions: int = 1

    def plain(self) -> bool:
        """Say that it gives the same to whoever has it, and takes nothing."""
        return all(one.allow and not one.personal() for one in self.statements)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of users."""

    name: str
    arn: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or a role. `trust` is who may become the role."""

    kind: str
    name: str
    arn: str
    policies: tuple[Policy, ...]
    groups: tuple[str, ...] = ()
    boundary: Policy | None = None
    trust: tuple[Statement, ...] = ()
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """All of it, in order of names. `controls` are the service control policies, by level."""

    number: str
    principals: tuple[Principal, ...]
    groups: dict[str, Group]
    policies: dict[str, Policy]
    controls: tuple[tuple[Statement, ...], ...] = ()
    unseen: tuple[str, ...] = ()

    def named(self) -> set[str]:
        """Every action that a policy names."""
        found: set[str] = set()
        held = [*self.policies.values(), *(p for one in self.principals for p in one.policies)]
        held += [policy for group in self.groups.values() for policy in group.policies]
        for statements in (*(one.statements for one in held), *self.controls):
            found.update(action for one in statements for action in one.actions)
        return found


def account(data: bytes) -> Account:
    """Read an account (`reach_invalid`)."""
    form = decoded(data, _Details, "the authorization details of an account")
    if not form.user_detail_list and not form.role_detail_list:
        raise invalid("It has no users and no roles.")
    if form.is_truncated or form.next_token:
        raise invalid("It is one page of several: have all of it written.")
    return _Reading(form).account()


class _Reading:
    """Reads the members of one account; managed policies are looked up once."""

    def __init__(self, form: _Details) -> None:
        self._form = form
        self._managed: dict[str, Policy] = {}
        self._unseen: set[str] = set()
        for one in form.policies:
            current = next((v.document for v in one.policy_version_list if v.is_default_version), None)
            if current is not None:
                self._managed[one.arn] = Policy(one.arn, read(current), len(one.policy_version_list))

    def account(self) -> Account:
        form = self._form
        arns = [*(one.arn for one in form.user_detail_list), *(one.arn for one in form.role_detail_list)]
        groups = {
            one.group_name: Group(
                one.group_name,
                one.arn,
                self._policies(f"group/{one.group_name}", one.group_policy_list, one.attached_managed_policies),
            )
            for one in form.group_detail_list
        }
        if len(arns) > MOST or any(one.count(":") < 5 for one in arns):
            raise invalid("It has too many users and roles, or one without an ARN.")
        number = arns[0].split(":")[4]
        for name in sorted({name for one in form.user_detail_list for name in one.group_list} - groups.keys()):
            self._unseen.add(f"group/{name}")
            arn = f"arn:aws:iam::{number}:group/{name}"
            groups[name] = Group(name, arn, (Policy(f"group/{name}", (UNSEEN,)),))
        found = [self._user(one, number) for one in form.user_detail_list]
        found += [self._role(one, number) for one in form.role_detail_list]
        return Account(
            number=number,
            principals=tuple(sorted(found, key=lambda one: (one.kind, one.name))),
            groups=groups,
            policies=self._managed,
            controls=self._controls(),
            unseen=tuple(sorted(self._unseen)),
        )

    def _controls(self) -> tuple[tuple[Statement, ...], ...]:
        levels = self._form.service_control_policies
        nested = levels if levels and all(isinstance(one, list) for one in levels) else [levels] if levels else []
        return tuple(tuple(statement for one in level for statement in read(one)) for level in nested)

    def _user(self, one: _User, number: str) -> Principal:
        owner = f"user/{one.user_name}"
        return Principal(
            kind="user",
            name=owner,
            arn=one.arn,
            policies=self._policies(owner, one.user_policy_list, one.attached_managed_policies),
            groups=tuple(one.group_list),
            boundary=self._limit(one.permissions_boundary),
            context=_context(one.arn, number, "User") | {"aws:username": one.user_name} | _tags(one.tags),
        )

    def _role(self, one: _Role, number: str) -> Principal:
        owner = f"role/{one.role_name}"
        return Principal(
            kind="role",
            name=owner,
            arn=one.arn,
            policies=self._policies(owner, one.role_policy_list, one.attached_managed_policies),
            boundary=self._limit(one.permissions_boundary),
            trust=read(one.assume_role_policy_document),
            context=_context(one.arn, number, "AssumedRole") | {"aws:username": None},
        )

    def _policies(self, owner: str, inline: list[_Inline], attached: list[_Attached]) -> tuple[Policy, ...]:
        own = [Policy(f"{owner}/{one.policy_name}", read(one.policy_document), 0) for one in inline]
        return (*own, *(self._named(one.policy_arn) for one in attached))

    def _limit(self, limit: _Limit | None) -> Policy | None:
        return self._named(limit.permissions_boundary_arn) if limit else None

    def _named(self, arn: str) -> Policy:
        if arn not in self._managed:
            self._unseen.add(arn)
            return Policy(arn, (UNSEEN,))
        return self._managed[arn]


def _context(arn: str, number: str, kind: str) -> dict[str, str | None]:
    """What is known of whoever acts as this principal, whatever it asks for."""
    return {
        "aws:principalarn": arn, "aws:principalaccount": number, "aws:principaltype": kind,
        "aws:principalisawsservice": "false",
    }  # fmt: skip


def _tags(tags: list[_Tag]) -> dict[str, str | None]:
    """The tags of a user. Those of a role are not known: a session may bring its own."""
    return {TAGS: None} | {f"{TAGS}{one.key.lower()}": one.value for one in tags}
