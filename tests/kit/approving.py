"""A governed world in which reading a note takes the yes of somebody in ops, and people who may say it."""

from typing import Any

from remit.control import approval, brief, policy, principal
from remit.core.answer import Deny
from remit.core.approval import Approval, Terms
from remit.core.trust import TrustPath
from tests.kit.world import COMMON, World, read_call

READ = 'action == Action::"mcp:notes/read_note"'


def asking(group: str = "ops") -> str:
    """A policy by which reading a note takes the yes of a group."""
    return f'@ask("{group}") permit(principal, {READ}, resource);'


MORE = f'{asking()}\n@id("more") permit(principal, {READ}, resource);'
"""It says the same and is another policy."""


class Approving:
    """Ann and Ben are in ops, Cal is in nothing; Olga, who owns the agent and opens the tasks, is in ops as well."""

    def __init__(self, world: World, groups: str = "ops", **terms: Any) -> None:
        self.world = world
        self.rule(asking(groups))
        self.ann, self.ben = (self.person(name, "ops") for name in ("ann", "ben"))
        self.cal = self.person("cal")
        if terms:
            self.terms(**terms)
        self.task = world.a_task()
        self.entry = world.enter(world.a_credential(self.task.id).text)

    def rule(self, text: str) -> None:
        """Put another policy beside the common one, on both paths."""
        layers = {"common": COMMON, "delegated": {"ask.cedar": text}, "own": {"ask.cedar": text}}
        self.world.act(lambda c: policy.apply(c, layers, 1, "operator"))

    def terms(self, **members: Any) -> None:
        """Put the brief in force with other terms for its asks."""
        wanted = self.world.a_brief(approval=Terms(**members))
        self.world.act(lambda c: brief.apply(c, wanted, "operator"))

    def person(self, name: str, *groups: str) -> str:
        """Register a person; their id."""
        return str(self.world.act(lambda c: principal.add_person(c, "local", name, name, groups, "operator")).id)

    def call(self, path: str = "/notes/a") -> Any:
        """Make the call; a permit or what refuses it."""
        return self.world.decide(read_call(path), self.entry)

    def ask(self, path: str = "/notes/a") -> str:
        """Make the call that has to be asked about; the id of the ask."""
        found = self.call(path)
        assert isinstance(found, Deny), f"it was let through without a yes: {found}"
        assert found.code == "approval_pending", found
        return found.approval

    def answer(self, identity: str, by: str, *, yes: bool = True, shown: str = "") -> Approval:
        """Answer as somebody who saw exactly what it shows."""
        digest = shown or self.one(identity).shown
        return self.world.act(lambda c: approval.answer(c, identity, by, yes=yes, shown=digest, via="test"))

    def one(self, identity: str) -> Approval:
        """The ask as it stands."""
        return self.world.act(lambda c: c.need(Approval, identity))

    def renew(self) -> None:
        """Get a new credential for the task."""
        self.entry = self.world.enter(self.world.a_credential(self.task.id, TrustPath.OWN).text)
