"""GitHub: what Apps and tokens can do in an organisation, repository by repository, and what comes of it."""

import json

import pytest

from remit.core.errors import RemitError
from remit.core.reach.github import survey

SITE, WIKI = {"full_name": "acme/site"}, {"full_name": "acme/wiki"}


def told(**form):
    seen = survey(json.dumps({"repositories": [SITE, WIKI], **form}).encode())
    names = [name for _, name, _ in seen.nodes]
    return {(names[a], names[b]): (label, writes) for a, b, label, writes in seen.edges}, seen


def app(slug="bot", **more):
    return {"id": 1, "app_slug": slug, "repository_selection": "all", "permissions": {}} | more


def test_an_app_has_its_permissions_on_its_repositories_and_on_those_to_come():
    edges, _ = told(installations=[
        app(permissions={"contents": "read", "issues": "write", "organization_hooks": "read"}),
        app("one", repository_selection="selected", repositories=[SITE], permissions={"contents": "write"}),
        app("gone", suspended_at="2026-01-01T00:00:00Z", permissions={"contents": "write"}),
    ])  # fmt: skip
    assert edges["app/bot", "acme/site contents"] == ("read", False)
    assert edges["app/bot", "acme/wiki issues"] == ("write", True)
    assert edges["app/bot", "any repository issues"] == ("write", True)
    assert edges["app/bot", "organization organization_hooks"] == ("read", False)
    assert edges["app/one", "acme/site contents"] == ("write", True)
    assert ("app/one", "acme/wiki contents") not in edges
    assert not any(a == "app/gone" for a, _ in edges)
    assert ("app/bot", "actions of acme/site") not in edges


def test_some_repositories_that_are_not_told_count_as_all_and_are_named():
    edges, seen = told(installations=[app(repository_selection="selected", permissions={"contents": "write"})])
    assert edges["app/bot", "acme/wiki contents"] == ("write (perhaps)", True)
    assert any("app/bot" in note for note in seen.notes)


def test_a_token_has_its_groups_of_permissions_until_it_expires():
    token = {"id": 7, "owner": {"login": "ann"}, "token_name": "ci", "repository_selection": "all",
             "permissions": {"repository": {"contents": "write"}, "organization": {"members": "read"}}}  # fmt: skip
    edges, _ = told(personal_access_tokens=[token, token | {"token_name": "old", "token_expired": True}])
    assert edges["token/ann/ci", "acme/site contents"] == ("write", True)
    assert edges["token/ann/ci", "organization members"] == ("read", False)
    assert not any(a == "token/ann/old" for a, _ in edges)


def test_what_is_written_runs_and_what_runs_reads_secrets():
    secrets = [{"name": "DEPLOY", "repositories": [SITE]}, {"name": "ALL"}]
    edges, _ = told(secrets=secrets, installations=[
        app(permissions={"contents": "write", "workflows": "write"}),
        app("weak", permissions={"contents": "write"}),
        app("root", permissions={"administration": "write"}),
        app("owner", permissions={"members": "write"}),
    ])  # fmt: skip
    assert edges["app/bot", "actions of acme/site"][0] == "writes its workflows"
    assert edges["app/weak", "actions of acme/site"][0].endswith("(perhaps)")
    assert ("actions of acme/site", "secret DEPLOY") in edges
    assert ("actions of acme/wiki", "secret DEPLOY") not in edges
    assert ("actions of acme/wiki", "secret ALL") in edges
    assert ("app/root", "everything in acme/site") in edges
    assert edges["everything in acme/site", "acme/site contents"] == ("admin", True)
    assert edges["app/owner", "everything"][0].startswith("makes owners")
    assert ("everything", "everything in acme/wiki") in edges


def test_a_permission_that_nobody_knows_is_named_and_counts_as_writing():
    edges, seen = told(installations=[app(permissions={"telepathy": "read"})])
    assert edges["app/bot", "whatever telepathy is for"] == ("read (perhaps)", True)
    assert any("telepathy" in note for note in seen.notes)


@pytest.mark.parametrize("form", [[], {}, {"installations": [{"app_slug": "x"}]}, {"installations": 3}])
def test_what_is_no_export_is_refused(form):
    with pytest.raises(RemitError) as fault:
        survey(json.dumps(form).encode())
    assert fault.value.code == "reach_invalid"
