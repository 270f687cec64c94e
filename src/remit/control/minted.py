"""What is minted at a target for a kind of step, by what its source was set to, in the words of the target's survey."""

from collections.abc import Iterator
from dataclasses import dataclass

from remit.core.reach.aws.pattern import placed, within
from remit.core.reach.survey import Seen
from remit.core.resource import Minting, Resource


@dataclass(frozen=True, slots=True)
class Asked:
    """A node that what is minted for a step leads to: its kind, its name, how; `made` says that it is surely there."""

    kind: str
    name: str
    how: str
    made: bool = False


def asked(one: Resource, kind: str, seen: list[Seen]) -> Iterator[Asked]:
    """What a credential that is minted for a kind of step at a resource is for; nothing where that is not told."""
    minting = one.minting
    if minting is None:
        return
    if minting.kind == "aws":
        yield from _places(minting, kind)
    elif minting.kind == "oauth":
        for scope in minting.settings.get(f"scope.{kind}", "").split():
            yield Asked("rights", scope, "asks for the scope")
    elif minting.kind == "kubernetes":
        yield from _roles(minting, kind)
    elif minting.kind == "github":
        yield from _repositories(minting, kind, seen)


def logins(one: Resource) -> tuple[str, ...]:
    """The logins at a target that credentials are made of there, whole, by the secret that they are made with."""
    settings = one.minting.settings if one.minting else {}
    if one.minting and one.minting.kind == "aws" and "role" in settings:
        return (f"role/{settings['role'].rpartition('/')[2]}",)
    return ()


def _places(minting: Minting, kind: str) -> Iterator[Asked]:
    """AWS: each place of the session's policy, with the actions on it."""
    actions, _, places = minting.settings.get(f"allow.{kind}", "").partition(" ")
    for place in places.strip().split(",") if places else ():
        mine = [action for action in actions.split(",") if within(action, place)]
        for service in sorted({action.partition(":")[0].lower() for action in mine}):
            listed = [action for action in mine if action.lower().startswith(f"{service}:")]
            yield Asked("object", placed(service, place), ", ".join(listed), made=True)


def _roles(minting: Minting, kind: str) -> Iterator[Asked]:
    """Kubernetes: each role that the account is bound to, in its namespace."""
    space = minting.settings.get("namespace", "")
    for text in minting.settings.get(f"role.{kind}", "").split(","):
        sort, mark, name = text.partition("/")
        if mark:
            role = f"role/{space}/{name}" if sort == "Role" else f"clusterrole/{name} in {space}"
            yield Asked("rights", role, "is bound to")


def _repositories(minting: Minting, kind: str, seen: list[Seen]) -> Iterator[Asked]:
    """GitHub: each permission on each repository, which settings name without their owner."""
    permissions, _, listed = minting.settings.get(f"allow.{kind}", "").partition(" ")
    wanted = {tuple(one.split(":")) for one in permissions.split(",") if one.count(":") == 1}
    repositories = set(listed.strip().split(","))
    for name in sorted({name for one in seen for sort, name, _ in one.nodes if sort == "object"}):
        place, _, permission = name.rpartition(" ")
        for thing, level in sorted(wanted):
            if thing == permission and place.rpartition("/")[2] in repositories:
                yield Asked("object", name, level)
