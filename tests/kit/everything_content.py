"""What the fixture server says: its media, schemas, resources and prompts, fixed by the conformance suite."""

import base64
import struct
import zlib
from typing import Any

import mcp_types as t

NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}


def _png() -> str:
    """One red pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    raw = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
        + chunk(b"IEND", b"")
    )
    return base64.b64encode(raw).decode()


def _wav() -> str:
    """Eight samples of silence, 8 kHz mono."""
    samples = b"\x80" * 8
    raw = (
        b"RIFF"
        + struct.pack("<I", 36 + len(samples))
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    )
    return base64.b64encode(raw + b"data" + struct.pack("<I", len(samples)) + samples).decode()


PNG = _png()
WAV = _wav()


def text(value: str) -> t.TextContent:
    return t.TextContent(type="text", text=value)


IMAGE = t.ImageContent(type="image", data=PNG, mime_type="image/png")
AUDIO = t.AudioContent(type="audio", data=WAV, mime_type="audio/wav")


def embedded(uri: str, mime_type: str, value: str) -> t.EmbeddedResource:
    return t.EmbeddedResource(
        type="resource", resource=t.TextResourceContents(uri=uri, mime_type=mime_type, text=value)
    )


# Schemas ---------------------------------------------------------------------------------------------------------


def fields(required: list[str] | None = None, **properties: dict[str, Any]) -> dict[str, Any]:
    """An object schema of these properties, all of them required unless told otherwise."""
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


STRING: dict[str, Any] = {"type": "string"}

SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": STRING, "city": STRING}}},
    "properties": {
        "name": STRING,
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": STRING,
        "email": STRING,
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}

USER_FIELDS = fields(
    username={"type": "string", "description": "User's response"},
    email={"type": "string", "description": "User's email address"},
)

DEFAULTED_FIELDS = fields(
    [],
    name={"type": "string", "default": "John Doe"},
    age={"type": "integer", "default": 30},
    score={"type": "number", "default": 95.5},
    status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    verified={"type": "boolean", "default": True},
)


def _titled(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"const": const, "title": title} for const, title in pairs]


_OPTIONS = ["option1", "option2", "option3"]
ENUM_FIELDS = fields(
    [],
    untitledSingle={"type": "string", "enum": _OPTIONS},
    titledSingle={
        "type": "string",
        "oneOf": _titled(("value1", "First Option"), ("value2", "Second Option"), ("value3", "Third Option")),
    },
    legacyEnum={
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    untitledMulti={"type": "array", "items": {"type": "string", "enum": _OPTIONS}},
    titledMulti={
        "type": "array",
        "items": {
            "anyOf": _titled(("value1", "First Choice"), ("value2", "Second Choice"), ("value3", "Third Choice"))
        },
    },
)

# Resources -------------------------------------------------------------------------------------------------------

WATCHED = "test://watched-resource"
TEMPLATE = "test://template/{id}/data"
_BEFORE, _AFTER = TEMPLATE.split("{id}")

RESOURCES = [
    t.Resource(
        uri="test://static-text", name="static-text", description="A text that never changes", mime_type="text/plain"
    ),
    t.Resource(uri="test://static-binary", name="static-binary", description="One red pixel", mime_type="image/png"),
    t.Resource(uri=WATCHED, name="watched-resource", description="A text to subscribe to", mime_type="text/plain"),
]
TEMPLATES = [
    t.ResourceTemplate(
        uri_template=TEMPLATE, name="template", description="Data for one id", mime_type="application/json"
    )
]


def read(uri: str) -> t.TextResourceContents | t.BlobResourceContents | None:
    """The contents of one resource, or None when there is none of that name."""
    if uri == "test://static-text":
        return t.TextResourceContents(
            uri=uri, mime_type="text/plain", text="This is the content of the static text resource."
        )
    if uri == "test://static-binary":
        return t.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
    if uri == WATCHED:
        return t.TextResourceContents(uri=uri, mime_type="text/plain", text="Watched resource content.")
    if uri.startswith(_BEFORE) and uri.endswith(_AFTER) and len(uri) > len(_BEFORE + _AFTER):
        name = uri[len(_BEFORE) : -len(_AFTER)]
        body = f'{{"id":"{name}","templateTest":true,"data":"Data for ID: {name}"}}'
        return t.TextResourceContents(uri=uri, mime_type="application/json", text=body)
    return None


# Prompts ---------------------------------------------------------------------------------------------------------


def _argument(name: str, description: str) -> t.PromptArgument:
    return t.PromptArgument(name=name, description=description, required=True)


PROMPTS = [
    t.Prompt(name="test_simple_prompt", description="One message, no arguments"),
    t.Prompt(
        name="test_prompt_with_arguments",
        description="Says its two arguments back",
        arguments=[_argument("arg1", "First test argument"), _argument("arg2", "Second test argument")],
    ),
    t.Prompt(
        name="test_prompt_with_embedded_resource",
        description="Embeds the resource that is named",
        arguments=[_argument("resourceUri", "URI of the resource to embed")],
    ),
    t.Prompt(name="test_prompt_with_image", description="An image and a question about it"),
    t.Prompt(name="test_input_required_result_prompt", description="Asks for context before it answers"),
]


def messages(*contents: t.ContentBlock) -> t.GetPromptResult:
    return t.GetPromptResult(messages=[t.PromptMessage(role="user", content=content) for content in contents])


def prompt(name: str, given: dict[str, str]) -> t.GetPromptResult | None:
    """A prompt that needs no input of its own, or None when there is none of that name."""
    match name:
        case "test_simple_prompt":
            return messages(text("This is a simple prompt for testing."))
        case "test_prompt_with_arguments":
            return messages(text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"))
        case "test_prompt_with_embedded_resource":
            return messages(
                embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing."),
                text("Please process the embedded resource above."),
            )
        case "test_prompt_with_image":
            return messages(IMAGE, text("Please analyze the image above."))
        case _:
            return None
