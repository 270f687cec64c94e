"""One of the client drivers, run from its first step to its last."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from tests.kit import peers
from tests.kit.running import line_from

LIMIT = 60.0
STEPS = ("connect", "list", "allowed", "denied", "revoked")


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a driver came to."""

    step: str
    ok: bool
    is_error: bool
    text: str
    code: int | None


def drive(
    name: str,
    url: str,
    token: str,
    *,
    allowed: tuple[str, dict[str, object]],
    denied: tuple[str, dict[str, object]],
    revoke: Callable[[], None],
) -> dict[str, Step]:
    """Let one client take all its steps; `revoke` is called before the last. Says what each came to, by step."""
    script = {
        kind: {"name": tool, "arguments": given}
        for kind, (tool, given) in {"allowed": allowed, "denied": denied}.items()
    }
    command, extra = peers.client(name, url, token, script)
    told: dict[str, Step] = {}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, env=os.environ | extra, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdout:
            try:
                for expected in STEPS:
                    if expected == "revoked":
                        revoke()
                        process.stdin.write(b"revoked\n")
                        process.stdin.close()
                    line = line_from(process.stdout.fileno(), LIMIT)
                    if not line:
                        errors.seek(0)
                        raise AssertionError(f"{name} said nothing at '{expected}': {errors.read().decode()[-2000:]}")
                    said = json.loads(line)
                    assert said["step"] == expected
                    told[expected] = Step(expected, said["ok"], said["isError"], said["text"], said["code"])
                process.wait(LIMIT)
            finally:
                if not process.stdin.closed:
                    process.stdin.close()
                if process.poll() is None:
                    process.kill()
                    process.wait()
    return told
