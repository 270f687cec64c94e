"""OpenBao (and what speaks its API): for each task a token of its own there, and one dynamic secret read with it.

The secret is Remit's own token. Settings: `address`, `policy` (what a task's token may do: names with commas between),
for each kind of action `read.KIND` = the path of its dynamic secret, and optional: `namespace`, `ca_file`, `token_role`
(task's tokens are made under it), `env.NAME` or `header.NAME` = a text with {field} in it, and `list=no` where Remit
may not list tokens: then a mint whose answer was lost ends by itself. What the secret's own engine does about open
sessions is that engine's.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Final, final
from urllib.parse import quote

from remit.core.errors import RemitError
from remit.core.resource import split
from remit.core.step import Step
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung, late, unknown
from remit.custody.sources.rest import Answer, Api, after, unbounded, unset
from remit.custody.sources.static import HeaderShape, VariableShape

KIND: Final = "openbao"
MOST: Final = 5_000
"""Tokens that are looked through for names of ours."""
SAYS: Final = (
    "A token and a dynamic secret for each task, revoked at OpenBao and proven by asking it; what its engine does about"
    " open sessions is that engine's."
)
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+", re.ASCII)
_FIELD = re.compile(r"\{([a-z_]+)\}", re.ASCII)


@final
class OpenBaoSource:
    """One server. `owner` is the ledger whose tokens are told apart by it; `life` the longest of a lease, in ms."""

    def __init__(self, secret: Secret, owner: str, settings: Mapping[str, str], life: int) -> None:
        self._secret, self._owner, self._lists = secret, owner, settings.get("list") != "no"
        self._api = Api(KIND, "OpenBao", settings.get("address", ""), settings.get("ca_file", ""))
        self._namespace, role = settings.get("namespace", ""), settings.get("token_role", "")
        self._create = f"/v1/auth/token/create{'/' if role else ''}{quote(role, safe='')}"
        self._policies = [one for one in settings.get("policy", "").split(",") if one]
        self._paths = after(settings, "read.")
        self._variables = {VariableShape(name).name: text for name, text in after(settings, "env.").items()}
        self._headers = {name: _shape(name, text) for name, text in after(settings, "header.").items()}
        self._longest = 0 if self._lists else life
        self._made: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        if not self._policies or not self._paths or not all(map(_PATH.fullmatch, self._paths.values())):
            raise unset(KIND, "policy, and at least one read.KIND as the path of a dynamic secret")

    def describe(self) -> Description:
        """Say that OpenBao takes back what it gave."""
        return Description(KIND, Rung.PER_TASK, dynamic=True, revocable=True, says=SAYS, longest=self._longest)

    def mint(self, intent: Intent) -> Minted:
        """Make a token that says whose it is and ends with the lease, and read the secret with it."""
        path = self._path(intent.steps)
        if intent.left() <= 0:
            raise late()
        life = f"{max(1, intent.life // 1000)}s"
        meta = {**dict(intent.labels), "remit": self._owner, "name": intent.name}
        asked = {"policies": self._policies, "ttl": life, "explicit_max_ttl": life, "renewable": False, "meta": meta}
        answer = self._ask("POST", self._create, asked | {"display_name": intent.name, "no_default_policy": True})
        accessor, token = answer.text("auth", "accessor"), answer.text("auth", "client_token")
        if answer.status != 200 or not accessor or not token:
            raise self._api.declined(answer, "make a token")
        with self._lock:
            self._made.setdefault(intent.name, set()).add(accessor)
        minted = Minted(intent.name, intent.until, _sealed(accessor, "", {}))
        try:
            answer = self._ask("GET", f"/v1/{path}", token=token)
            data = answer.member("data")
            if answer.status != 200 or not answer.text("lease_id") or not isinstance(data, dict):
                raise self._api.declined(answer, "give a dynamic secret there")
            texts = {name: value for name, value in data.items() if isinstance(value, str)}
            minted = Minted(intent.name, intent.until, _sealed(accessor, answer.text("lease_id"), texts))
            self.lend(minted)
            if intent.left() <= 0:
                raise late()
        except RemitError:
            self.drop(minted)
            raise
        return minted

    def lend(self, minted: Minted) -> Lent:
        """What the settings say, with the secret's fields filled in; user and password where it has them."""
        if minted.secret is None:
            raise unknown()
        data: dict[str, str] = json.loads(minted.secret.reveal())["data"]
        environ = tuple((name, _filled(text, data)) for name, text in self._variables.items())
        headers = tuple((name, _filled(text, data)) for name, text in self._headers.items())
        password = Secret(data["password"].encode()) if "password" in data else None
        bare = tuple(Secret(value.encode()) for name, value in data.items() if name not in ("username", "password"))
        return Lent(headers, environ, data.get("username", "") if password else "", password, bare)

    def drop(self, minted: Minted) -> None:
        """Revoke the secret, and wait until its engine has done it; then the token that read it."""
        for accessor, lease in self._of(minted):
            if lease:
                answer = self._ask("POST", "/v1/sys/leases/revoke", {"lease_id": lease, "sync": True})
                if answer.status not in (200, 204) and not _unknown(answer, "lease"):
                    raise self._api.declined(answer, "revoke a secret")
            answer = self._ask("POST", "/v1/auth/token/revoke-accessor", {"accessor": accessor})
            if answer.status not in (200, 204) and not _unknown(answer, "accessor"):
                raise self._api.declined(answer, "revoke a token")

    def probe(self, minted: Minted) -> Gone:
        """Ask for the token and for the secret's lease. Only a server that knows neither any more has ended them."""
        if minted.secret is None and not self._lists:
            return Gone.UNKNOWN
        for accessor, lease in self._of(minted):
            if lease:
                answer = self._ask("POST", "/v1/sys/leases/lookup", {"lease_id": lease})
                if answer.status == 200:
                    return Gone.LIVE
                if not _unknown(answer, "lease"):
                    raise self._api.declined(answer, "look up a secret")
            if self._looked(accessor) is not None:
                return Gone.LIVE
        with self._lock:
            self._made.pop(minted.name, None)
        return Gone.GONE

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """The policies of its token, as OpenBao says."""
        found = [self._looked(accessor) for accessor, _ in self._of(minted)]
        listed = [answer.member("data", "policies") for answer in found if answer is not None]
        return tuple(sorted({f"policy {name}" for one in listed if isinstance(one, list) for name in one}))

    def found(self) -> tuple[str, ...]:
        """The names that its tokens carry for this ledger. Remit's own token is renewed at the same time."""
        answer = self._ask("POST", "/v1/auth/token/renew-self", {})
        if answer.status == 403:
            raise self._api.declined(answer, "know Remit's token")
        return tuple(sorted({name for name, _ in self._standing()})) if self._lists else ()

    def close(self) -> None:
        """Forget what was made."""
        with self._lock:
            self._made.clear()

    def _path(self, steps: tuple[Step, ...]) -> str:
        """The one secret that these steps need."""
        kinds = sorted({split(step.action)[1] for step in steps})
        missing = [one for one in kinds if one not in self._paths]
        if missing or not kinds:
            raise unbounded(KIND, "read", f"no secret is set for {missing[0] if missing else 'it'}")
        paths = {self._paths[one] for one in kinds}
        if len(paths) > 1:
            raise unbounded(KIND, "read", "its steps need several secrets")
        return paths.pop()

    def _of(self, minted: Minted) -> list[tuple[str, str]]:
        """The tokens of a lease, each with the secret's lease as far as it is known."""
        known: dict[str, str] = {}
        if minted.secret is not None:
            held = json.loads(minted.secret.reveal())
            known[held["accessor"]] = held["lease"]
        elif self._lists:
            known |= {accessor: "" for name, accessor in self._standing() if name == minted.name}
        with self._lock:
            known = dict.fromkeys(self._made.get(minted.name, ()), "") | known
        return sorted(known.items())

    def _standing(self) -> Iterator[tuple[str, str]]:
        """Name and accessor of each token of ours that stands there."""
        answer = self._ask("LIST", "/v1/auth/token/accessors")
        keys = answer.member("data", "keys")
        if answer.status != 200 or not isinstance(keys, list):
            raise self._api.declined(answer, "list tokens")
        if len(keys) > MOST:
            raise RemitError(
                "target_declined", f"OpenBao holds more than {MOST} tokens.", "Set list=no: what is lost then expires."
            )
        for accessor in map(str, keys):
            looked = self._looked(accessor)
            if looked is not None and looked.text("data", "meta", "remit") == self._owner:
                yield looked.text("data", "meta", "name"), accessor

    def _looked(self, accessor: str) -> Answer | None:
        """What OpenBao says of a token; None when it knows none of this accessor."""
        answer = self._ask("POST", "/v1/auth/token/lookup-accessor", {"accessor": accessor})
        if answer.status == 200:
            return answer
        if _unknown(answer, "accessor"):
            return None
        raise self._api.declined(answer, "look up a token")

    def _ask(self, method: str, path: str, sent: Mapping[str, object] | None = None, token: str = "") -> Answer:
        heads = {"X-Vault-Token": token or self._secret.reveal().decode().strip(), "X-Vault-Request": "true"}
        if self._namespace:
            heads["X-Vault-Namespace"] = self._namespace
        return self._api.ask(method, path, heads, sent=None if sent is None else dict(sent))


def _sealed(accessor: str, lease: str, data: Mapping[str, str]) -> Secret:
    return Secret(json.dumps({"accessor": accessor, "lease": lease, "data": dict(data)}).encode())


def _unknown(answer: Answer, what: str) -> bool:
    """Say whether OpenBao knows no such thing, in its own words: a refusal for another reason proves nothing."""
    said = answer.member("errors")
    told = said if isinstance(said, list) else []
    return answer.status in (400, 403, 404) and any(f"invalid {what}" in str(one) for one in told)


def _shape(name: str, text: str) -> str:
    HeaderShape(name, _FIELD.sub("{secret}", text, count=1))
    return text


def _filled(text: str, data: Mapping[str, str]) -> Secret:
    """A template with the secret's fields in it. Refuses a field that it has not."""
    missing = [name for name in _FIELD.findall(text) if name not in data]
    if missing:
        raise RemitError(
            "target_declined", f"The dynamic secret has no field {missing[0]}.", "Correct env.NAME or header.NAME."
        )
    value = _FIELD.sub(lambda match: data[match[1]], text)
    if any(ord(one) < 0x20 or ord(one) == 0x7F for one in value):
        raise RemitError("secret_unfit", "A field of the dynamic secret holds a control character.", "Look at OpenBao.")
    return Secret(value.encode())
