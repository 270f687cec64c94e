"""Whether a named value is a secret that stands there in full: no reference, no placeholder, no example. Pure."""

import math
import re
from collections import Counter
from typing import Final

from remit.scan import shapes, shown

SHORTEST: Final = 12
"""Characters below which a value is not held to be a secret."""

LEAST_BITS: Final = 2.8
"""Entropy per character, in bits, below which a value is held to be made up."""

_NAME: Final = re.compile(
    r"(?:^|[^a-z])(?:api[-_]?key"
    r"|(?<!public[-_])(?<!publishable[-_])(?<!primary[-_])(?<!object[-_])(?<!foreign[-_])(?<!sort[-_])(?<!partition[-_])(?<!cache[-_])"
    r"(?<=[-_])key|accesskey|secretkey|token|pat|secret|passwd|(?:pg|mysql|ssh)?password|passphrase|pwd|authorization|auth"
    r"|(?:db|ssh|require)?pass|masterauth|credentials?)(?:[-_]?\d{1,2})?$"
)
_REFERENCE: Final = re.compile(
    r"\$\{|\$[A-Za-z_(]|%[A-Za-z_]+%|\{\{|^\{(?:env|file):|^(?:env|file|keyring|vault|op|ssm|arn|secret):"
    r"|^[a-z][a-z0-9+.-]*://|^ENC\[|^(?:os\.environ|process\.env)[./\[]"
    r"|^(?:var|local|data|module)\.[a-z_]|^(?:1password|akeyless|bitwarden|doppler|encrypted|exec|infisical|kms|(?:azure)?keyvault|keychain|secretref|secure):"
    r"|^projects/[^/\s]+/secrets/|^@Microsoft\.KeyVault\(|^[A-Z]:\\|^AQICAH|^keybase:"
    r"|^(?:[a-z_]\w{0,40}\.){0,4}(?:get_?)?(?:env|environ(?:\.get)?|secrets?|lookup|required?_?env)\([\"'\w]",
    re.IGNORECASE,
)
_DIGEST: Final = re.compile(
    r"^\$(?:2[abxy]|[156y]|argon2\w*|scrypt|pbkdf2[\w-]*)\$|^\{\w+\}[\w+/$.=-]{20,}$|^sha(?:1|256|384|512)[:-]"
    r"|^pbkdf2_sha\d+\$|^SCRAM-SHA-\d+\$"
)
"""What cannot be turned back into the secret that it was made of."""
_PUBLIC: Final = re.compile(
    r"^(?:pk_(?:live|test)_|sb_publishable_|phc_|pk\.eyJ|pub[0-9a-f]{32}$|age1[a-z0-9]{58}$|ssh-\w+ |ecdsa-)"
)
"""What its issuer gives to every visitor: Stripe, Clerk, Supabase, PostHog, Mapbox, Datadog; age and SSH."""
_FINGERPRINT: Final = re.compile(r"(?i)(?:0x)?(?:[0-9a-f]{16}|[0-9a-f]{40})")
_SIGNERS: Final = re.compile(r"(?:^|_)(?:gpg|pgp|git_?signing|apt|release_?signing)_?key$")
"""Names of a key that signs, which is called by its fingerprint."""
_COUNTED: Final = re.compile(r"(?i)1234567|abcdef0")
_MADE_UP: Final = re.compile(
    r"(?i)your|example|placeholder|change[-_ ]?me|change[-_ ](?:this|it|in|before)[-_ ]|replace"
    r"|redacted|dummy|sample|fake|insert|todo|x{4,}|\*{3,}|\.{3}"
    r"|^<.*>$|^\[.*\]$|1234567|abcdef0|^(?:test|none|null|true|false)\b|JBSWY3DPEHPK3PXP|^\w{1,20}/(?:password|test)\w{0,9}$"
    r"|^my[-_](?:[a-z]{1,16}[-_]){0,3}(?:secret|token|key|password)$|^azureartifacts$"
)
_PATTERN: Final = re.compile(
    r"\(\?(?:[:=!iPmsx]|<[=!])|\[[^\]\s]{1,60}\](?:[*+?]|\{\d)|\\[sdwbSDW][*+?{)\]]|\{[A-Za-z_][\w.]{2,40}[}(\[!:]|\{\d?\}"
)
"""What only an expression by which texts are looked for has in it, or a form into which names are put."""
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS: Final = re.compile(
    r"[@_]*[a-z]{1,16}\d{0,2}(?:(?:__?|[-./:])[a-z]{1,16}\d{0,2})+_{0,2}|[A-Z][A-Za-z]{0,15}(?:-[A-Z][A-Za-z]{1,15})+|_{0,2}[A-Z]?[a-z]{2,16}(?:[A-Z][a-z]{1,15})+|[a-z]{4,24}"
)
"""A word, or words joined to a name, as code calls a field: `_agents_tool_title`, `@search.reranker_score`."""
_LOCKS: Final = re.compile(
    r"(?:api|app|access|account|admin|auth|client|crypt\w*|encryption|hmac|integration|license|master|private|secret"
    r"|service|shared|signing|storage|subscription|webhook)[-_]?key$"
)
"""Names of keys that open something; a key of any other kind may be the name of a member."""
_WORDED: Final = re.compile(r"(?:^|[^a-z])(?:passwd|password|passphrase|pwd|pass)$")
_CHOSEN: Final = re.compile(
    r"(?:^|_)(?:jwt|session|cookie|auth|csrf|sign\w*|hmac|crypt\w*|encrypt\w*|encryption|app|flask|django|master|webhook)_"
)
"""Names of secrets that whoever runs a program thinks up; of words they open what they guard all the same."""
_SCHEME: Final = re.compile(r"(?i)^(?:bearer|token|basic)\s+")


_SHAPE: Final = re.compile(
    r"\b(?:AKIA[A-Z2-7]{16}\b|gh[pousr]_[A-Za-z0-9]{36}\b|github_pat_[A-Za-z0-9_]{60,}\b|gl(?:pat|dt|rt|ptt|soat)-[\w-]{20,}"
    r"|sk-(?:proj|ant|live|svcacct|or|lf)-[\w-]{20,}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b|AIza[\w-]{35}\b|xox[abeprs]-[A-Za-z0-9.-]{20,}"
    r"|https://hooks\.slack\.com/services/T\w+/B\w+/\w{16,}|[sr]k_live_[A-Za-z0-9]{20,}|SG\.[\w-]{16,}\.[\w-]{32,}"
    r"|npm_[A-Za-z0-9]{36}\b|pypi-AgEI[\w-]{50,}|hf_[A-Za-z]{34}\b|ntn_[A-Za-z0-9]{40,}|lin_(?:api|oauth)_[A-Za-z0-9]{32,}"
    r"|xapp-\d-[A-Z0-9]+-\d+-[0-9a-f]{32,}|tvly-(?:dev-|prod-)?[A-Za-z0-9]{24,}|pcsk_[A-Za-z0-9_]{40,}|gsk_[A-Za-z0-9]{48,}"
    r"|xai-[A-Za-z0-9]{60,}|lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b|sntry[us]_[\w=/+.-]{40,}|figd_[\w-]{30,}|glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}\b"
    r"|sbp_[0-9a-f]{40}\b|do[opr]_v1_[0-9a-f]{64}\b|hv[sb]\.[\w-]{24,}|ATATT3[\w=+/-]{60,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b|r8_[A-Za-z0-9]{36,40}\b"
    r"|pplx-[A-Za-z0-9]{40,}|nvapi-[\w-]{50,}|GOCSPX-[\w-]{28}(?![\w-])|dp\.(?:pt|st|ct|sa)\.[\w.]{40,}|pat-(?:na|eu|ap)\d-[0-9a-f]{8}-[0-9a-f-]{27}\b"
    r"|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b|PMAK-[0-9a-f]{24}-[0-9a-f]{34}\b|NRAK-[A-Z0-9]{27}\b|AGE-SECRET-KEY-1[0-9A-Z]{58}\b|dapi[0-9a-f]{32}\b"
    r"|apify_api_[A-Za-z0-9]{36,}|phx_[A-Za-z0-9]{40,}|rubygems_[0-9a-f]{48}\b|pscale_(?:tkn|pw)_[\w.-]{32,}|nfp_[A-Za-z0-9]{36}\b|tfp_[A-Za-z0-9]{40,}"
    r"|ops_eyJ[\w-]{60,}|CFPAT-[\w-]{43}\b|e2b_[0-9a-f]{40}\b|secret_[A-Za-z0-9]{43}\b|[A-Za-z0-9_~.]{3}[78]Q~[A-Za-z0-9_~.-]{31,34})"
)
"""What issuers make recognisable, as they publish it: those that the kept library (`shapes`) lacks, and the commonest,
so that a scan without it finds those too."""
_ADDRESS: Final = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s/:@\"']*:([^\s@/\"']+)@")
_KEY: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----")
ASKED: Final = re.compile(
    r"[?&](?:[\w-]{0,40}api[-_]?key|access[-_]?token|auth[-_]?token|token|secret|client[-_]?secret|password|subscription[-_]key)"
    r"=([^&#\s\"'<>{}$]{16,400})",
    re.IGNORECASE,
)
"""What the query of an address gives in full."""
_SENT: Final = re.compile(r"(?i)^(?:[\w-]{0,40}: ?)?(?:bearer|basic)(?: |%20)([^\s\"'<>{}$]{20,2000})$")
"""A header's value, with its scheme."""
_HEADERS: Final = re.compile(r"(?:^|_)headers?$")
_MANY: Final = re.compile(
    r"(?:^|[^a-z])(?:(?:api|access|auth|valid|allowed|bearer|service|client|accepted|static|known)[-_]?(?:api[-_]?)?)?(?:keys|tokens|secrets|passwords)$"
)


_NO_SECRET: Final = re.compile(
    r"(?:^|_)(?:hashed|hash|digest|fingerprint|masked|encrypted|sealed|last_eight)(?:_|$)"
    r"|(?:^|_)(?:change|next|page|continuation|pagination|idempotency|sync|resume|cursor|cancel|cancellation|stop|eos|bos"
    r"|pad|unk|sep|cls|mask|start|end)_token$"
    r"|(?:^|_)existing_secret$|_secret_ref$|^(?:use|enable|disable|require|skip|is|has|allow)_"
    r"|(?:site|segment_write|algolia\w*_search(?:_api)?|maps_embed)_?key$"
    r"|(?:^|[_-])(?:anon|anonymous|publishable|(?<!next[_-])(?<!nuxt[_-])(?<!expo[_-])public)[_-](?:api[_-]|client[_-])?key$"
)
"""Names of what is no secret: a digest, a place in a list, or a client's key that every visitor is given. A framework
that publishes whatever begins with `NEXT_PUBLIC_` makes no secret public by right."""


_COUNTS: Final = re.compile(
    r"(?:^|_)(?:max|min|num|total|used|budget|limit|input|output|prompt|completion|context|cached|reasoning)_(?:\w{1,40}_)?tokens$"
)
"""Names of how many pieces of text a model reads or writes, which are called tokens too."""


def is_name(name: str) -> bool:
    """Say whether a variable, header or flag of this name carries a secret: no digest of one, public key or type."""
    bare = _HUMP.sub("_", name.lstrip("-")).lower()
    return bool(_NAME.search(bare)) and not _NO_SECRET.search(bare) and "::" not in bare


def is_reference(value: str) -> bool:
    """Say whether a value only says where the secret is."""
    return bool(_REFERENCE.search(value))


def is_made_up(value: str) -> bool:
    """Say whether a value is a placeholder or an example. What is drawn is none for a run in it that counts up."""
    if shown.is_shown(value):
        return True
    return bool(_MADE_UP.search(value if len(value) < 32 or not _COUNTED.search(value) else _drawn(value)))


def _drawn(value: str) -> str:
    """A text less the runs in it that count up, where what is left is still long and drawn; else the text."""
    parts, start = [], 0
    for at in range(1, len(value) + 1):
        if at == len(value) or ord(value[at]) != ord(value[at - 1]) + 1:
            parts.append(value[start:at] if at - start < 4 else "")
            start = at
    left = "".join(parts)
    return left if len(left) >= 32 and _bits(left) >= 3.5 else value


def is_literal(value: str) -> bool:
    """Say whether a value given to such a name is a secret itself."""
    bare = _SCHEME.sub("", value.strip())
    if (
        len(bare) < SHORTEST
        or any(c.isspace() for c in bare)
        or (bare.startswith(("/", "~", "./", "http://", "https://")) and not _is_drawn(bare))
        or _PUBLIC.match(bare)
        or _DIGEST.match(bare)
        or shown.is_anonymous(bare)
        or _PATTERN.search(bare)
    ):
        return False
    return (
        not _VARIABLE.fullmatch(bare)
        and not _REFERENCE.search(bare)
        and not is_made_up(bare)
        and not shown.is_unsigned(bare)
        and not shown.is_called_secret(bare)
        and _bits(bare) >= LEAST_BITS
    )


def _is_drawn(value: str) -> bool:
    """Say whether what begins as a path does is in truth drawn at random, in the letters of base 64."""
    return (
        bool(_BASE64.fullmatch(value))
        and any(c.isdigit() for c in value)
        and any(c.isupper() for c in value)
        and any(c.islower() for c in value)
        and _bits(value) >= 4.2
    )


_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{39,}={0,2}")


def may_hold(text: str) -> bool:
    """Say whether a text may hold a secret of a known shape: quickly, and never no where `is_known` says yes."""
    known = _SHAPE.search(text) or _ADDRESS.search(text) or _KEY.search(text) or ASKED.search(text)
    return bool(known) or bool(_SCHEMES.search(text)) or any(shapes.found(text))


_SCHEMES: Final = re.compile(r"(?i)\b(?:bearer|basic)(?: |%20)[^\s\"'<>{}$]{20}")


def is_shaped(text: str) -> bool:
    """Say whether a text holds a token of an issuer's own shape, as far as those built in go."""
    shaped = _SHAPE.search(text)
    return shaped is not None and not is_made_up(shaped[0]) and _bits(shaped[0]) >= LEAST_BITS


def is_many(name: str) -> bool:
    """Say whether what a list or a table of this name holds, or is keyed by, are secrets."""
    bare = _HUMP.sub("_", name).lower()
    return bool(_MANY.search(bare)) and not _COUNTS.search(bare)


def _is_sent(name: str, value: str) -> bool:
    """Say whether a variable of headers, as exporters of traces are given it, holds a secret in full."""
    if not _HEADERS.search(_HUMP.sub("_", name).lower()):
        return False
    pairs = [re.split(r"[=:]\s*", one.strip(), maxsplit=1) for one in re.split(r"[,\n]", value)]
    return any(is_name(one[0]) and is_literal(one[1].replace("%20", " ")) for one in pairs if len(one) == 2)


def is_known(value: str) -> bool:
    """Say whether a text holds a secret whatever it is called: an issuer's shape, a key, a password in an address."""
    shaped = _SHAPE.search(value)
    if shaped and not is_made_up(shaped[0]) and _bits(shaped[0]) >= LEAST_BITS:
        return True
    if any(not is_made_up(one) and _bits(one) >= LEAST_BITS for one in shapes.found(value)):
        return True
    held = _ADDRESS.search(value)
    formed = held and (_REFERENCE.search(held[1]) or _PATTERN.search(held[1]))
    if held and not formed and not is_made_up(held[1]) and is_password(held[1]):
        return True
    asked, sent = ASKED.search(value), _SENT.match(value)
    if (asked and is_literal(asked[1])) or (sent and is_random(sent[1])):
        return True
    return bool(_KEY.search(value)) and len(value) > 120


def is_password(value: str) -> bool:
    """Say whether the password of an address is one: longer than a word that everybody uses at home."""
    return len(value) >= 8 and _bits(value) >= 2.5 and not shown.is_called_secret(value)


def is_held(name: str, value: str) -> bool:
    """Say whether this value, under this name, is a secret that stands there in full."""
    named = is_name(name) and is_literal(value) and not _is_fingerprint(name, value) and not _is_same(name, value)
    return named or is_known(value) or _is_sent(name, value) or _is_list(name, value)


def _is_list(name: str, value: str) -> bool:
    """Say whether a text lists secrets, with commas between."""
    return "," in value and is_many(name) and any(is_random(one.strip()) for one in value.split(","))


def _is_fingerprint(name: str, value: str) -> bool:
    return bool(_FINGERPRINT.fullmatch(value)) and bool(_SIGNERS.search(_HUMP.sub("_", name).lower()))


def _is_same(name: str, value: str) -> bool:
    """Say whether a value is its own name, as a table of names has it."""
    return re.sub(r"[\W_]", "", name).lower() == re.sub(r"[\W_]", "", value).lower()


def is_written(name: str, value: str) -> bool:
    """Say the same of a value in code, or among settings of any kind, where a key's value may be a name itself."""
    return is_held(name, value) and (not is_called(name, value) or is_known(value))


def is_called(name: str, value: str) -> bool:
    """Say whether a value is itself only a name: of a member, of a class, or the words of the name that it is given.

    A password may be of words; any other secret is drawn.
    """
    bare = _HUMP.sub("_", name).lower()
    if not _WORDS.fullmatch(value) or _WORDED.search(bare):
        return False
    said = re.sub(r"[^a-z]", "", value.lower())
    if bare.endswith("credentials") or (bare.endswith("key") and not _LOCKS.search(bare)):
        return True
    return not _CHOSEN.search(bare) or "_" in value.strip("_") or re.sub(r"[^a-z]", "", bare) in said


def is_random(value: str) -> bool:
    """Say whether a value that has no telling name looks drawn at random: long, of letters and digits, and no words."""
    return is_literal(value) and len(value) >= 20 and any(c.isdigit() for c in value) and _bits(value) >= 3.5


def _bits(text: str) -> float:
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())
