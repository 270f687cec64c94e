"""Policy tests: what a policy directory says that its own policies must answer, and what a change of policy changes.

A set that carries no test, or of which one fails, cannot be applied. Source: docs/spec/policy.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from remit.core import canonical, ids
from remit.core.errors import RemitError
from remit.core.policy import Answer, Ask, PersonFacts, PolicySet, Principal, TaskFacts, Verdict, evaluate
from remit.core.policy_text import Statement
from remit.core.trust import TrustPath

_SOMEONE: Final = "a" * 26
_AGENT: Final = Principal(f"agt_{_SOMEONE}", f"per_{_SOMEONE}", "standard", "test")
_TASK: Final = TaskFacts(f"tsk_{_SOMEONE}", "test", f"per_{_SOMEONE}")
_PERSON: Final = PersonFacts(f"per_{_SOMEONE}")


class PolicyTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test: a question and the answer it must get: `allow`, `deny`, or `ask:GROUP`, several groups by commas."""

    name: str
    path: TrustPath
    action: str
    expect: str
    args: dict[str, canonical.Json] = {}
    principal: Principal = _AGENT
    task: TaskFacts = _TASK
    person: PersonFacts | None = None
    plan: int = 1
    now: int = 0

    def __post_init__(self) -> None:
        kind, _, groups = self.expect.partition(":")
        if kind not in set(Answer) or (kind == Answer.ASK) != bool(groups) or not self.name:
            raise ValueError("expect is allow, deny, or ask:GROUP, and a test has a name")
        for group in groups.split(",") if groups else ():
            ids.name("group of approvers", group)

    def ask(self) -> Ask:
        """Put the test's question."""
        person = (self.person or _PERSON) if self.path is TrustPath.DELEGATED else self.person
        return Ask(self.path, self.principal, self.action, self.task, self.plan, self.now, self.args, person)


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not get its answer: what it expects, what it got, and on which policies that rests."""

    name: str
    expected: str
    got: str
    grounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A question that two sets answer differently; `name` is the test's, or the recorded call's."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change of policy changes: policies by id, and answers."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    answers: tuple[Changed, ...]


def parse_tests(files: Mapping[str, str]) -> tuple[PolicyTest, ...]:
    """Read the tests of a directory: `tests.json` and `*.test.json`, each a list; else `policy_test_invalid`."""
    found: list[PolicyTest] = []
    for file in sorted(files):
        try:
            _named(file)
            found += msgspec.convert(canonical.read(files[file].encode()), list[PolicyTest])
        except (ValueError, RemitError, msgspec.MsgspecError) as fault:
            raise RemitError(
                "policy_test_invalid",
                f"{file[:80]}: these policy tests were refused: {str(fault)[:200]}.",
                "Give a list of tests with name, path, action and expect, as docs/spec/policy.md says.",
            ) from fault
    return tuple(found)


def run_tests(held: PolicySet, tests: Iterable[PolicyTest]) -> tuple[Failure, ...]:
    """Run the tests of the set's path and return those that fail."""
    failures = []
    for test in tests:
        if test.path is held.path:
            verdict = held.evaluate(test.ask())
            kind, _, groups = test.expect.partition(":")
            expected = f"{kind}:{','.join(sorted(groups.split(',')))}" if groups else kind
            if said(verdict) != expected:
                got = f"{said(verdict)} ({verdict.code})" if verdict.code else said(verdict)
                failures.append(Failure(test.name, expected, got, verdict.grounds))
    return tuple(failures)


def require(held: PolicySet, tests: Sequence[PolicyTest]) -> None:
    """Refuse a set that carries no test of its path (`policy_tests_missing`), or fails one (`policy_tests_failed`)."""
    if not any(test.path is held.path for test in tests):
        raise RemitError(
            "policy_tests_missing",
            f"The {held.path.value} policies carry no test.",
            "Put a tests.json beside them that says what they must allow, ask and deny.",
        )
    failures = run_tests(held, tests)
    if failures:
        first = failures[0]
        raise RemitError(
            "policy_tests_failed",
            f"{len(failures)} of the {held.path.value} policy tests fail; "
            f"{first.name[:80]!r} expects {first.expected}, and policy says {first.got}.",
            "Correct the policies or the tests; `remit policy test` shows each failure.",
        )


def diff(old: PolicySet | None, new: PolicySet, recorded: Mapping[str, Ask]) -> Difference:
    """Compare two sets: policies by id and text, and the answers to recorded questions by name."""
    before = _texts(old.statements if old else ())
    after = _texts(new.statements)
    answers = []
    for name, ask in recorded.items():
        was, becomes = said(evaluate(old, ask)), said(new.evaluate(ask))
        if was != becomes:
            answers.append(Changed(name, was, becomes))
    return Difference(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(one for one in before.keys() & after.keys() if before[one] != after[one])),
        tuple(answers),
    )


def said(verdict: Verdict) -> str:
    """Write an answer as a test expects it."""
    return f"{verdict.answer}:{','.join(verdict.groups)}" if verdict.groups else verdict.answer.value


def _named(file: str) -> None:
    if file != "tests.json" and not file.endswith(".test.json"):
        raise ValueError("a file of tests is called tests.json or NAME.test.json")


def _texts(statements: Iterable[Statement]) -> dict[str, str]:
    return {one.id: one.text for one in statements}
