"""Blended: an errand that has used both trust paths. Labelled at once, at high risk, and held to the brief's own rule.

The errand is a task with all tasks above and below it: a child that acts by the other path blends its parent. What
counts is an allowed call; a list or a session is none. Law 2: the paths never meet in one credential, and where they
meet in one errand, that is seen.
"""

from typing import Final

from remit.core import policy as policies
from remit.core.facts import Facts
from remit.core.trust import TrustPath

BITS: Final = {TrustPath.OWN: 1, TrustPath.DELEGATED: 2}
BOTH: Final = 3
_BY_NAME: Final[dict[str, int]] = {path.value: one for path, one in BITS.items()}
HIGH: Final = "high"
NORMAL: Final = "normal"
SAID: Final = {
    "blended_read_only": "This task has used both trust paths, and from then on it may only read.",
    "blended_refused": "This task has used the other trust path, and its brief keeps the two apart.",
}


def bit(path: str) -> int:
    """The mark of a path in what an errand has used; 0 for none."""
    return _BY_NAME.get(path, 0)


def mixes(facts: Facts) -> bool:
    """Say whether the errand is blended, or would be with one more allowed call under this credential."""
    used = facts.paths | (BITS[facts.credential.path] if facts.credential is not None else 0)
    return used == BOTH or (facts.task is not None and facts.task.blended > 0)


def risk(*, blended: bool) -> str:
    """How high the risk of an errand is: of one that is blended, high until it is traced end to end."""
    return HIGH if blended else NORMAL


def narrowed(verdict: policies.Verdict, facts: Facts, *, writes: bool) -> policies.Verdict:
    """Hold what policy says of a call to the brief's rule for a blended errand. It can only become stricter."""
    brief = facts.brief
    if brief is None or brief.blended == "policy" or verdict.answer is policies.Answer.DENY or not mixes(facts):
        return verdict
    if brief.blended == "refuse":
        return policies.Verdict(policies.Answer.DENY, ("brief:blended",), code="blended_refused")
    if not writes:
        return verdict
    if brief.blended == "read_only" or not brief.approvers:
        return policies.Verdict(policies.Answer.DENY, ("brief:blended",), code="blended_read_only")
    asked = brief.asked(() if facts.credential is None else (facts.credential.path,))
    groups = tuple(sorted({*verdict.groups, *asked}))
    return policies.Verdict(policies.Answer.ASK, (*verdict.grounds, "brief:blended"), groups)
