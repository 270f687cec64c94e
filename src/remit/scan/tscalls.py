"""What TypeScript calls over HTTP of services that are known by their addresses (AG110). Pure.

Read are `fetch`, axios, got, ky and their like, with an address in full, one that begins with a constant's, or one
below the base that a client was made with.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan import reached, tsenv

_CALLED: Final = re.compile(
    r"(?<![.\w])(?:(?:fetch|\$fetch|ofetch|request)|(?:this\.)?(\w+)(?:\.(get|head|post|put|patch|delete|del"
    r"|request))?)"
    r"(?:<[^<>()\n]{0,80}>)?\(\s*(?:([\"'`])((?:(?!\3)[^\n]){1,500})\3|([A-Za-z_]\w*)\s*[,)])"
)
_METHOD: Final = re.compile(r"\bmethod\s*:\s*[\"'](\w+)[\"']")
_GIVEN: Final = re.compile(r"\burl\s*:\s*([\"'`])((?:(?!\1)[^\n]){1,500})\1")
_BASED: Final = re.compile(
    r"(?<!\w)(\w+)\s*=\s*(?:axios|ky|got|ofetch|\$fetch)\.(?:create|extend)\(\s*\{[^{}]{0,300}?(?:baseURL|prefixUrl"
    r"|baseUrl)\s*:\s*"
    r"(?:([\"'`])(https://[^\"'`\n]{1,200})\2|(\w+)\s*[,}])"
)
_FILLED: Final = re.compile(r"\$\{(\w+)\}")
_ADDRESS: Final = re.compile(
    r"\b(?:const|let|var)\s+(\w+)\s*=\s*new\s+URL\(\s*([\"'`])(https://(?:(?!\2)[^\n]){1,400})\2"
)
_HTTP: Final = frozenset({"axios", "got", "ky", "superagent", "http", "https", "needle", "undici"})


def of(text: str) -> Iterator[tuple[str, bool]]:
    """The part of each service that is called, and whether it is written to."""
    if not reached.KNOWN.search(text):
        return
    consts = {one[1]: one[3] for one in _ADDRESS.finditer(text)} | {
        one[1]: one[3] for one in tsenv.CONST.finditer(text) if one[3].startswith("https://")
    }
    bases = {one[1]: one[3] or consts.get(one[4] or "", "") for one in _BASED.finditer(text)}
    for one in _CALLED.finditer(text):
        url = _url(one[4] or "", consts) if one[3] else consts.get(one[5], "")
        if one[1] in bases and not url.startswith("https:"):
            url = f"{bases[one[1]].rstrip('/')}/{url.lstrip('/')}"
        elif one[1] and one[1] not in _HTTP and not one[2]:
            continue
        if (found := reached.of(url, _verb(one, text))) is not None:
            yield found
    for one in _GIVEN.finditer(text):
        method = _METHOD.search(text, max(0, one.start() - 200), one.end() + 200)
        if (found := reached.of(_url(one[2], consts), method[1] if method else "GET")) is not None:
            yield found


def _verb(one: re.Match[str], text: str) -> str:
    if one[2] and one[2] != "request":
        return "DELETE" if one[2] == "del" else one[2]
    method = _METHOD.search(text[one.end() : one.end() + 300].partition(");")[0])
    if method is None and re.match(r"\s*,?\s*\{[^}]{0,200}(?:\bmethod\b|\.\.\.\w)", text[one.end() : one.end() + 300]):
        return "ANY"
    return method[1] if method else "GET"


def _url(text: str, consts: dict[str, str]) -> str:
    return _FILLED.sub(lambda found: consts.get(found[1], found[0]), text)
