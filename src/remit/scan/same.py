"""Whether a file, read again, says what it said but for what its fixes mean to change. Pure.

It reads by the grammars' own libraries and not by the readers' nodes, which pass over what they have no need of. A key
that stands twice is no document: what is meant by it nobody can say.
"""

import tomllib
from collections.abc import Hashable, Iterable
from typing import Any, Final

import yaml

from remit.scan.fix import Fix
from remit.scan.node import DEEPEST, MOST, Node
from remit.scan.placed import placed

GONE: Final = object()
"""What a fix means by a member that it takes out."""
_WORD: Final = "tag:yaml.org,2002:str"


def same(form: str, before: str, after: str, fixes: Iterable[Fix]) -> bool:
    """Say whether the text after is the document of the text before with just what the fixes mean."""
    old, new = plain(form, before), plain(form, after)
    if old is None or new is None:
        return False
    for fix in fixes:
        for path, value in fix.meant:
            if not _put(old, path, value):
                return False
    return bool(old == new)


def plain(form: str, text: str) -> Any:
    """A document as tables, lists and what stands in them, each with its kind; None when it is none."""
    try:
        if form == "json":
            found = placed(text)
            return None if found is None else of(found.root)
        if form == "toml":
            return of(tomllib.loads(text))
        return [_Composed().of(one, 0) for one in yaml.compose_all(text, Loader=yaml.SafeLoader)]
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def of(value: object) -> Any:
    """A value as `plain` has it."""
    bare = value.value if isinstance(value, Node) else value
    if isinstance(bare, dict):
        return {name: of(one) for name, one in bare.items()}
    if isinstance(bare, list | tuple):
        return [of(one) for one in bare]
    return f"{type(bare).__name__}: {bare!r}"


class _Composed:
    def __init__(self) -> None:
        self.left = MOST

    def of(self, node: yaml.Node, depth: int) -> Any:
        self.left -= 1
        if depth > DEEPEST or self.left < 0:
            raise ValueError
        if isinstance(node, yaml.MappingNode):
            found: dict[Hashable, Any] = {}
            for key, value in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else repr(self.of(key, depth + 1))
                if name in found:
                    raise ValueError
                found[name] = self.of(value, depth + 1)
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self.of(one, depth + 1) for one in node.value]
        return f"{'str' if node.tag == _WORD else node.tag}: {node.value!r}"


def _put(document: Any, path: tuple[str | int, ...], value: object) -> bool:
    """Put a value at a place, or take it out; False where there is no such place."""
    above = document[0] if isinstance(document, list) and len(document) == 1 and path[:1] != (0,) else document
    try:
        for step in path[:-1]:
            above = above[step]
        if value is GONE:
            del above[path[-1]]
        else:
            above[path[-1]] = of(value)
    except (KeyError, IndexError, TypeError):
        return False
    return True
