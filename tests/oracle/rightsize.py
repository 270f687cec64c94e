"""The slow, obvious twin of the replay: two stores, one as it was, one as it would have been.

Every receipt is applied to both by the code that the live system uses; in the second one the brief is the proposed one,
each plan what it would have been, and each decision what is decided with the facts that are read from that store. So
what has been used, carried over and counted is the store's own business.
"""

import copy
import json

from msgspec.structs import replace

from remit.control import policy
from remit.core import approval as answers
from remit.core.agent import Agent
from remit.core.answer import Allow
from remit.core.approval import Approval, Asked
from remit.core.brief import Brief
from remit.core.call import Call
from remit.core.canonical import b64
from remit.core.decision import brief_place, consumes, decide
from remit.core.policy import compile_set
from remit.core.principal import Person
from remit.core.receipt import PolicyRecord
from remit.core.record import dump
from remit.core.task import Plan, Task
from remit.store import log, payload
from remit.store.apply import apply
from remit.store.facts import facts
from remit.store.migrate import migrate, packaged
from remit.store.opening import open_db
from remit.store.record import Reader

LOST = 1 << 20


class Twin:
    def __init__(self, view, folder, new, base, moved, since=0):
        self.view, self.new, self.base, self.moved, self.since = view, new, base, moved, since
        self.was, self.would = open_db(folder / "was.db"), open_db(folder / "would.db")
        self.plans, self.used = {}, {}
        self.found = {"allowed": [], "fail": [], "refused": [], "open": [], "erased": [], "unlike": []}
        for db in (self.was, self.would):
            migrate(db, 0, packaged())
            for digest, body in view.all("SELECT digest, body FROM blob"):
                payload.put_blob(db, digest, bytes(body))

    def run(self):
        self.was.begin()
        self.would.begin()
        for leaf, body in enumerate(log.entries(self.view, 0, log.newest(self.view).size)):
            said = json.loads(body)
            for db, receipt in ((self.would, self.rewritten(leaf, said)), (self.was, said)):
                if receipt is not None:
                    apply(db, leaf, receipt)
        self.was.rollback()
        self.would.rollback()
        self.was.close()
        self.would.close()
        return {name: len(calls) for name, calls in self.found.items()}, self.found["fail"], self.found["open"]

    def rewritten(self, leaf, said):
        """The receipt as it would have been; None where there would have been none."""
        record = said.get("record", {})
        if record.get("noun") == "brief" and record["name"] == self.new.name:
            steps = dump(self.new) | {"version": record["version"], "state": record.get("state", "live")}
            return said | {"record": steps}
        if record.get("noun") == "plan":
            return said | {"record": self.planned(record)}
        if said["kind"] == "call.decided" and said.get("brief") == self.new.name:
            return self.decided(leaf, said)
        if said["kind"] == "call.outcome":
            return self.ended(said)
        return said

    def planned(self, record):
        """What a plan would have been: all of what it may be, or its own steps on what theirs became."""
        task = Reader(self.was).get(Task, record["task"])
        made = copy.deepcopy(record)
        if task.parent:
            above = Reader(self.was).get(Task, task.parent)
            over = Reader(self.was).get(Plan, f"{above.id}:{above.plan}")
            ceiling = [one.to_json() for one in over.steps]
            became, then = self.plans[f"{above.id}:{above.plan}"]
        else:
            brief = Reader(self.was).get(Brief, task.brief)
            ceiling, then = [one.to_json() for one in brief.steps], [one.to_json() for one in self.new.steps]
            became = [self.place(step, ceiling, n) for n, step in enumerate(ceiling)]
        if record["steps"] == ceiling and record["sources"] == list(range(len(ceiling))):
            made["steps"], made["sources"], went = then, list(range(len(then))), became
        else:
            made["sources"] = [became[one] for one in record["sources"]]
            went = list(range(len(record["steps"])))
        self.plans[f"{record['task']}:{record['version']}"] = went, made["steps"]
        return made

    def place(self, step, ceiling, number):
        base = [one.to_json() for one in self.base.steps]
        if ceiling == base:
            return self.moved[number] if self.moved[number] >= 0 else LOST
        if step in base:
            found = self.moved[base.index(step)]
            return found if found >= 0 else LOST
        for n, one in enumerate(self.new.steps):
            if (one.action, one.path.value) == (step["action"], step["path"]):
                return n
        return LOST

    def decided(self, leaf, said):
        kept = payload.get(self.view, said["call"]) if said["args"] else (b"", b"{}")
        allowed = said["decision"] == "allow"
        if kept is None or said["at"] < self.since:
            if said["at"] >= self.since:
                self.found["erased"].append(leaf)
            return said | {"charges": self.taken(said)} if allowed else said
        call = Call(said["action"], json.loads(kept[1]))
        assert b64(call.digest) == said["digest"]
        now = decide(call, self.facts(self.would, said, call))
        if isinstance(now, Allow):
            place = "allowed" if allowed else "open"
            if not allowed and isinstance(self.then(said, call), Allow):
                place = "refused"
        elif allowed:
            place = "fail" if isinstance(self.then(said, call), Allow) else "unlike"
        else:
            place = "refused"
        self.found[place].append(leaf)
        return self.answered(said, now)

    def answered(self, said, now):
        """The receipt of what is decided now."""
        plain = {
            one: value
            for one, value in said.items()
            if one not in ("charges", "step", "code", "what", "groups", "approval")
        }
        if not isinstance(now, Allow):
            return plain | {"decision": "deny", "code": "x"}
        charges = [
            {
                "task": c.task,
                "scope": c.scope,
                "step": c.number,
                "uses": c.used.uses,
                "amounts": [str(a) for a in c.used.amounts],
            }
            for c in now.charges
        ]
        self.used[said["call"]] = now.counted
        return plain | {"decision": "allow", "step": now.step, "charges": charges}

    def then(self, said, call):
        return decide(call, self.facts(self.was, said, call))

    def facts(self, db, said, call):
        """What is read from one of the stores; when the task was active, and by which paths, is as it was."""
        seen = facts(Reader(db), said["credential"], call, "", said["at"], self.policy)
        real = facts(Reader(self.was), said["credential"], call, "", said["at"], lambda _: None)
        asked = self.asked(said) if "approval" in said and said["decision"] == "allow" else None
        return replace(
            seen, active_at=real.active_at, paths=real.paths, asked=asked, origin=said["decision"] == "allow"
        )

    def asked(self, said):
        reader = Reader(self.was)
        one, task = reader.get(Approval, said["approval"]), reader.get(Task, said["task"])
        used = self.was.one("SELECT used FROM approval WHERE id = ?", (one.id,))[0]
        people = {each.by: reader.get(Person, each.by) for each in one.yes}
        owner = reader.get(Agent, task.agent).owner
        barred = answers.barred(one.bar, task.requester, owner, task.person)
        return Asked(one, used, one.shown, True, people, barred)

    def policy(self, path):
        reader, texts = Reader(self.was), []
        for name in ("common", path.value):
            record = reader.get(PolicyRecord, name)
            if record is None:
                return None
            texts.append(json.loads(payload.get_blob(self.was, record.digest)))
        return compile_set(path, *texts, policy.shape(reader))

    def taken(self, said):
        """What a call that cannot be decided again took, on the steps that its own became."""
        own = [one for one in said.get("charges", []) if not one["scope"].startswith(("plan:", "brief:"))]
        reader = Reader(self.would)
        went, number, held = self.plans[f"{said['task']}:{said['plan']}"], said["step"], []
        number = went[0][number] if 0 <= went[0][number] < LOST else LOST
        task = reader.get(Task, said["task"])
        plan = reader.get(Plan, f"{task.id}:{said['plan']}")
        root = task.id
        while plan is not None:
            if number >= len(plan.steps):
                break
            held.append((plan.task, f"plan:{plan.version}", number, plan.steps[number]))
            root, number = plan.task, plan.sources[number]
            task = reader.get(Task, plan.task)
            above = reader.get(Task, task.parent) if task.parent else None
            plan = reader.get(Plan, f"{above.id}:{above.plan}") if above else None
        else:
            if number < len(self.new.steps):
                held.append((root, *brief_place(self.new, number), self.new.steps[number]))
        found = []
        for where, scope, place, step in held:
            if consumes(step):
                amounts = next(
                    (
                        one["amounts"]
                        for one in said.get("charges", [])
                        if (one["task"], one["scope"]) == (where, scope)
                    ),
                    [],
                )
                amounts = amounts if len(amounts) == len(step.totals) else ["0"] * len(step.totals)
                found.append({"task": where, "scope": scope, "step": place, "uses": 1, "amounts": amounts})
        return [*found, *own]

    def ended(self, said):
        """Rows are counted where they would have been; an outcome of what would have been refused is none."""
        if self.would.one("SELECT 1 FROM flight WHERE call = ?", (said["call"],)) is None:
            return None
        places = self.used.get(said["call"], ())
        if not said.get("rows"):
            return said
        rows = said["rows"][0]["rows"]
        return said | {"rows": [{"task": t, "scope": s, "step": n, "rows": rows} for t, s, n, _ in places]}
