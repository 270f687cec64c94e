"""Kubernetes: for each task and path a service account of its own, bound to the roles of its steps, and a token of it.

The secret is the bearer token of Remit's own service account. Settings: `address`, `namespace`, for each kind of action
`role.KIND` = `Role/NAME` or `ClusterRole/NAME` (with commas between), and optional: `ca_file`, `audience`, and
`variable`, where a program that Remit runs looks for the token. A token cannot be revoked by itself; it ends with the
service account that it is bound to, once the API server no longer remembers it (up to ten seconds, as it comes).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, final
from urllib.parse import urlencode

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.resource import split
from remit.core.step import Step
from remit.custody.secret import Secret
from remit.custody.source import Description, Gone, Intent, Lent, Minted, Rung, bearer, late, unknown
from remit.custody.sources.rest import Answer, Api, after, unbounded, unset
from remit.custody.sources.static import VariableShape

KIND: Final = "kubernetes"
SHORTEST_S: Final = 600
"""Kubernetes gives no shorter token."""
PAGE: Final = "500"
RBAC: Final = "rbac.authorization.k8s.io"
LEDGER: Final = "remit/ledger"
LEASE: Final = "remit/lease"
SAYS: Final = (
    "A service account for each task and path, bound to the roles of its steps. Its token ends with the account, and"
    " that is proven by a token review."
)
_PART = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_ROLE = re.compile(r"(Role|ClusterRole)/([A-Za-z0-9:.-]{1,253})", re.ASCII)


@final
class KubernetesSource:
    """One namespace of one cluster. `owner` is the ledger whose accounts are told apart by a label."""

    def __init__(self, secret: Secret, owner: str, settings: Mapping[str, str]) -> None:
        self._secret, self._owner = secret, hashlib.sha256(owner.encode()).hexdigest()[:32]
        self._api = Api(KIND, "Kubernetes", settings.get("address", ""), settings.get("ca_file", ""))
        self._audiences: list[Json] = [one for one in settings.get("audience", "").split(",") if one]
        variable = settings.get("variable", "")
        self._variable = VariableShape(variable).name if variable else ""
        roles = after(settings, "role.")
        self._roles = {kind: tuple(map(_role, text.split(","))) for kind, text in roles.items()}
        space = settings.get("namespace", "")
        if not self._roles or not _PART.fullmatch(space):
            raise unset(KIND, "namespace, and at least one role.KIND")
        self._space = space
        self._accounts = f"/api/v1/namespaces/{space}/serviceaccounts"
        self._bindings = f"/apis/{RBAC}/v1/namespaces/{space}/rolebindings"

    def describe(self) -> Description:
        """Say that a token ends with its account. Shown against a server of the tests' own: partial."""
        return Description(KIND, Rung.PER_TASK, dynamic=True, revocable=True, says=SAYS, shown="partial")

    def mint(self, intent: Intent) -> Minted:
        """Make the account, then what it may do, then its token: what comes late has nothing to hold on to."""
        roles = self._wanted(intent.steps)
        if intent.left() <= 0:
            raise late()
        meta = self._meta(intent)
        account: dict[str, Json] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
        account["automountServiceAccountToken"] = False
        answer = self._ask("POST", self._accounts, account)
        if answer.status == 409:
            # An earlier try of this very mint came through and its answer did not: its token ends with the account.
            self._end(intent.name)
            answer = self._ask("POST", self._accounts, account)
        if answer.status != 201:
            raise self._api.declined(answer, "make a service account")
        try:
            for number, role in enumerate(roles):
                self._bind(meta, number, role)
            token, ends = self._token(intent)
            if intent.left() <= 0:
                raise late()
        except RemitError:
            self._end(intent.name)
            raise
        return Minted(intent.name, Instant(min(intent.until, ends)), Secret(token.encode()), None, ends)

    def lend(self, minted: Minted) -> Lent:
        """The Authorization header, and the variable of a program that Remit runs for the task."""
        if minted.secret is None:
            raise unknown()
        return bearer(minted.secret, self._variable)

    def drop(self, minted: Minted) -> None:
        """Delete the account, and with it its tokens; then what it was bound to."""
        self._end(minted.name)

    def probe(self, minted: Minted) -> Gone:
        """Let the API server review the token, then look for the account. Only both together are an end."""
        if minted.secret is not None:
            spec: dict[str, Json] = {"token": minted.secret.reveal().decode()}
            if self._audiences:
                spec["audiences"] = self._audiences
            review: dict[str, Json] = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
            answer = self._ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)
            if answer.status not in (200, 201) or not isinstance(answer.member("status"), dict):
                raise self._api.declined(answer, "review a token")
            if answer.member("status", "authenticated") is True:
                return Gone.LIVE
        answer = self._ask("GET", f"{self._accounts}/{_dashed(minted.name)}")
        if answer.status not in (200, 404):
            raise self._api.declined(answer, "show a service account")
        return Gone.GONE if answer.status == 404 else Gone.LIVE

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """The roles that the account is bound to, as Kubernetes says."""
        found = self._listed(self._bindings, f"{LEASE}={_dashed(minted.name)}")
        roles = [one.get("roleRef") for one in found]
        named = {f"{one.get('kind')} {one.get('name')} in {self._space}" for one in roles if isinstance(one, dict)}
        return tuple(sorted(named))

    def found(self) -> tuple[str, ...]:
        """The names of the accounts that carry this ledger's label."""
        metas = [one.get("metadata") for one in self._listed(self._accounts, f"{LEDGER}={self._owner}")]
        names = [one.get("name") for one in metas if isinstance(one, dict)]
        return tuple(sorted(one.replace("-", "_") for one in names if isinstance(one, str)))

    def close(self) -> None:
        """Forget the token."""
        self._secret = Secret(b"")

    def _wanted(self, steps: tuple[Step, ...]) -> list[tuple[str, str]]:
        kinds = sorted({split(step.action)[1] for step in steps})
        missing = [one for one in kinds if one not in self._roles]
        if missing or not kinds:
            raise unbounded(KIND, "role", f"no role is set for {missing[0] if missing else 'it'}")
        return sorted({role for kind in kinds for role in self._roles[kind]})

    def _meta(self, intent: Intent) -> dict[str, Json]:
        name, labels = _dashed(intent.name), json.dumps(dict(intent.labels), sort_keys=True)
        return {
            "name": name,
            "namespace": self._space,
            "labels": {"app.kubernetes.io/managed-by": "remit", LEDGER: self._owner, LEASE: name},
            "annotations": {"remit/task": intent.task, "remit/path": intent.path.value, "remit/labels": labels},
        }

    def _bind(self, meta: dict[str, Json], number: int, role: tuple[str, str]) -> None:
        kind, name = role
        binding: dict[str, Json] = {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {**meta, "name": f"{meta['name']}-{number}"},
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": meta["name"], "namespace": self._space}],
        }
        answer = self._ask("POST", self._bindings, binding)
        if answer.status != 201:
            raise self._api.declined(answer, f"bind {kind} {name}")

    def _token(self, intent: Intent) -> tuple[str, Instant]:
        seconds = max(SHORTEST_S, -(-intent.life // 1000))
        spec: dict[str, Json] = {"expirationSeconds": seconds}
        if self._audiences:
            spec["audiences"] = self._audiences
        asked: dict[str, Json] = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        answer = self._ask("POST", f"{self._accounts}/{_dashed(intent.name)}/token", asked)
        token, ends = answer.text("status", "token"), _instant(answer.text("status", "expirationTimestamp"))
        if answer.status != 201 or not token or ends is None:
            raise self._api.declined(answer, "give a token")
        return token, ends

    def _end(self, name: str) -> None:
        answer = self._ask("DELETE", f"{self._accounts}/{_dashed(name)}")
        if answer.status not in (200, 202, 404):
            raise self._api.declined(answer, "delete a service account")
        chosen = urlencode({"labelSelector": f"{LEASE}={_dashed(name)}"})
        answer = self._ask("DELETE", f"{self._bindings}?{chosen}")
        if answer.status not in (200, 202, 404):
            raise self._api.declined(answer, "delete role bindings")

    def _listed(self, place: str, label: str) -> list[dict[str, Json]]:
        found: list[dict[str, Json]] = []
        asked = {"labelSelector": label, "limit": PAGE}
        while True:
            answer = self._ask("GET", f"{place}?{urlencode(asked)}")
            if answer.status != 200:
                raise self._api.declined(answer, "list what is ours")
            found += answer.objects("items")
            following = answer.text("metadata", "continue")
            if not following:
                return found
            asked["continue"] = following

    def _ask(self, method: str, path: str, sent: dict[str, Json] | None = None) -> Answer:
        return self._api.ask(
            method, path, {"authorization": f"Bearer {self._secret.reveal().decode().strip()}"}, sent=sent
        )


def _dashed(name: str) -> str:
    """A name of ours as Kubernetes takes it: ids hold no dash, so that it can be turned back."""
    return name.replace("_", "-")


def _role(text: str) -> tuple[str, str]:
    match = _ROLE.fullmatch(text.strip())
    if match is None:
        raise unset(KIND, "role.KIND as Role/NAME or ClusterRole/NAME")
    return match[1], match[2]


def _instant(text: str) -> Instant | None:
    try:
        return Instant(int(datetime.fromisoformat(text).timestamp() * 1000))
    except ValueError:
        return None
