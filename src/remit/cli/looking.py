"""What `remit reach introspect` looks at: files of each source, and targets, as whoever leases are made as there."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from remit.cli.desk import Desk
from remit.cli.settings import environment, read_reference
from remit.cli.values import document
from remit.control.resource import SECRETS
from remit.core.errors import RemitError
from remit.core.reach.survey import LARGEST, Seen
from remit.core.resource import Minting, Resource
from remit.custody.secret import Secret


def looked(desk: Desk, resource: str, login: str | None) -> Seen:
    """What a target says of its rights (`secret_unknown` when there is no login, `driver_missing`)."""
    if login is not None:
        return _database(Secret(read_reference(login, environment()).strip()))
    one = desk.need(Resource, resource)
    minting = one.minting
    if minting is None or minting.kind not in ("postgres", "aws") or not minting.secret:
        raise RemitError(
            "secret_unknown",
            f"{resource} names no login of a database or an account to look with.",
            "Give one: --as env:NAME. Or an export of the target: --from FILE --source KIND.",
        )
    secret = desk.authority.lending.get(SECRETS, minting.secret)
    return _database(secret) if minting.kind == "postgres" else _account(desk, minting, secret)


def _database(url: Secret) -> Seen:
    try:
        from remit.custody.surveyor import look
    except ImportError as fault:
        raise RemitError(
            "driver_missing", "The driver for postgres is not installed.", "Install it: pip install 'remit[postgres]'."
        ) from fault
    from remit.core.reach.postgres import survey

    return survey(look(url))


def _account(desk: Desk, minting: Minting, secret: Secret) -> Seen:
    from remit.core.reach.aws.survey import survey
    from remit.custody.actions import actions
    from remit.custody.sources.sts import StsSource
    from remit.custody.surveyor_aws import look

    source = StsSource(secret, minting.settings, desk.authority.clock.now)
    try:
        details, who = look(source)
    finally:
        source.close()
    return survey(details, actions(), who)


def _facts(file: str) -> Seen:
    from remit.core.reach import facts

    return facts.read(document(file))


def _aws(file: str) -> Seen:
    from remit.core.reach.aws.survey import survey
    from remit.custody.actions import actions

    return survey(_bytes(file), actions())


def _kubernetes(file: str) -> Seen:
    from remit.core.reach.kubernetes.survey import survey

    return survey(_bytes(file))


def _github(file: str) -> Seen:
    from remit.core.reach.github.survey import survey

    return survey(_bytes(file))


def _scopes(file: str) -> Seen:
    from remit.core.reach.scopes import survey, table
    from remit.custody.scopes import text

    return survey(_bytes(file), table(text()))


def _bytes(file: str) -> bytes:
    place = Path(file)
    if place.stat().st_size > LARGEST:
        raise RemitError("reach_invalid", f"{file} is larger than 256 MB.", "See docs/spec/reach.md.")
    return place.read_bytes()


READERS: Final[dict[str, Callable[[str], Seen]]] = {
    "facts": _facts,
    "aws": _aws,
    "kubernetes": _kubernetes,
    "github": _github,
    "scopes": _scopes,
}
"""What reads a file of each source."""
