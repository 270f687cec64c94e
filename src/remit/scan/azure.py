"""Clients of Azure's storage and messages in Python that are given an account's key (AG104). Pure.

Source: the pages of `azure-storage-*`, `azure-data-tables` and `azure-search-documents`. A token of a login, or a
signature that ends (SAS), is none.
"""

import ast
import re
from typing import Final

from remit.scan import secret, syntax

_CLIENTS: Final = re.compile(
    r"^(?:Blob|Container|Queue|Table|Share|File|FileSystem|Directory|DataLake\w*|BlobService|QueueService|TableService|ShareService|DataLakeService"
    r"|EventGridPublisher|Search|SearchIndex|SearchIndexer|DocumentIntelligence|TextAnalytics)(?:Directory|File|Service)?Client$"
)
_KEY: Final = re.compile(r"(?i)(?:^|_)(?:account_?key|access_?key|storage_?key|shared_?key|key\d?|connection_?string)$")


def login(call: ast.Call) -> tuple[int, str] | None:
    """Where such a client is given a key."""
    name = syntax.last(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
    if not _CLIENTS.match(name):
        return None
    given = next(
        (one.value for one in call.keywords if one.arg == "credential"), call.args[1] if len(call.args) > 1 else None
    )
    if given is not None and _is_key(given):
        return given.lineno, f"{name} logs in with an account key of Azure"
    return None


def _is_key(value: ast.expr) -> bool:
    """Say whether a value is a key in full, or read from a variable that is called one."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, str) and secret.is_literal(value.value) and "sig=" not in value.value
    if isinstance(value, ast.Dict):
        return any(isinstance(key, ast.Constant) and key.value == "account_key" for key in value.keys)
    if isinstance(value, ast.Name | ast.Attribute):
        return bool(_KEY.search(syntax.last(value)))
    if isinstance(value, ast.Subscript | ast.Call) and re.search(r"environ|getenv|settings|config", syntax.said(value)):
        return any(isinstance(one.value, str) and _KEY.search(one.value) for one in syntax.every(value, ast.Constant))
    return False
