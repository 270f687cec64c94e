"""OAuth: which methods of which APIs scopes are for, as a survey of who was granted what. Pure.

The table is of Google, Microsoft Graph, Slack and GitHub (custody/scopes.tsv; tests/kit/scopes_table writes it). A
scope that is not in it is named, and counts as if it let everything be written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from remit.core.canonical import Json
from remit.core.reach.graph import decoded, invalid
from remit.core.reach.survey import Gathering, Seen

PROVIDERS: Final = ("google", "graph", "slack", "github")
GOOGLE: Final = "https://www.googleapis.com/auth/"
GRAPH: Final = "https://graph.microsoft.com/"
IDENTITY: Final = frozenset({"openid", "profile", "email"})
OFFLINE: Final = "offline_access"
MOST: Final = 100_000
_LISTS: Final = ("grants", "items", "value", "approved_apps", "tokens", "apps")
_NAMES: Final = ("name", "displayText", "display_name", "app_name", "appDisplayName", "clientId", "client_id", "id")
_SCOPES: Final = ("scopes", "scope")
_NAMED: Final = 12
_OWN: Final = "application"


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope of one provider: what it is for, with how many methods read and write; privilege from 1 to 5, or 0."""

    provider: str
    delegated: int
    own: int
    places: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Granted:
    """What somebody was granted. `own` says that an app may use it with no person there."""

    name: str
    scopes: tuple[str, ...]
    own: bool = False


def table(text: str) -> dict[str, list[Scope]]:
    """The scopes by name; one name may be of several providers."""
    found: dict[str, list[Scope]] = {}
    for line in text.splitlines():
        provider, name, delegated, own, listed = line.split("\t")
        places = []
        for one in listed.split():
            place, reads, writes = one.rsplit(":", 2)
            places.append((place, int(reads), int(writes)))
        found.setdefault(name, []).append(Scope(provider, int(delegated), int(own), tuple(places)))
    return found


def survey(data: bytes, known: dict[str, list[Scope]]) -> Seen:
    """Who was granted what, from a list of grants or what a provider exports of them (`reach_invalid`)."""
    form: Json = decoded(data, Any, "a list of grants")
    provider = form.get("provider", "") if isinstance(form, dict) else ""
    if provider not in ("", *PROVIDERS):
        raise invalid(f"provider is one of {', '.join(PROVIDERS)}.")
    found, unknown = Gathering("scopes"), set()
    for one in _grants(form):
        who = found.node("role", one.name)
        for scope in one.scopes:
            room = found.node("rights", scope)
            found.edge(who, room, "has the scope, with nobody there" if one.own or OFFLINE in one.scopes else
                       "has the scope")  # fmt: skip
            if not _lay(found, scope, provider, known):
                unknown.add(scope)
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        listed = ", ".join(sorted(unknown)[:_NAMED])
        found.notes.append(f"Scopes that are not known count as if they let everything be written: {listed}{more}.")
    found.notes.append("Which of a person's or organisation's things a scope opens is told by the provider alone.")
    return found.seen()


def _lay(found: Gathering, scope: str, provider: str, known: dict[str, list[Scope]]) -> bool:
    """Lay what a scope is for; say whether that is known."""
    room = ("rights", scope)
    if scope in IDENTITY:
        found.edge(room, found.node("object", "who the person is"), "reads")
        return True
    if scope == OFFLINE:
        return True
    names = dict.fromkeys((scope, GOOGLE + scope, scope.removeprefix(GRAPH)))
    listed = [one for name in names for one in known.get(name, ()) if provider in ("", one.provider)]
    for one in listed:
        found.node("rights", scope, _title(scope, one))
        for place, reads, writes in one.places:
            label = ", ".join(text for count, text in ((reads, f"{reads} read"), (writes, f"{writes} write")) if count)
            found.edge(room, found.node("object", f"{one.provider} {place}"), label, writes=bool(writes))
    if not listed:
        found.edge(room, found.node("object", f"whatever {scope} is for"), "anything (perhaps)", writes=True)
    return bool(listed)


def _title(scope: str, one: Scope) -> str:
    said = [f"{level} of 5 {how}" for level, how in ((one.delegated, "for a person"), (one.own, "by itself")) if level]
    return f"{scope} (privilege {', '.join(said)})" if said else ""


def _grants(form: Json) -> Iterator[Granted]:
    listed = form
    if isinstance(form, dict):
        listed = next((form[name] for name in _LISTS if isinstance(form.get(name), list)), None)
    if not isinstance(listed, list) or len(listed) > MOST:
        raise invalid("It has no list of grants, or too long a one.")
    for one in listed:
        if not isinstance(one, dict):
            raise invalid("A grant is an object with a name and scopes.")
        app = one.get("app")
        names = {**app, **one} if isinstance(app, dict) else one
        name = next((str(names[key]) for key in _NAMES if isinstance(names.get(key), str | int)), "")
        scopes = tuple(_texts(next((one[key] for key in _SCOPES if key in one), None)))
        if not 0 < len(name) <= 500 or any(len(scope) > 500 for scope in scopes):
            raise invalid("A grant has a name, and scopes of up to 500 characters.")
        yield Granted(name, scopes, _OWN in str(one.get("kind", "")).lower())


def _texts(form: Json) -> Iterator[str]:
    """Scopes as they are written: a text with spaces or commas, a list of texts, or of objects with a name."""
    if isinstance(form, str):
        yield from form.replace(",", " ").split()
    elif isinstance(form, list):
        for one in form:
            yield from _texts(one.get("name") if isinstance(one, dict) else one)
    elif isinstance(form, dict):
        for one in form.values():
            yield from _texts(one)
    else:
        raise invalid("The scopes of a grant are a list of texts.")
