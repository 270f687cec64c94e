"""What is secret is never compared by `==`: its time would say where a guess goes wrong. Use core/same, or hmac.

A name is secret by its last word. What is compared all the same, and why that is no secret, stands in the list below.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.tree import modules

SECRET = re.compile(
    r"(?:^|[_\-. ])(?:secret|token|password|passwd|passphrase|nonce|csrf|cookie|verifier|challenge|signature|"
    r"authorization|bearer|ath|[acs]_hash|hash|mac|hmac|digest|thumb|thumbprint|jkt|x5t#s256|pem|otp|jwt|sid|raw_key|api_key)s?$",
    re.IGNORECASE,
)
AT_A_DOOR = re.compile(r"^(?:state|word|code|session)$")
"""Secret in what browsers and programs bring to `web` and to our clients of others, and nowhere else."""
DOORS = ("src/remit/web/", "src/remit/gateway/upstream/oauth/")
TEXT = {"encode", "decode", "reveal", "strip", "hex", "lower"}
"""Methods that give the same thing in another form."""
LOOKS = {"get", "one", "pop", "one_of", "field", "header"}
"""Functions that take something out by its name."""
PUBLIC = {
    "core/audit.py": (
        "digests(held['arguments'], unb64(held['salt'])) != one['args']", "b64(digest(text)) != record['digest']",
    ),
    "core/attestor.py": ("self.name == SECRET", "self.attestor == SECRET"),
    "control/attestor.py": ("one.attestor == SECRET",),
    "web/client.py": ("one.attestor == SECRET",),
    "cli/approvals.py": ("digest == one.shown",),
    "control/approval.py": ("one.digest == b64(call.digest)",),
    "control/consent.py": ("found.digest != shown",),
    "control/cosigner.py": ("witness.digest(origin) == digest",),
    "control/rerun.py": ("found.policy.digest == said.get('policy')",),
    "control/policy.py": ("b64(digest(json.loads(body))) != record.digest", "before.digest != found"),
    "core/call.py": ("b64(found) != digest", "b64(call.digest) == digest"),
    "store/migrate.py": ("(name, digest) != (known.name, known.digest)",),
    "web/access_request.py": ("b64(asked.call.digest) != one.digest",),
    "web/console/asks.py": ("digest != now_is.shown",),
    "gateway/enforce.py": ("permit.digest != state.call.digest",),
    "custody/token.py": ("key.public.thumbprint != proved.thumbprint",),
    "gateway/serve/session.py": ("self.thumb == entry.thumb",),
    "web/console/connections.py": (
        "one.token != begun.token",
        "(found.person, found.session, found.resource) != (who.person.id, who.session.id, resource)",
    ),
    "web/oauth/authorize.py": ("held.session != who.session.id",),
    "control/resource.py": ("before.secret == after.secret", "made.secret == name"),
    "control/target.py": ("mine == (resource.minting, resource.upstream, secret)",),
    "custody/root.py": ("self.key == Secret(bytes(SIZE))",),
}  # fmt: skip
"""Digests of calls, plans, pages, policies and logs, which everybody may know; names of constants, endpoints and stored
secrets; thumbs of public keys; ids of sessions, which open nothing; and values of `Secret`, which compares itself in
constant time."""


def label(node: ast.expr) -> str:
    """What the value of an expression is called."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Subscript(value=held):
            return label(held)
        case ast.Call(func=ast.Attribute(value=held, attr=method)) if method in TEXT:
            return label(held)
        case ast.Call(func=ast.Attribute(attr=method) | ast.Name(id=method), args=args):
            named = [one.value for one in args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            return named[0] if method in LOOKS and named else method
        case ast.BinOp(left=left, right=right):
            return f"{label(left)} {label(right)}"
        case _:
            return ""


def compared(where: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not all(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(one, ast.Constant) for one in sides):
            continue
        if any(secret(where, label(one)) for side in sides for one in parts(side)):
            yield ast.unparse(node)


def parts(side: ast.expr) -> list[ast.expr]:
    return side.elts if isinstance(side, ast.Tuple | ast.List) else [side]


def secret(where: str, name: str) -> bool:
    return bool(SECRET.search(name)) or (where.startswith(DOORS) and bool(AT_A_DOOR.match(name)))


def test_no_secret_is_compared_by_a_time_that_tells():
    found = [
        f"{where}: {text}"
        for where, tree in modules().items()
        for text in compared(where, tree)
        if text not in PUBLIC.get(where.removeprefix("src/remit/"), ())
    ]
    assert not found, f"Compare it by core/same or hmac.compare_digest, or name why it is public: {found}"


def test_what_is_named_as_public_is_still_compared():
    for where, texts in PUBLIC.items():
        assert set(texts) <= set(compared(f"src/remit/{where}", modules()[f"src/remit/{where}"])), where


@pytest.mark.parametrize(
    "text",
    [
        "said.get('state') == state", "one.token != shown", "body['nonce'] == asked", "password == held.reveal()",
        "token.encode() == secret", "one_of(form, 'word') != who.word", "b64(x) == found.client_secret",
        "(a, code) == (b, held)", "headers.get('authorization') == 'Bearer ' + key",
    ],
)  # fmt: skip
def test_a_secret_that_is_compared_is_seen(text):
    assert list(compared("src/remit/web/new.py", ast.parse(text)))
