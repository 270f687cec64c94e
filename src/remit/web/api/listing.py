"""Lists in pages, and single records: the same for every noun."""

from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.record import Record, dump
from remit.store.record import key
from remit.web.intake import limit, query
from remit.web.site import Site

R = TypeVar("R", bound=Record)


def page(site: Site, kind: type[R], asked: dict[str, str], **columns: str) -> tuple[list[R], str]:
    """One page of records in the order of their ids, and where the next one starts; empty when there is none."""
    most = limit(asked)
    names = ["id > ?", *(f"{name} = ?" for name in columns)]
    values = (asked.get("after", ""), *columns.values())
    records = list(site.reader().where(kind, " AND ".join(names), values, most + 1))
    return records[:most], key(records[most - 1]) if len(records) > most else ""


def listed(site: Site, request: Request, kind: type[R], *filters: str, **columns: str) -> JSONResponse:
    """A page as JSON: `items`, and `next` to be sent as `after`."""
    asked = query(request, "after", "limit", *filters)
    chosen = {name: asked[name] for name in filters if name in asked}
    items, following = page(site, kind, asked, **{**chosen, **columns})
    return answer([shown(one) for one in items], following)


def shown(record: Record) -> dict[str, Json]:
    """A record as JSON; its state is written out even when it is the first one."""
    state = getattr(record, "state", None)
    return dump(record) if state is None else {**dump(record), "state": state}


def answer(items: list[dict[str, Json]], following: str) -> JSONResponse:
    """A list as JSON."""
    return JSONResponse({"items": items, **({"next": following} if following else {})})


def found(site: Site, kind: type[R], identity: str) -> R:
    """The record of this id (`not_found`)."""
    one = site.reader().get(kind, identity)
    if one is None:
        raise RemitError("not_found", f"There is no such {kind.__name__.lower()}.", "List what there is.")
    return one
