"""An API server as far as the Kubernetes source asks one: a stand-in, written from the API's reference. Partial.

Accounts, role bindings, token requests and reviews. A token counts while the account that it was made for stands there
under the same uid, as with Kubernetes. Nothing is allowed or refused by RBAC. The official client drives the same
server in `tests/peers/test_stand_ins.py`, and reads the source's requests by its own models.
"""

import re
import secrets
import threading
from datetime import UTC, datetime, timedelta

from tests.kit.answering import Answering, Asked

ADMIN = "token-of-remits-own-account"
_PLACES = re.compile(
    r"/(?:api/v1|apis/rbac\.authorization\.k8s\.io/v1)/namespaces/([a-z0-9-]+)/(serviceaccounts|rolebindings)"
    r"(?:/([a-z0-9.-]+))?(/token)?"
)
KINDS = {
    "serviceaccounts": ("v1", "ServiceAccount"),
    "rolebindings": ("rbac.authorization.k8s.io/v1", "RoleBinding"),
}
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


class Kubernetes:
    """`objects` by kind, namespace and name; `tokens` by what they say. `seen` holds every request."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], dict] = {}
        self.tokens: dict[str, tuple[str, str, str, list[str], datetime]] = {}
        self._lock = threading.Lock()
        self._server = Answering(self._answer)
        self.url, self.seen = self._server.url, self._server.seen

    def close(self) -> None:
        self._server.close()

    def user(self, token: str, audiences: list[str]) -> str:
        """Whose token this is now; empty for one that lets nobody in."""
        space, name, uid, said, ends = self.tokens.get(token, ("", "", "", [], datetime.now(UTC)))
        there = self.objects.get(("serviceaccounts", space, name))
        if there is None or there["metadata"]["uid"] != uid or datetime.now(UTC) >= ends:
            return ""
        return f"system:serviceaccount:{space}:{name}" if {*said} & {*audiences} else ""

    def _answer(self, asked: Asked) -> tuple[int, dict]:
        with self._lock:
            if asked.bearer != ADMIN:
                return _status(401, "Unauthorized")
            if asked.path == REVIEWS and asked.method == "POST":
                return self._review(asked.json)
            match = _PLACES.fullmatch(asked.path)
            if match is None or (match[2] == "serviceaccounts") != asked.path.startswith("/api/v1"):
                return _status(404, "NotFound")
            space, kind, name, token = match.groups()
            if token:
                return (
                    self._token(space, name, asked.json) if asked.method == "POST" else _status(405, "MethodNotAllowed")
                )
            if name is None:
                return self._all(space, kind, asked)
            there = self.objects.get((kind, space, name))
            if there is None:
                return _status(404, "NotFound")
            if asked.method == "DELETE":
                del self.objects[kind, space, name]
            return 200, there

    def _all(self, space: str, kind: str, asked: Asked) -> tuple[int, dict]:
        if asked.method == "POST":
            return self._made(space, kind, asked.json)
        label, _, value = asked.query.get("labelSelector", "").partition("=")
        mine = [
            (key, one)
            for key, one in sorted(self.objects.items())
            if key[:2] == (kind, space) and (not label or one["metadata"].get("labels", {}).get(label) == value)
        ]
        if asked.method == "DELETE":
            for key, _ in mine:
                del self.objects[key]
        version, word = KINDS[kind]
        start = int(asked.query.get("continue") or 0)
        most = int(asked.query.get("limit") or 0) or len(mine) or 1
        meta = {"resourceVersion": "1"} | ({"continue": str(start + most)} if start + most < len(mine) else {})
        items = [one for _, one in mine[start : start + most]]
        return 200, {"apiVersion": version, "kind": f"{word}List", "metadata": meta, "items": items}

    def _made(self, space: str, kind: str, said: dict) -> tuple[int, dict]:
        version, word = KINDS[kind]
        said = {"apiVersion": version, "kind": word} | said
        name = said["metadata"]["name"]
        if (
            (said["apiVersion"], said["kind"]) != KINDS[kind]
            or len(name) > 253
            or not re.fullmatch(r"[a-z0-9.-]+", name)
        ):
            return _status(422, "Invalid")
        labels = said["metadata"].get("labels", {})
        if any(len(value) > 63 or not re.fullmatch(r"[A-Za-z0-9._-]*", value) for value in labels.values()):
            return _status(422, "Invalid")
        if (kind, space, name) in self.objects:
            return _status(409, "AlreadyExists")
        meta = said["metadata"] | {
            "namespace": space,
            "uid": secrets.token_hex(8),
            "creationTimestamp": _text(datetime.now(UTC)),
        }
        self.objects[kind, space, name] = said | {"metadata": meta}
        return 201, self.objects[kind, space, name]

    def _token(self, space: str, name: str, said: dict) -> tuple[int, dict]:
        there = self.objects.get(("serviceaccounts", space, name))
        if there is None:
            return _status(404, "NotFound")
        seconds = said["spec"].get("expirationSeconds", 3600)
        if seconds < 600:
            return _status(422, "Invalid")
        audiences = said["spec"].get("audiences") or ["api"]
        token, ends = secrets.token_urlsafe(24), datetime.now(UTC) + timedelta(seconds=seconds)
        self.tokens[token] = (space, name, there["metadata"]["uid"], audiences, ends)
        status = {"token": token, "expirationTimestamp": _text(ends)}
        return 201, said | {"spec": said["spec"] | {"audiences": audiences}, "status": status}

    def _review(self, said: dict) -> tuple[int, dict]:
        audiences = said["spec"].get("audiences") or ["api"]
        user = self.user(said["spec"]["token"], audiences)
        status = {"authenticated": True, "user": {"username": user}, "audiences": audiences} if user else {
            "user": {}, "error": "invalid bearer token"
        }  # fmt: skip
        return 201, said | {"status": status}


def _status(code: int, reason: str) -> tuple[int, dict]:
    return code, {"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": reason, "code": code}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
