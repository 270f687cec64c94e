"""TypeScript that acts with a person's token and with a service's own credential, and keeps none apart (AG151). Pure.

What keeps them apart is a function, a tool's handler or a class of its own, as in Python; what a module keeps under a
name counts where the name is used. The nodes of one graph are one workflow.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from typing import Final

from remit.core.finding import Kind
from remit.scan import mixed, tsobject
from remit.scan.launch import Told
from remit.scan.node import line_at
from remit.scan.sight import Holder, Pair, is_credential

_WHO: Final = r"(?:user|person|caller|delegated|customer|member|employee|end_?user)"
_PERSON: Final = re.compile(
    r"headers\.get\(\s*[\"']authorization[\"']\s*\)|headers\??\.authorization\b"
    r"|headers\??\.?\[[\"']authorization[\"']\]"
    rf"|(?<!env\.)\b{_WHO}s?_?(?:(?:access|oauth2?|auth|id|session|bearer|graph|slack|github|google|refresh|api"
    rf"|jira)_?){{0,2}}(?:token|jwt|pat)\b"
    r"|session\??\.(?:access_?token|provider_token|user\??\.(?:access_?)?token)"
    r"|\bonBehalfOf|acquireTokenOnBehalfOf|\bauthInfo\??\.(?:token|access_?token)\b"
    r"|\bcreateServer(?:Component)?Client\("
    r"|\bcreate(?:RouteHandler|ServerAction|ServerSupabase)Client\("
    r"|\b(?:req|request|ctx|context|c)\??\.(?:user|auth)\??\.(?:access_?)?token\b"
    r"|\b(?:account|jwt|person|user)\??\.(?:access_?|oauth_?)?token\b|\btoken\??\.access_?token\b|\bgetAccessToken\("
    r"|\bheaders?\(\s*[\"']authorization[\"']\s*\)|\bgetUserOauth\w{0,20}\(|(?<![.\w])getToken\("
    r"|\bx-(?:user|forwarded)-(?:access-)?token\b|InteractiveBrowserCredential|DeviceCodeCredential"
    r"|AuthorizationCodeCredential|acquireToken(?:Interactive|Silent|ByCode|ByDeviceCode)\b"
    r"|\b(?:req|request|c\.req)\.(?:get|header)\(\s*[\"']authorization[\"']|\.setCredentials\("
    r"|\bcreateOAuth(?:User|Device)Auth\b|\bsubject_token\b",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(
    r"\b(?!bot|service|system|machine)[a-z]\w{0,30}(?:User|Person|Caller|Customer|Member)(?:Access|OAuth|Id"
    r"|Session|Refresh|Api){0,2}(?:Token|Jwt|Pat)\b"
)
_SERVES: Final = re.compile(
    r"\bcreateAppAuth\b|\bacquireTokenByClientCredential\b|\bgetInstallationOctokit\b|\bclient_credentials\b"
    r"|\bnew\s+(?:\w+\.)?(?:ClientSecret|ClientCertificate|ManagedIdentity|DefaultAzure|WorkloadIdentity)Credential\b"
    r"|\bget(?:Firestore|Storage|Database)\(\s*\)|\badmin\.(?:firestore|storage|database)\(\s*\)"
    r"|\bnew\s+(?:google\.auth\.)?(?:JWT|GoogleAuth)\(|\bkeyFile(?:name)?\s*:|\b(?:bot|service|svc|system|machine"
    r"|m2m|backend)"
    r"_?(?:account_?)?(?:access_?|api_?|role_?)?(?:[tT]oken|[kK]ey|[sS]ecret|[jJ]wt)\b"
    r"|\b(?:bot|service|svc|system|machine|m2m|backend)(?:Account|Access|Api|API|Role)*(?:Token|Key|Secret"
    r"|Credentials?|Jwt|JWT)\b"
)
"""What logs a service in as itself."""
_ENV: Final = re.compile(r"\benv\??\.(?:get\(\s*[\"'])?([A-Z][A-Z0-9_]{2,60})\b|\benv\[[\"'](\w+)[\"']\]")
"""A variable that is read: of Node, of Deno and Bun, of a worker, of a schema."""
_LOGS_IN: Final = re.compile(
    r"InteractiveBrowserCredential|DeviceCodeCredential|AuthorizationCodeCredential|\.setCredentials\(\s*\{"
    r"|\bcreateOAuth(?:User|Device)Auth\b"
)
"""What logs a person in, wherever it stands."""
_GRANT: Final = re.compile(
    r"\bsubject_token\b|\buser_?[aA]ssertion\b|\brefresh_token\b|\bauthorization_code\b"
    r"|\b(?:OnBehalfOfCredential|acquireTokenOnBehalfOf|auth\.OAuth2|OAuth2Client)\s*\(\s*(?=.)"
)
"""What stands where a person's token is asked for: what the service proves itself with there is of the same grant."""
_BODY: Final = re.compile(
    r"\bfunction\b[^({]{0,200}\([^)]{0,2000}\)[^{;]{0,300}(?=\{)|=>\s{0,20}|\bclass\s[^{;]{1,300}(?=\{)"
    r"|(?<=\n)[ \t]*(?:(?:public|private|protected|static|async|override)\s+)*(?!(?:if|for|while|switch|catch|with)\b)"
    r"[\w$#]+\s*\([^()]{0,500}(?:\([^()]{0,100}\)[^()]{0,200})?\)\s*(?::\s*[^{};=\n]{0,120})?(?=\{)"
)
_TYPE: Final = re.compile(r"\s*>+\s*(?=\{)")
"""What stands between the braces of a function's type and its body."""
_BRACKETS: Final = re.compile(r"[{}()\[\];,]")
_VALUE: Final = re.compile(
    r"(?:\b(?:const|let|var|readonly|private|public)\s+|\bthis\.)(\w+)\s*(?::[^=;\n]{0,80})?=\s*"
    r"(?!\{|(?:async\s*)?(?:\([^()]{0,300}\)|\w+)\s*(?::[^={;]{0,80})?=>)"
)
"""A name that a value is kept under: no object, whose members are not all alike, and no function."""
_REGISTERS: Final = re.compile(
    r"\.(?:registerTool|addTool|tool)\s*(?:<[^<>]{0,80}>)?\(|\.(?:get|post|put|patch|delete"
    r"|on)\(\s*[\"'`]/?\w"
)
_NODE: Final = re.compile(r"\.(?:addNode\(\s*[\"'`][\w-]+[\"'`]\s*,\s*|(?:then|step)\(\s*)(\w*)")
_GRAPHS: Final = re.compile(r"\bStateGraph\b|\bcreateWorkflow\(")
_MOST: Final = 300
"""Functions, names and places of one file that are looked at."""

Span = tuple[int, int]
Named = dict[str, re.Pattern[str] | None]


class _File:
    """Where a text uses a person's token, and where a service's own credential. Owned by one reading."""

    def __init__(self, text: str, *, agents: bool) -> None:
        self.text = text
        env = [(one.start(), sort) for one in islice(_ENV.finditer(text), _MOST) if (sort := _sort(one))]
        logins = [one.start() for one in _LOGS_IN.finditer(text)]
        self.logged_in = _kept(*logins, *(at for at, sort in env if sort == "person"))
        said = {one.start() for shape in (_PERSON, _CAMEL) for one in shape.finditer(text)}
        self.given = _kept(*(said - {*self.logged_in}))
        self.own: list[int] = []
        self.any: list[int] = []
        if self.given or self.logged_in:
            bare = _less_proofs(text)
            env = [(one.start(), sort) for one in islice(_ENV.finditer(bare), _MOST) if (sort := _sort(one))]
            serves = [one.start() for one in _SERVES.finditer(bare)]
            self.own = _kept(*serves, *(at for at, sort in env if sort == "service"))
            self.any = _kept(*self.own, *(at for at, sort in env if sort == "secret" and agents))


def _kept(*found: int) -> list[int]:
    return sorted(set(found))[:_MOST]


def may(text: str) -> bool:
    """Say whether code that has nothing to do with agents may act with both: quickly, before its comments are blank."""
    if not _FEW.search(text) or not _OWN.search(text):
        return False
    return bool(_PERSON.search(text) or _CAMEL.search(text) or "USER" in text)


_FEW: Final = re.compile(r"(?i)authorization|token|createEnv")
_OWN: Final = re.compile(
    r"(?i)(?:bot|service|svc|system|machine|app|m2m|backend|integration|robot|admin)_?\w*_?(?:token|key|secret"
    r"|credential)|credential\b|firestore"
)


def told(text: str, *, agents: bool = True) -> Iterator[Told]:
    """Functions, classes and graphs that act with both; and a module whose own lines do.

    In code that has nothing to do with agents, it is a service's credential only by its name or its login.
    """
    text = text.replace("!.", "?.")
    yield from _schemas(text)
    file = _File(text, agents=agents)
    if not file.any:
        return
    servers = _servers(text)
    apart = [span for one in servers for span in one]
    bodies = [*islice(_bodies(text, 0, len(text)), _MOST)]
    module = _outside((0, len(text)), [*bodies, *apart])
    both = _both(file, module, strict=True)
    found = [both] if both else []
    found += [at for one in servers if (at := _both(file, one))]
    named = _names(file, module) if not both else None
    for one in bodies:
        found += _unit(file, one, apart, named)
    if not found:
        spans = [span for one in _NODE.finditer(text) for span in _called(text, one, bodies)]
        flows = [spans] if spans and _GRAPHS.search(text) else []
        found = [at for one in (*flows, *_agents(text, bodies)) if (at := _both(file, one))][:1]
    for at in dict.fromkeys(found):
        yield (
            Kind.MIXED,
            line_at(text, at - 1),
            "it acts with a person's token and with the service's own credential",
        )


def _unit(file: _File, body: Span, apart: list[Span], named: Named | None) -> Iterator[int]:
    """A function, or a class: as a whole, or by the handlers or methods that it is made of."""
    text = file.text
    head = text[max(0, body[0] - 300) : body[0]]
    is_class = re.search(r"\bclass\s[^{;]*$", head)
    if not is_class and len([*islice(_REGISTERS.finditer(text, *body), 2)]) < 2:
        both = _both(file, _outside(body, apart), named)
        yield from [both] if both else []
        return
    inner = [one for one in islice(_bodies(text, body[0] + 1, body[1]), _MOST) if not _constructs(text, one)]
    base = _outside(body, [*inner, *apart])
    both = _both(file, base, named)
    if both:
        yield both
        return
    mine = _names(file, base)
    for one in inner:
        both = _both(file, _outside(one, apart), named) or _both(file, _outside(one, apart), mine)
        yield from [both] if both else []


def _constructs(text: str, body: Span) -> bool:
    return bool(re.search(r"\bconstructor\s*\([^{}]*$", text[max(0, body[0] - 600) : body[0]]))


def _both(file: _File, spans: list[Span], named: Named | None = None, *, strict: bool = False) -> int:
    """Where, from 1, these spans use a person's token, when they use a service's credential too; else 0.

    `strict` is for what a module keeps, where its name or a login must say whose each credential is. That of a service
    is told so too beside a person's that only its name tells.
    """
    seen = -1 if strict else _within(file.given, spans)
    person = seen if seen >= 0 else _within(file.logged_in, spans)
    service = _within(file.any if seen >= 0 else file.own, spans)
    if person >= 0 and (service >= 0 or (named and _uses(file.text, named["service"], spans))):
        return person + 1
    if named and person < 0 <= service and _uses(file.text, named["person"], spans):
        return service + 1
    return 0


def _within(places: list[int], spans: list[Span]) -> int:
    """The first of the places that lies in one of the spans; -1 when none does."""
    for start, end in spans:
        at = bisect_left(places, start)
        if at < len(places) and places[at] < end:
            return places[at]
    return -1


def _uses(text: str, names: re.Pattern[str] | None, spans: list[Span]) -> bool:
    return names is not None and any(names.search(text, *span) for span in spans)


def _names(file: _File, spans: list[Span]) -> Named:
    """The names under which spans keep what is a person's, and what is a service's: a client, a token."""
    found: dict[str, list[str]] = {"person": [], "service": []}
    for span in spans:
        for one in islice(_VALUE.finditer(file.text, *span), _MOST):
            whole = [(one.end(), _ends(file.text, one.end(), span[1], ";"))]
            person, service = _within(file.logged_in, whole) >= 0, _within(file.own, whole) >= 0
            if person != service:
                found["person" if person else "service"].append(one[1])
    return {
        sort: re.compile(rf"(?<![\w$])(?:{'|'.join(map(re.escape, names[:50]))})(?=\s*[.(,)}}])") if names else None
        for sort, names in found.items()
    }


def _sort(one: re.Match[str]) -> str:
    """Whose credential a variable that is read holds: a person's, a service's, a secret of whomever, or none."""
    name = one[1] or one[2]
    sort = mixed.sort_of(Pair(name, "${" + name + "}", 1))
    if sort:
        return sort
    return "secret" if is_credential(name) and mixed.may_be_own(name) else ""


def _bodies(text: str, start: int, end: int) -> Iterator[Span]:
    """The bodies of the functions and classes of a part of a text, the outermost ones."""
    past = start
    for begun in _BODY.finditer(text, start, end):
        at = begun.end()
        if begun.start() < past or at >= end:
            continue
        braced = text[at] == "{"
        past = _ends(text, at, end, "}" if braced else ",;")
        while braced and (more := _TYPE.match(text, past, end)):
            past = _ends(text, more.end(), end, "}")
        yield at, past


def _ends(text: str, at: int, end: int, marks: str) -> int:
    """Where what begins here ends: with its own brace, at a mark that stands in no bracket, or with what holds it."""
    left = 0
    for one in _BRACKETS.finditer(text, at, end):
        if one[0] in "{([":
            left += 1
        elif one[0] in "})]":
            left -= 1
            if left < 0:
                return one.start()
            if left == 0 and one[0] in marks:
                return one.end()
        elif left == 0 and one[0] in marks:
            return one.start()
    return end


def _outside(whole: Span, holes: list[Span]) -> list[Span]:
    """The parts of a span that lie in none of the holes."""
    found, past = [], whole[0]
    for start, end in sorted(holes):
        if end <= whole[0] or start >= whole[1]:
            continue
        if start > past:
            found.append((past, start))
        past = max(past, end)
    return [*found, (past, whole[1])] if past < whole[1] else found


def _servers(text: str) -> list[list[Span]]:
    """For each server the lines on which it is given its variables and headers: it is a holder of its own."""
    each = [
        {one.line for key in _HANDED for one in (part[key], *part[key].members.values()) if one.line}
        for root in tsobject.objects(text)
        for part in root.inside()
        if {"command", "url", "serverUrl", "server_url"} & part.members.keys() and "method" not in part.members
    ]
    begins = [0, *(one.end() for one in re.finditer(r"\n", text)), len(text) + 1] if any(each) else []
    return [[(begins[line - 1], begins[line] - 1) for line in sorted(lines)] for lines in each if lines]


_HANDED: Final = ("env", "headers", "authorization")


def _agents(text: str, bodies: list[Span]) -> Iterator[list[Span]]:
    """For each agent the bodies of the tools that it is given by their names: they are one workflow."""
    for root in tsobject.objects(text):
        for part in root.inside():
            given = part["tools"]
            names = [one.text[2:-1] for one in (*given.items, *given.members.values()) if one.text.startswith("${")]
            spans = [span for name in names if name.isidentifier() for span in _kept_under(text, name, bodies)]
            if len(names) > 1 and spans:
                yield spans


def _kept_under(text: str, name: str, bodies: list[Span]) -> list[Span]:
    """The bodies that stand in what is kept under a name."""
    made = re.search(rf"\b(?:const|let|var)\s+{re.escape(name)}\b[^=;\n]{{0,80}}=", text)
    if not made:
        return []
    end = _ends(text, made.end(), len(text), ";")
    return [one for one in bodies if made.end() <= one[0] < end]


def _schemas(text: str) -> Iterator[Told]:
    """Variables that a schema of the environment asks for: whoever reads by it holds them all."""
    for _, part in tsobject.built(text) if "createEnv" in text else ():
        pairs = [Pair(name, "${" + name + "}", one.line) for name, one in part["server"].members.items()]
        yield from mixed.told((Holder("code", "the environment", part.line, "", tuple(pairs)),))


def _called(text: str, one: re.Match[str], bodies: list[Span]) -> list[Span]:
    """The body of a graph's node: of a function that is given by its name, or where it is given."""
    at = one.end()
    if one[1] and one[1] not in ("async", "function"):
        made = re.search(rf"\b(?:const|let|var|function)\s+{re.escape(one[1])}\b", text)
        if not made:
            return []
        at = made.end()
    return [next((body for body in bodies if at <= body[0] < at + 1500), (0, 0))]


def _less_proofs(text: str) -> str:
    """The text without the calls in which a person's token is asked for."""
    parts, past = [], 0
    for one in islice(_GRANT.finditer(text), _MOST):
        start, end = _around(text, one.end() - 1)
        if start >= past and end > start:
            parts += [text[past:start], re.sub(r"[^\n]", " ", text[start:end])]
            past = end
    return "".join([*parts, text[past:]])


def _around(text: str, at: int) -> Span:
    """The outermost call, of those that begin shortly before, that a place stands in, and no function of it."""
    left, begun = 0, at
    for place in range(at, max(-1, at - 1500), -1):
        char = text[place]
        if char in ")]}" and place != at:
            left += 1
        elif char in "([{":
            if left:
                left -= 1
                continue
            before = text[max(0, place - 20) : place].rstrip()
            if before.endswith("=>") or (char == "{" and before.endswith(")")):
                break
            begun = place if char == "(" or begun == at else begun
    return begun, _ends(text, begun, min(len(text), begun + 4000), "})]")
