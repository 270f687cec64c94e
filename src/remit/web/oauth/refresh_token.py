"""Refresh: the next credential of a task that a person consented to. Each refresh token counts once."""

from starlette.requests import Request

from remit.control import renewal
from remit.control.change import Change
from remit.core.canonical import Json
from remit.core.client import Client
from remit.core.consent import Refresh
from remit.core.errors import RemitError
from remit.web.intake import Form, one_of
from remit.web.oauth import renewing
from remit.web.site import Site


async def give(site: Site, request: Request, asked: Form) -> dict[str, Json]:
    """Turn a refresh token into the task's credential as it may be now, and the next refresh token."""
    text = one_of(asked, "refresh_token")

    def take(change: Change, client: Client, thumb: str) -> Refresh | RemitError:
        return renewal.again(change, client, text, thumb)

    return await renewing.give(site, request, asked, take)
