"""Looking at an account of AWS: its authorization details, page by page, as whoever a key belongs to. Read-only calls.

It asks for `iam:GetAccountAuthorizationDetails` and `sts:GetCallerIdentity`, and no more.
"""

import json
import re
from typing import Any, Final
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from remit.core.errors import RemitError
from remit.custody.sources.sts import StsSource

PAGES: Final = 10_000
LARGEST: Final = 64 << 20
"""Bytes of one page."""
LISTS: Final = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_DOCUMENTS: Final = frozenset({"PolicyDocument", "AssumeRolePolicyDocument", "Document"})
_TRUTHS: Final = frozenset({"IsDefaultVersion", "IsAttachable"})
_SPACE: Final = re.compile(r"\sxmlns=\"[^\"]*\"")


def look(source: StsSource) -> tuple[bytes, str]:
    """The account's details as `aws iam get-account-authorization-details` writes them, and who looked.

    Refuses what does not read, and more pages than an account can have (`survey_unsupported`).
    """
    found: dict[str, list[Any]] = {name: [] for name in LISTS}
    form = {"Action": "GetAccountAuthorizationDetails", "Version": "2010-05-08", "MaxItems": "200"}
    mark = ""
    for _ in range(PAGES):
        result = _parsed(source.call("iam", form | ({"Marker": mark} if mark else {}), most=LARGEST))
        for name in LISTS:
            found[name] += _members(result.find(name))
        mark = result.findtext("Marker", "") if result.findtext("IsTruncated") == "true" else ""
        if not mark:
            return json.dumps(found).encode(), _who(source)
    raise _strange()


def _who(source: StsSource) -> str:
    said = _parsed(source.call("sts", {"Action": "GetCallerIdentity", "Version": "2011-06-15"}))
    kind, _, name = said.findtext("Arn", "").rpartition(":")[2].partition("/")
    if kind == "assumed-role":
        return f"role/{name.partition('/')[0]}"
    return f"{kind}/{name.rpartition('/')[2]}" if kind in ("user", "role") else kind


def _parsed(text: str) -> ET.Element:
    """The result within an answer."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _strange()
    try:
        whole = ET.fromstring(_SPACE.sub("", text))  # noqa: S314 - no entities: see above
    except ET.ParseError:
        raise _strange() from None
    found = next((one for one in whole if one.tag.endswith("Result")), None)
    if found is None:
        raise _strange()
    return found


def _members(listed: ET.Element | None) -> list[Any]:
    return [_form(one) for one in (listed if listed is not None else ()) if one.tag == "member"]


def _form(element: ET.Element) -> Any:
    """One element as JSON: what has members is a list, what has children an object, documents as they read."""
    if element.tag in _DOCUMENTS:
        return json.loads(unquote(element.text or "null"))
    if element.tag in _TRUTHS:
        return element.text == "true"
    if element.tag.endswith("List") or element.tag in ("AttachedManagedPolicies", "Tags", "Roles"):
        return _members(element)
    if len(element):
        return {one.tag: _form(one) for one in element}
    return element.text or ""


def _strange() -> RemitError:
    return RemitError(
        "survey_unsupported",
        "AWS answered in a form that is not known here.",
        "Export it instead: aws iam get-account-authorization-details > FILE.",
    )
