"""Words and variables that turn the check of certificates off (AG130). Pure.

Sources: the manuals of curl, wget, git, npm, pip, uv, kubectl, helm, Chromium and Playwright, of the SDKs for Node,
Python and Go, and of MCP servers, which name such switches alike.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.core.finding import Kind
from remit.scan.wrapped import Word, program

_SUBJECT: Final = r"(?:ssl|tls|cert(?:s|ificates?)?|https|x509|peer|hostname)"
_CHECK: Final = r"(?:verif(?:y|ication)|check(?:s|ing)?|validat(?:e|ion)|errors?)"
_NOT: Final = r"(?:no|not|skip|disable|ignore|without|bypass|allow|insecure|accept)"
_FLAG: Final = re.compile(
    rf"--(?:(?=[\w-]*\b{_SUBJECT}\b)(?=[\w-]*\b{_CHECK}\b)(?=[\w-]*\b{_NOT}\b)[\w-]+"
    rf"|{_NOT}-(?:self-signed|invalid|untrusted|bad)-{_SUBJECT}|{_NOT}-{_SUBJECT}-{_CHECK}"
    r"|(?:\w{1,30}-)?insecure-(?:skip-(?:tls-)?verify|tls|ssl)|insecure(?:-(?:skip-verify|tls|ssl|https|mode|connection))?|allow-insecure(?:-(?:host|tls|ssl|https|connections?))?"
    r"|skip-verify|trust-(?:all-certs?|all-certificates|server-certificate|self-signed)|accept-insecure-certs"
    r"|ignore-certificate-errors|no-check-certificates?)",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(
    r"--(?:[\w-]+-)?(?:(?:ssl|tls|certs?|certificates?|https)-(?:verify|verification|check|validation)"
    r"|(?:verify|check|validate)-(?:ssl|tls|certs?|certificates?|https|peer)|strict-ssl|reject-unauthorized"
    r"|verify)",
    re.IGNORECASE,
)
"""Flags that say whether certificates are checked."""
_NO: Final = frozenset({"0", "false", "no", "off", "none", "disable", "disabled"})
_YES: Final = frozenset({"", "1", "true", "yes", "on"})
_SETTING: Final = re.compile(r"(?i)http\.(?:\S+\.)?sslverify=(?:false|0|no|off)$|strict-ssl=false$")
_PLAIN: Final = re.compile(r"(?i)--?ssl-?mode=disabled?$")
"""A setting of git or npm, and a database's client that is told to use no TLS."""
_LONGEST: Final = 300
"""Characters of a word above which it is no such switch."""
_OFF: Final = re.compile(
    r"(?i)^(?:NODE_TLS_REJECT_UNAUTHORIZED=[\"']?0|PYTHONHTTPSVERIFY=[\"']?0|GIT_SSL_NO_VERIFY=[\"']?(?:1|true)"
    r"|(?!\w*(?:SKIP|NO|DISABLE)_?VERIFY)\w*(?:SSL|TLS|CERTS?|CERTIFICATES?|HTTPS)_?(?:VERIF(?:Y|ICATION)|VALIDATION|CHECK)\w*="
    r"[\"']?(?:0|false|no|off|none)"
    r"|\w*(?:VERIFY|VALIDATE|CHECK)_(?:SSL|TLS|CERTS?|CERTIFICATES?|PEER|HTTPS)=[\"']?(?:0|false|no|off|none)"
    r"|\w*(?:REJECT_UNAUTHORIZED|STRICT_SSL)=[\"']?(?:0|false|no|off)|(?:CURL|REQUESTS)_CA_BUNDLE=[\"']?"
    r"|\w*(?:INSECURE|SKIP_(?:TLS|SSL|CERT\w*)_?(?:VERIFY|VERIFICATION|CHECKS?)?|NO_(?:TLS|SSL|CERT\w*)_?(?:VERIFY|VERIFICATION|CHECKS?)|(?:SSL|TLS)_(?:SKIP|NO|DISABLE|INSECURE)_?(?:SKIP_)?VERIFY"
    r"|(?:DISABLE|IGNORE|ALLOW_INVALID|ALLOW_SELF_?SIGNED)_(?:TLS|SSL|CERT\w*|HTTPS)(?:_\w+)?"
    r"|(?:TRUST|ACCEPT)_ALL(?:_CERT\w*)?|SSL_NO_VERIFY|[A-Z0-9]+_SKIP_VERIFY|ALLOW_SELF_?SIGNED|TRUST_SELF_?SIGNED"
    r"|TRUST_SERVER_CERT\w*)\w*=[\"']?(?:1|true|yes|on))[\"']?$"
)


def unchecked(name: str, value: str) -> bool:
    """Say whether a variable of this name and value turns certificate checks off."""
    return len(name) + len(value) <= _LONGEST and bool(_OFF.match(f"{name}={value}"))


def told(words: list[Word]) -> Iterator[tuple[Kind, int, str]]:
    """Words of a command that turn certificate checks off."""
    first = program(words[0][0]) if words else ""
    for at, (word, line) in enumerate(words):
        after = words[at + 1][0] if at + 1 < len(words) else ""
        if first == "helm" and word.startswith("--verify"):
            continue  # whether a chart or plugin is signed
        if len(word) <= _LONGEST and (_off(word, after) or _told(word) or _set(word, after) or _of(first, word)):
            yield Kind.OPEN_REMOTE, line, "certificates are not checked"


def _off(word: str, after: str) -> bool:
    """Say whether a flag, with what follows it, passes the checks over."""
    flag, mark, value = word.partition("=")
    given = (value if mark else after).lower().strip("\"'")
    if _FLAG.fullmatch(flag):
        return given in _YES if mark else given not in _NO
    return bool(_ASKED.fullmatch(flag)) and given in _NO


def _told(word: str) -> bool:
    return bool(_OFF.match(word) or _SETTING.match(word) or _PLAIN.match(word))


def _set(word: str, after: str) -> bool:
    """Say whether a setting of git or npm is kept as what does not check."""
    return word.lower() in ("http.sslverify", "strict-ssl") and after.lower() in _NO


def _of(first: str, word: str) -> bool:
    """Say whether a word is such a flag of this program alone."""
    if first in ("pip", "pip3", "uv", "python", "python3"):
        return word.startswith("--trusted-host")
    return first == "curl" and bool(re.fullmatch(r"-[A-Za-z]*k[A-Za-z]*", word))
