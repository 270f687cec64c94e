"""Google's token endpoint and its STS as far as downscoping asks them: a stand-in, written from the reference. Partial.

It checks the account's assertion and the form of the boundary, and holds nothing of what a boundary would hold.
Google's own client asks the same server in `tests/peers/test_stand_ins.py`.
"""

import json
import secrets
from urllib.parse import unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.kit.answering import Answering, Asked

ACCOUNT = "agents@shop.iam.gserviceaccount.com"
OWN = "https://oauth2.googleapis.com/token"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
BUCKETS = "//storage.googleapis.com/projects/_/buckets/"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


class Google:
    """`whole` are the account's own tokens, `narrow` the downscoped ones with their boundaries."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self.whole: set[str] = set()
        self.narrow: dict[str, dict] = {}
        self._server = Answering(self._answer)
        self.url, self.seen = self._server.url, self._server.seen

    def close(self) -> None:
        self._server.close()

    def key(self) -> str:
        """The account's key file."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        said = {"type": "service_account", "client_email": ACCOUNT, "private_key": pem.decode(), "private_key_id": "1"}
        return json.dumps(said | {"token_uri": f"{self.url}/token", "project_id": "shop", "client_id": "1"})

    def _answer(self, asked: Asked) -> tuple[int, dict]:
        if (asked.method, asked.path, asked.form.get("grant_type")) == ("POST", "/token", JWT):
            return self._own(asked.form)
        if (asked.method, asked.path, asked.form.get("grant_type")) == ("POST", "/v1/token", EXCHANGE):
            return self._exchanged(asked.form)
        return 404, {"error": "not_found"}

    def _own(self, form: dict[str, str]) -> tuple[int, dict]:
        try:
            public = RSAKey.import_key(self._key.public_key())
            claims = jwt.decode(form["assertion"], public, algorithms=["RS256"]).claims
        except Exception:  # noqa: BLE001 - whatever it is, it is no assertion of this account
            return 400, {"error": "invalid_grant"}
        if claims["iss"] != ACCOUNT or claims["aud"] not in (f"{self.url}/token", OWN) or not claims["scope"]:
            return 400, {"error": "invalid_grant"}
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self.whole.add(token)
        return 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def _exchanged(self, form: dict[str, str]) -> tuple[int, dict]:
        types = (form.get("subject_token_type"), form.get("requested_token_type"))
        try:
            rules = json.loads(unquote(form["options"]))["accessBoundary"]["accessBoundaryRules"]
            known = {"availableResource", "availablePermissions", "availabilityCondition"}
            formed = 0 < len(rules) <= 10 and all(
                set(one) <= known and one["availableResource"].startswith(BUCKETS)
                and all(role.startswith("inRole:roles/") for role in one["availablePermissions"]) for one in rules
            )  # fmt: skip
        except (ValueError, KeyError, TypeError):
            formed = False
        if not formed or types != (ACCESS, ACCESS) or form.get("subject_token") not in self.whole:
            return 400, {"error": "invalid_request"}
        token = f"ya29.d.{secrets.token_urlsafe(24)}"
        self.narrow[token] = {"rules": rules}
        return 200, {"access_token": token, "issued_token_type": ACCESS, "token_type": "Bearer"}
