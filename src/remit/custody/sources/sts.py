"""AWS STS: for each task a session of one role, narrowed by a session policy that its steps give, tagged with the task.

The secret is `ACCESS_KEY_ID:SECRET_ACCESS_KEY` of who may assume the role. Settings: `role` (its ARN), `region`, for
each kind of action `allow.KIND` = `ACTIONS RESOURCES` (each with commas between), and `deny=yes` to have a drop deny
the session by a policy on the role (iam:PutRolePolicy). A session cannot be revoked, and asking who it is always works:
so nothing here is ever proven before the session has ended by itself.
"""

import hashlib
import hmac
import json
import re
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, final
from urllib.parse import quote, urlencode, urlsplit

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.resource import split
from remit.core.step import Step
from remit.custody import bounded
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung, late, unknown

PATIENCE_S: Final = 5
LARGEST: Final = 256 * 1024
SHORTEST_S: Final = 900
"""AWS gives no shorter session."""
POLICY: Final = 2_048
"""Characters of a session policy."""
ALLOW: Final = "allow."
NAMES: Final = ("AccessKeyId", "SecretAccessKey", "SessionToken")
VARIABLES: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
SAYS: Final = (
    "A session of a role for each task, narrowed by its steps. AWS cannot take it back: a drop denies this one session "
    "by a policy on the role until it ends."
)
ENDS: Final = (
    "A session of a role for each task, narrowed by its steps. AWS cannot take it back, and nothing denies it: it "
    "lives until it ends by itself."
)
_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/(?:[\w+=,.@/-]+/)?([\w+=,.@-]{1,64})", re.ASCII)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d", re.ASCII)
_TAG = re.compile(r"[^\w .:/=+@-]")


@final
class StsSource:
    """One role. `now` is the instant that requests are signed at."""

    def __init__(self, secret: Secret, settings: Mapping[str, str], now: Callable[[], Instant]) -> None:
        who, mark, key = secret.reveal().decode(errors="replace").strip().partition(":")
        role, self._region = _ARN.fullmatch(settings.get("role", "")), settings.get("region", "")
        if not mark or role is None or not _REGION.fullmatch(self._region):
            raise _setting("role and region, and as its secret ACCESS_KEY_ID:SECRET_ACCESS_KEY")
        self._keys, self._now = (who, Secret(key.encode()), ""), now
        self._role, self._name, self._denies = role[0], role[1], settings.get("deny") == "yes"
        self._sts = _endpoint(settings.get("sts", f"https://sts.{self._region}.amazonaws.com/"))
        self._iam = _endpoint(settings.get("iam", "https://iam.amazonaws.com/"))
        self._allow = {
            name.removeprefix(ALLOW): _statement(text) for name, text in settings.items() if name.startswith(ALLOW)
        }
        if not self._allow:
            raise _setting("at least one allow.KIND")

    def describe(self) -> Description:
        """Say that AWS does not take a session back."""
        says = SAYS if self._denies else ENDS
        return Description(
            "aws", Rung.SHORT, dynamic=True, revocable=False, says=says, longest=12 * 3_600_000, shown="partial"
        )

    def mint(self, intent: Intent) -> Minted:
        """Assume the role under the session policy of the steps; name, tags and SourceIdentity carry the task."""
        policy = self.policy(intent.steps)
        if intent.left() <= 0:
            raise late()
        seconds = max(SHORTEST_S, intent.life // 1000)
        form = {
            "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": self._role, "RoleSessionName": intent.name,
            "SourceIdentity": intent.task, "DurationSeconds": str(seconds), "Policy": policy,
        }  # fmt: skip
        for number, (name, value) in enumerate(intent.labels[:50], 1):
            form[f"Tags.member.{number}.Key"] = f"remit:{_TAG.sub('_', name)}"[:128]
            form[f"Tags.member.{number}.Value"] = _TAG.sub("_", value)[:256]
        said = self.call("sts", form)
        values = [_found(said, name) for name in NAMES]
        if not all(values):
            raise RemitError("target_declined", "AWS gave no session.", "Look at the role's trust policy.")
        if intent.left() <= 0:
            raise late()
        ends = Instant(self._now() + 1000 * seconds)
        return Minted(intent.name, intent.until, Secret(json.dumps(values).encode()), None, ends)

    def lend(self, minted: Minted) -> Lent:
        """The environment of a program that Remit runs for the task."""
        if minted.secret is None:
            raise unknown()
        values = [Secret(one.encode()) for one in json.loads(minted.secret.reveal())]
        return Lent(environ=tuple(zip(VARIABLES, values, strict=True)))

    def drop(self, minted: Minted) -> None:
        """Deny this one session by a policy on the role, or take that policy away once the session has ended."""
        if not self._denies or minted.secret is None:
            return
        over = minted.ends is not None and self._now() >= minted.ends
        form = {"Version": "2010-05-08", "RoleName": self._name, "PolicyName": minted.name}
        if over:
            self.call("iam", form | {"Action": "DeleteRolePolicy"}, missing=True)
        else:
            self.call("iam", form | {"Action": "PutRolePolicy", "PolicyDocument": denial(minted.name)})

    def probe(self, minted: Minted) -> Gone:
        """Nothing that can be asked proves that a session is denied everywhere."""
        del minted
        return Gone.UNKNOWN

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """What it is narrowed from; the session policy is not told by AWS."""
        del minted
        return (f"at most what {self._role} may do, narrowed by the policy of its session",)

    def found(self) -> tuple[str, ...]:
        """AWS lists no sessions."""
        return ()

    def close(self) -> None:
        """Forget the keys."""
        self._keys = ("", Secret(b""), "")

    def policy(self, steps: tuple[Step, ...]) -> str:
        """The session policy of these steps. Refuses a kind that nothing is set for, and one that is too long."""
        kinds = sorted({split(step.action)[1] for step in steps})
        unknown = [one for one in kinds if one not in self._allow]
        if unknown or not kinds:
            raise _unbounded(f"nothing is allowed for {unknown[0] if unknown else 'it'}")
        mine = [self._allow[kind] for kind in kinds]
        statements = [{"Effect": "Allow", "Action": acts, "Resource": places} for acts, places in mine]
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
        if len(text) > POLICY:
            raise _unbounded("its session policy is longer than AWS takes")
        return text

    def call(
        self,
        service: str,
        form: dict[str, str],
        keys: tuple[str, Secret, str] | None = None,
        *,
        missing: bool = False,
        most: int = LARGEST,
    ) -> str:
        """Send one signed request (SigV4) and return what came back; with `missing`, what is not there is no fault.

        Of the answer, `most` bytes are read.
        """
        url, body = (self._sts if service == "sts" else self._iam), urlencode(form, quote_via=quote).encode()
        region = self._region if service == "sts" else "us-east-1"
        heads = _signed(service, region, urlsplit(url).netloc, body, keys or self._keys, self._now())
        request = urllib.request.Request(url, body, heads, method="POST")  # noqa: S310 - see _endpoint
        try:
            opener = urllib.request.build_opener(*bounded.handlers())
            status, data = bounded.sent(opener, request, each_s=PATIENCE_S, most=most)
        except (OSError, ValueError) as fault:
            what = f"AWS cannot be reached ({type(fault).__name__})."
            raise RemitError("target_unavailable", what, "Look at the network.") from None
        said = data.decode(errors="replace")
        if 200 <= status < 300:
            return said
        code = _found(said, "Code")
        if missing and code == "NoSuchEntity":
            return ""
        what = f"AWS refused: {code or status}."
        raise RemitError("target_declined", what, "Look at what the key and the role may do.")


def denial(name: str) -> str:
    """The policy that denies everything to the session of this name, and to no other."""
    statement = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringLike": {"aws:userid": f"*:{name}"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def _signed(
    service: str, region: str, host: str, body: bytes, keys: tuple[str, Secret, str], now: Instant
) -> dict[str, str]:
    """The headers of a request signed by AWS Signature Version 4."""
    who, key, session = keys
    stamp = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    heads = {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "host": host, "x-amz-date": stamp}
    if session:
        heads["x-amz-security-token"] = session
    names = ";".join(sorted(heads))
    lines = "".join(f"{name}:{heads[name]}\n" for name in sorted(heads))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signing = b"AWS4" + key.reveal()
    for part in (stamp[:8], region, service, "aws4_request"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    signature = hmac.new(signing, text.encode(), "sha256").hexdigest()
    heads["authorization"] = f"AWS4-HMAC-SHA256 Credential={who}/{scope}, SignedHeaders={names}, Signature={signature}"
    return heads


def _statement(text: str) -> tuple[list[str], list[str]]:
    actions, mark, places = text.partition(" ")
    if not mark or not all(":" in one for one in actions.split(",")):
        raise _setting("allow.KIND as ACTIONS RESOURCES, such as s3:GetObject arn:aws:s3:::reports/*")
    return actions.split(","), places.strip().split(",")


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)) or parts.path != "/":
        raise _setting("its endpoints as https URLs that end in /")
    return url


def _found(text: str, name: str) -> str:
    match = re.search(rf"<{name}>([^<]+)</{name}>", text)
    return match[1] if match else ""


def _unbounded(why: str) -> RemitError:
    return RemitError(
        "rights_unbounded",
        f"No session can be made for this plan: {why}.",
        "Set allow.KIND at this target, or plan less.",
    )


def _setting(what: str) -> RemitError:
    return RemitError("setting_invalid", f"An aws source must know {what}.", "Set it: remit lease mint … --set.")
