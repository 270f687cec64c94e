"""People at the console: signed in by a link of their own, and calls that wait for their yes."""

from remit.control import brief, credential, login, policy, principal, task
from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.grant import Step
from remit.core.permit import Permit
from remit.core.trust import TrustPath
from tests.kit.approving import asking
from tests.kit.browser import Browser
from tests.kit.world import COMMON


class Asks:
    """A served world in which reading a note takes the yes of somebody of `staff`; ann and ben are of it."""

    def __init__(self, site):
        self.site, self.world = site, site.world
        layers = {"common": COMMON, "delegated": {}, "own": {"a.cedar": asking("staff")}}
        site.act(lambda c: policy.apply(c, layers, 1, "operator"))
        self.ann, self.ben, self.cal = (self.person(name, group) for name, group in PEOPLE)
        self.task, self.entry = self.opened()

    def widen(self):
        """Let notes be read wherever they are, in tasks that are opened from now on."""
        wide = {"action": "mcp:notes/read_note", "path": "own", "arguments": {"path": [{"max_length": 200_000}]}}
        steps = (Step.from_json(wide), *self.world.brief.steps)
        self.site.act(lambda c: brief.apply(c, self.world.a_brief(steps=steps, version=2), "operator"))
        self.task, self.entry = self.opened()

    def person(self, name, group):
        return self.site.act(lambda c: principal.add_person(c, "local", name, name.title(), group, "operator")).id

    def opened(self, by="", **more):
        """Open a task and give its agent a credential."""
        agent, requester = self.world.agent.id, by or self.world.owner.id
        given = {"brief": "notes", "agent": agent, "requester": requester, "by": requester} | more
        errand = self.site.act(lambda c: task.open_task(c, **given))
        held = {"task_id": errand.id, "agent_id": agent, "path": TrustPath.OWN, "person_id": ""}
        return errand, self.world.enter(self.site.act(lambda c: credential.give(c, **held)).text)

    def call(self, path="/notes/a", entry=None, tool="read_note"):
        """Have a call decided; a permit or what refuses it."""
        found = []
        one, given = Call(f"mcp:notes/{tool}", {"path": path}), entry or self.entry
        self.site.loop.call_soon_threadsafe(self.world.gate.decide, one, given, "", found.append)
        for _ in range(400):
            if found:
                return found[0]
            self.site.act(lambda _: None)
        raise AssertionError("nobody answered")

    def ask(self, path="/notes/a", entry=None):
        found = self.call(path, entry)
        assert isinstance(found, Deny), found
        assert found.code == "approval_pending", found
        return found.approval

    def allowed(self, path="/notes/a", entry=None):
        return isinstance(self.call(path, entry), Permit)

    def link(self, person=""):
        return self.site.act(lambda c: login.issue(c, "link", "operator", person))

    def browser(self, person=""):
        """A browser in which somebody is signed in; the operator when nobody is named."""
        return Browser(self.site.url).enter(self.link(person))


PEOPLE = (("ann", ("staff",)), ("ben", ("staff",)), ("cal", ()))
