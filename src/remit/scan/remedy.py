"""What to do about one finding: what its words tell, where its code alone would say too little. Pure.

A code covers several things (a shell with no list of commands and a file tool on the root are both AG121); each has a
mend of its own.
"""

import re
from collections.abc import Mapping
from typing import Final

from remit.core.finding import Finding, Kind

_ASK: Final = "Let a person or a gate decide what writes or runs commands: take it out of what is approved by itself."
_SANDBOX: Final = "Run it in a sandbox or container that has the one folder and the few hosts that the work needs."

REMEDIES: Final[Mapping[Kind, tuple[tuple[re.Pattern[str], str], ...]]] = {
    Kind.LITERAL_SECRET: (
        (
            re.compile(r"where it is not set$"),
            "Replace the value at its issuer, and take the default out: without the variable it should not start.",
        ),
        (
            re.compile(r"\bargument\b|among the arguments"),
            "Replace the value at its issuer, and hand it on by the environment: arguments show in lists of processes.",
        ),
    ),
    Kind.INHERITED: (
        (
            re.compile(r"refers to a secret that \d+ of this file"),
            "Give each server a credential of its own, and none to those that do not need it.",
        ),
        (re.compile(r"env[_-]?file", re.IGNORECASE), "Name the few variables that it needs, not a whole file."),
    ),
    Kind.UNPINNED: (
        (re.compile(r"\bimage\b"), "Name the image by its digest: NAME@sha256:..."),
        (re.compile(r"\bstep\b"), "Name the step by its full commit: OWNER/NAME@40 digits, with the tag in a comment."),
        (
            re.compile(r"^(?:.*: )?(?:uvx?|uv|pipx|pip)\b"),
            "Name one exact version: NAME==1.2.3 (or NAME@1.2.3 with uvx).",
        ),
        (re.compile(r"\bpackage\b"), "Name one exact version: NAME@1.2.3."),
    ),
    Kind.BROAD_TOOL: (
        (re.compile(r"no (?:sandbox|container)"), _SANDBOX),
        (re.compile(r"list of commands"), "List the few commands that the work needs, or take the shell away."),
        (
            re.compile(r"runs any|import everything|\bruns (?!in\b)\w+"),
            "Give it the few commands or functions that the work needs, or run it in a sandbox with nothing beside.",
        ),
    ),
    Kind.OPEN_REMOTE: (
        (
            re.compile(r"certificate"),
            "Turn the checks on; where the authority is your own, name its certificate to the program.",
        ),
        (
            re.compile(r"asks nobody|anybody"),
            "Let it listen on 127.0.0.1 alone, or ask who calls: a token, or OAuth.",
        ),
        (
            re.compile(r"without TLS or its checks"),
            "Connect with TLS and its checks: sslmode=verify-full, or what the driver calls so.",
        ),
        (
            re.compile(r"holds a token"),
            "Replace the token at its issuer, and send the new one in a header that refers to the environment.",
        ),
        (re.compile(r"refers to a token"), "Send the token in a header: addresses are written into logs on the way."),
        (re.compile(r"http|TLS"), "Use https, if the other side speaks it; else put it behind what does."),
    ),
    Kind.UNASKED: (
        (re.compile(r"hook.*(?:fails|pass)|pass when it fails"), "Let a hook that fails refuse: end it with exit 2."),
        (re.compile(r"no event is called"), "Call the event as the client does: until then the hook guards nothing."),
        (
            re.compile(r"lets everything run|permissionMode|defaultMode|permission_mode|approval_?policy|approvalPolicy"
                       r"|every tool|for everything|let it write"),
            "Turn it off, and approve by name only what reads.",
        ),
        (re.compile(r"approved unseen"), "Turn it off, and approve each server by name once you have seen it."),
        (re.compile(r"nobody asked"), _ASK),
    ),
    Kind.UNOWNED: (
        (re.compile(r"^[^,]*it never ends$"), "Give it a day on which it ends."),
        (re.compile(r"^[^,]*named as its owner$"), "Name the person or team who answers for it."),
        (re.compile(r"^[^,]*what it is for$"), "Write down what it is for."),
    ),
}  # fmt: skip
"""By code, what the words of a finding tell: the first that fits says what to do."""


def remedy(one: Finding) -> str:
    """What to do about this finding."""
    for shape, text in REMEDIES.get(one.kind, ()):
        if shape.search(one.evidence.said):
            return text
    return one.rule.fix
