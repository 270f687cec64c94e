"""What the settings say to the web face, with the secrets that they refer to."""

from collections.abc import Mapping

from remit.cli import settings as rules
from remit.cli.settings import Settings
from remit.control.poller import Source
from remit.control.stream import Receiver
from remit.custody.secret import Secret
from remit.web.settings import Issuer, WebSettings


def web_settings(settings: Settings, environ: Mapping[str, str]) -> WebSettings:
    """Read what the web face is told (`reference_invalid`, `issuer_invalid`)."""
    return WebSettings(
        issuers=tuple(_issuer(one, environ) for one in settings.issuers),
        public_log=settings.public_log,
        client_registration=settings.client_registration,
        client_documents=settings.client_documents,
        client_agent=settings.client_agent,
        door_rate=settings.door_rate,
        client_rate=settings.client_rate,
        weak_client_secrets=settings.weak_client_secrets,
        certificates=bool(settings.client_certificates or settings.certificate_proxy),
        receivers=receivers(settings, environ),
        postgres_port=settings.postgres_port,
        forward_port=settings.forward_port,
        secured=bool(settings.tls_cert),
    )


def receivers(settings: Settings, environ: Mapping[str, str]) -> tuple[Receiver, ...]:
    """The services that are told of ends, each with what is sent along to it (`reference_invalid`)."""
    return tuple(
        Receiver(
            one.service, one.audience, one.push, one.people,
            rules.read_reference(one.authorization, environ).strip() if one.authorization else b"", one.private,
            one.algorithm,
        )
        for one in settings.receivers
    )  # fmt: skip


def polled(settings: Settings, environ: Mapping[str, str]) -> tuple[Source, ...]:
    """The transmitters that are polled, each with what is sent along to it (`reference_invalid`)."""
    return tuple(
        Source(
            one.name, one.poll, rules.read_reference(one.authorization, environ).strip() if one.authorization else b"",
            one.private, one.token, one.client,
            rules.read_reference(one.secret, environ).strip() if one.secret else b"", one.scope, one.proof,
            one.token_issuer,
        )
        for one in settings.transmitters
    )  # fmt: skip


def _issuer(one: rules.Issuer, environ: Mapping[str, str]) -> Issuer:
    return Issuer(
        one.issuer,
        one.audience,
        one.jwks_uri,
        one.auto_register,
        groups_claim=one.groups_claim,
        sign_in=one.sign_in,
        assertions=one.assertions,
        vouches_to=tuple(one.vouches_to.split()),
        userinfo=one.userinfo,
        acts=one.acts,
        name=one.name,
        scopes=one.scopes,
        acr_values=one.acr_values,
        secret=_secret(one.client_secret, environ),
        key=_secret(one.client_key, environ),
    )


def _secret(reference: str, environ: Mapping[str, str]) -> Secret | None:
    return Secret(rules.read_reference(reference, environ).strip()) if reference else None
