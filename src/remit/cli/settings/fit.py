"""What is refused of each table: each rule is given what was written, where, and the tables before it."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from remit.cli.settings.reference import REFERENCES, reachable
from remit.cli.settings.tables import Cosigned, Hooked, Issuer, Polled, Received
from remit.core.errors import RemitError
from remit.core.poll import KEY, PROOFS


def _issuer(held: dict[str, Any], where: str, _: list[Any]) -> None:
    if not held.get("issuer") or not held.get("audience"):
        raise RemitError("setting_invalid", f"{where}: an issuer has an issuer and an audience.", "Give both.")
    secrets = [held[name] for name in ("client_secret", "client_key") if held.get(name)]
    if len(secrets) > 1 or not all(one.startswith(REFERENCES) for one in secrets):
        raise RemitError(
            "setting_invalid",
            f"{where}: an issuer takes one of client_secret and client_key, and by reference, never by value.",
            "Write env:NAME, file:PATH or keyring:SERVICE/NAME.",
        )


def _witness(held: dict[str, Any], where: str, _: list[Any]) -> None:
    if set(held) != {one.name for one in fields(Cosigned)} or not reachable(held["url"]):
        raise RemitError(
            "setting_invalid",
            f"{where}: a witness has a url and a key; plain http is for this very machine only.",
            "Give both, the key as remit witness show prints it.",
        )


def _hook(held: dict[str, Any], where: str, _: list[Any]) -> None:
    if not reachable(held.get("url", "")) or not str(held.get("secret", "")).startswith(REFERENCES):
        raise RemitError(
            "setting_invalid",
            f"{where}: a hook has a url and a secret by reference; plain http is for this very machine only.",
            "Give both, the secret as env:NAME, file:PATH or keyring:SERVICE/NAME.",
        )


def _receiver(held: dict[str, Any], where: str, before: list[Any]) -> None:
    secret = held.get("authorization", "")
    fit = not secret or (held.get("push") and secret.startswith(REFERENCES))
    if (
        not held.get("service")
        or not held.get("audience")
        or not fit
        or held["service"] in {one.service for one in before}
    ):
        raise RemitError(
            "setting_invalid",
            f"{where}: a receiver has a service of its own and an audience, and an authorization by reference.",
            "Give both; the authorization, for a push alone, as env:NAME, file:PATH or keyring:SERVICE/NAME.",
        )
    if held.get("algorithm", "ES256") not in ("ES256", "RS256"):
        raise RemitError("setting_invalid", f"{where}: events are not signed so.", "Use ES256, or RS256.")
    if held.get("push") and not reachable(held["push"]):
        raise RemitError(
            "setting_invalid",
            f"{where}: nothing is pushed there.",
            "Use https; http is for this very machine only.",
        )


def _transmitter(held: dict[str, Any], where: str, before: list[Any]) -> None:
    secret, poll = held.get("authorization", ""), held.get("poll", "").partition("?")[0]
    fit = not secret or secret.startswith(REFERENCES)
    if not held.get("name") or not reachable(poll) or not fit or held["name"] in {one.name for one in before}:
        raise RemitError(
            "setting_invalid",
            f"{where}: a transmitter has a name of its own and the URL of its poll endpoint.",
            "Give both, https or this very machine; the authorization as env:NAME, file:PATH or keyring:NAME.",
        )
    own = [held.get(one, "") for one in ("token", "client", "secret")]
    whole = all(own) and reachable(own[0].partition("?")[0]) and own[2].startswith(REFERENCES) and not secret
    if not whole and any((*own, held.get("scope"))):
        raise RemitError(
            "setting_invalid",
            f"{where}: a token is asked for at an endpoint, as a client, with a secret, and instead of authorization.",
            "Give token (https or this very machine), client, and secret as env:NAME, file:PATH or keyring:NAME.",
        )
    proof = held.get("proof", "")
    if (proof and (proof not in PROOFS or not own[0])) or (held.get("token_issuer") and proof != KEY):
        raise RemitError(
            "setting_invalid",
            f"{where}: a client proves itself at a token endpoint in one of three ways.",
            f"Give proof as one of {', '.join(PROOFS)}; token_issuer goes with the last.",
        )


TABLES: Final[Mapping[str, tuple[Any, Callable[[dict[str, Any], str, list[Any]], None]]]] = {
    "issuers": (Issuer, _issuer), "witnesses": (Cosigned, _witness), "hooks": (Hooked, _hook),
    "receivers": (Received, _receiver), "transmitters": (Polled, _transmitter),
}  # fmt: skip
