"""The operations that an OpenAPI 3 document describes, as definitions to pin.

Only what can be decided is taken: path parameters that fill whole segments, path and query parameters, and bodies that
are JSON objects, forms, forms with files, or octets of one media type. What else a document describes is told, and not
registered.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from remit.core.body import FORM, MEDIA, MULTIPART
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.operation import operation
from remit.core.resource import TOOL

METHODS: Final = ("get", "head", "post", "put", "patch", "delete", "options")
READ: Final[dict[str, bool | str]] = {"application/json": True, FORM: "form", MULTIPART: "multipart"}
"""The media types of bodies whose members are arguments, and how each is read."""
DEEPEST: Final = 20
_KEPT: Final = (
    "contentMediaType",
    "type",
    "items",
    "properties",
    "required",
    "enum",
    "description",
    "format",
    "minimum",
    "maximum",
)


def read(document: Json) -> tuple[dict[str, Json], list[str]]:
    """The definitions by name, and what was left out and why. Refuses what is no OpenAPI 3 (`openapi_invalid`)."""
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise _invalid("This is no OpenAPI 3 document.")
    paths = document.get("paths")
    if not isinstance(paths, dict) or not paths:
        raise _invalid("The document describes no paths.")
    found: dict[str, Json] = {}
    left: list[str] = []
    for path, method, item, one in _each(paths, document):
        try:
            name, definition = _operation(document, path, method, item, one)
        except RemitError as why:
            left.append(f"{method.upper()} {path}: {why.message}")
            continue
        if name in found:
            raise _invalid(f"Two operations would be called {name}.")
        found[name] = definition
    if not found:
        raise _invalid("The document describes nothing that can be decided.")
    return found, left


def _each(paths: Mapping[str, Json], document: Json) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    for path, held in paths.items():
        item = _resolved(document, held)
        if not isinstance(item, dict):
            raise _invalid("A path describes nothing.")
        for method in METHODS:
            one = item.get(method)
            if isinstance(one, dict):
                yield path, method, item, one


def _operation(document: Json, path: str, method: str, item: dict[str, Any], one: dict[str, Any]) -> tuple[str, Json]:
    name = one.get("operationId") or re.sub(r"[^A-Za-z0-9]+", "_", f"{method}_{path}").strip("_")
    if not isinstance(name, str) or not TOOL.fullmatch(name):
        raise _left("its operationId is no name of a tool")
    properties: dict[str, Json] = {}
    required: list[str] = []
    for said in (*(item.get("parameters") or ()), *(one.get("parameters") or ())):
        _parameter(document, said, properties, required)
    body = _body(document, one, properties, required)
    definition: dict[str, Json] = {
        "name": name,
        "description": str(one.get("summary") or one.get("description") or f"{method.upper()} {path}")[:2000],
        "http": {"method": method.upper(), "path": path, "body": body} | _upgrade(method, one),
        "inputSchema": {"type": "object", "properties": properties, "required": sorted(set(required))},
    }
    if operation(name, definition) is None:
        raise _left("its path is not made of whole segments")
    return name, definition


def _parameter(document: Json, said: Json, properties: dict[str, Json], required: list[str]) -> None:
    found = _resolved(document, said)
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise _left("it has a parameter without a name")
    place, name = found.get("in"), found["name"]
    if place in ("header", "cookie"):
        if found.get("required"):
            raise _left("it needs a parameter in a header or cookie")
        return
    schema = _schema(document, found.get("schema", {}), 0)
    if isinstance(schema, dict) and schema.get("type") in ("array", "object"):
        raise _left("it has a parameter that is more than one value")
    properties[name] = schema
    if found.get("required") or place == "path":
        required.append(name)


def _body(document: Json, one: dict[str, Any], properties: dict[str, Json], required: list[str]) -> bool | str:
    """How the body is read, by the first of the forms it may have that can be decided; its members become arguments."""
    said = _resolved(document, one.get("requestBody"))
    if not isinstance(said, dict):
        return False
    content = said.get("content")
    offered = (
        {name.partition(";")[0].strip().lower(): held for name, held in content.items()}
        if isinstance(content, dict)
        else {}
    )
    for media in READ:
        held = offered.get(media)
        if isinstance(held, dict):
            _members(document, held, properties, required, files=media == MULTIPART)
            return READ[media]
    for media in sorted(offered):
        held = offered[media]
        if (
            MEDIA.fullmatch(media)
            and isinstance(held, dict)
            and _octets(_schema(document, held.get("schema", {}), 0), media)
        ):
            _file("body", properties, named=False)
            if said.get("required"):
                required.append("body")
            return str(media)
    if said.get("required"):
        raise _left("its body is nothing that can be decided")
    return False


def _members(
    document: Json, held: dict[str, Any], properties: dict[str, Json], required: list[str], *, files: bool
) -> None:
    schema = _schema(document, held.get("schema", {}), 0)
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise _left("its body is not an object")
    members = schema.get("properties", {})
    if not isinstance(members, dict) or members.keys() & properties.keys():
        raise _left("its body has a member that is also a parameter")
    for name, member in members.items():
        if files and member != {} and _octets(member):
            _file(name, properties, named=True)
        else:
            properties[name] = member
    required.extend(name for name in schema.get("required", ()) if isinstance(name, str))


def _octets(schema: Json, media: str = "") -> bool:
    """Whether a schema is of plain octets: OpenAPI 3.0 says `format: binary`, 3.1 nothing or a media type."""
    if not isinstance(schema, dict) or (schema == {} and media.startswith("text/")):
        return False
    return (
        schema == {}
        or (schema.get("type") == "string" and schema.get("format") == "binary")
        or "contentMediaType" in schema
    )


def _file(name: str, properties: dict[str, Json], *, named: bool) -> None:
    """The arguments that stand for octets: their SHA-256, their number, and of a file its name and type."""
    more = {name: "SHA-256 in hexadecimal", f"{name}_length": "octets"}
    more |= {f"{name}_name": "the file's name", f"{name}_type": "its media type"} if named else {}
    if more.keys() & properties.keys():
        raise _left("its file has the name of another argument")
    for each, text in more.items():
        properties[each] = {"type": "integer" if each.endswith("_length") else "string", "description": text}


def _upgrade(method: str, one: dict[str, Any]) -> dict[str, Json]:
    """That an operation opens a WebSocket: the document says so by an answer with status 101."""
    answers = one.get("responses")
    return {"upgrade": True} if method == "get" and isinstance(answers, dict) and "101" in answers else {}


def _schema(document: Json, said: Json, depth: int) -> Json:
    """A schema with its references written out, and only with what is looked at here."""
    if depth > DEEPEST:
        return {}
    found = _resolved(document, said)
    if not isinstance(found, dict):
        return {}
    kept: dict[str, Json] = {name: found[name] for name in _KEPT if name in found}
    if isinstance(found.get("properties"), dict):
        kept["properties"] = {name: _schema(document, one, depth + 1) for name, one in found["properties"].items()}
    if "items" in found:
        kept["items"] = _schema(document, found["items"], depth + 1)
    return kept


def _resolved(document: Json, said: Json) -> Json:
    """What a local reference names; anything else as it is."""
    for _ in range(DEEPEST):
        if not isinstance(said, dict) or "$ref" not in said:
            return said
        place: Json = document
        reference = said["$ref"]
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise _left("it refers to another document")
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            place = place.get(key) if isinstance(place, dict) else None
        said = place
    raise _left("its references have no end")


def _left(why: str) -> RemitError:
    return RemitError("operation_unfit", why, "Describe it in another way, or do without it.")


def _invalid(what: str) -> RemitError:
    return RemitError("openapi_invalid", what, "Give the API's OpenAPI 3 document, as JSON.")
