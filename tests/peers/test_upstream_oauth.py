"""The MCP conformance suite drives the gate's own OAuth client: all that it requires of one, and the extensions."""

import sys

import pytest

from tests.kit import conformance, peers

COUNTS = {"2026-07-28": 25, "2025-11-25": 14}
EXTENSIONS = (
    "auth/client-credentials-jwt",
    "auth/client-credentials-basic",
    "auth/enterprise-managed-authorization",
    "auth/dpop",
    "auth/dpop-nonce",
    "auth/wif-jwt-bearer",
)
COMMAND = f"{sys.executable} {peers.KIT / 'clients' / 'gate_oauth.py'}"


@pytest.mark.parametrize("revision", COUNTS)
def test_all_that_is_required_of_a_client_passes(revision):
    listed = conformance.asked_of_clients(revision)
    assert len(listed) == COUNTS[revision]
    found = {name: conformance.client(COMMAND, name, revision) for name in listed}
    assert {name: one.failed for name, one in found.items() if not one.full} == {}


@pytest.mark.parametrize("scenario", EXTENSIONS)
def test_an_extension_passes(scenario):
    found = conformance.client(COMMAND, scenario, "")
    assert found.full, (found.failed, found.output[-2000:])
