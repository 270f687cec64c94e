"""AWS as far as STS and IAM go: moto's server, from the package index. It ignores session policies and conditions."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.secret import Secret
from remit.custody.sources.sts import StsSource
from tests.kit import peers
from tests.kit.ports import free

KEYS = b"AKIAEXAMPLE:secret-access-key"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
PATIENCE_S = 60


@contextlib.contextmanager
def served() -> Iterator[dict[str, str]]:
    """The settings of a source at a server with one role, but for what it allows."""
    port = free()
    command = [str(peers.program("moto", "moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    setting = {"role": "arn:aws:iam::123456789012:role/agents", "region": "eu-west-1", "sts": url, "iam": url}
    try:
        _made(setting | {"allow.x": "s3:GetObject arn:aws:s3:::reports"})
        yield setting | {"deny": "yes"}
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def _made(setting: dict[str, str]) -> None:
    source = StsSource(Secret(KEYS), setting, lambda: Instant(time.time_ns() // 1_000_000))
    form = {"Action": "CreateRole", "Version": "2010-05-08", "RoleName": "agents"}
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(RemitError):
            # It listens, and even answers, a moment before it is ready.
            source.call("iam", form | {"AssumeRolePolicyDocument": json.dumps(TRUST)})
            return
        assert time.monotonic() < until
        time.sleep(0.1)
