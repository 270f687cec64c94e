"""GitHub: what Apps and tokens can do in an organisation, repository by repository, and what comes of it."""

import json

import pytest

from remit.core.errors import RemitError
from remit.core.reach.github.survey import survey

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


def test_what_was_not_asked_is_said_and_not_taken_as_nothing():
    subset = {"id": 7, "owner": {"login": "ann"}, "token_name": "ci", "repository_selection": "subset",
              "permissions": {"repository": {"contents": "write"}}}  # fmt: skip
    edges, seen = told(personal_access_tokens=[subset], teams=[{"slug": "core"}], members=[{"login": "ann"}])
    assert edges["token/ann/ci", "acme/wiki contents"] == ("write (perhaps)", True)
    assert edges["team/core", "whatever team/core is for"] == ("has (perhaps)", True)
    assert edges["members", "whatever the base permission is for"] == ("has (perhaps)", True)
    said = " ".join(seen.notes)
    for word in ("Apps", "owners", "deploy keys", "collaborators", "secrets of Actions", "token/ann/ci", "core"):
        assert word in said
    empty = {name: [] for name in ("installations", "owners", "organization_roles", "secrets")}
    whole = {"organization": {"default_repository_permission": "none"}, "teams": [], "members": [{"login": "ann"}],
             "personal_access_tokens": [], "repositories": [SITE | {"collaborators": [], "keys": []}]}  # fmt: skip
    _, seen = told(**(empty | whole))
    assert not any("not known" in note for note in seen.notes)


def test_people_have_what_their_teams_have_and_a_key_pushes():
    wiki = {"full_name": "acme/wiki", "permissions": {"pull": True, "push": True}}
    keys = [{"id": 1, "title": "ci"}, {"id": 2, "title": "mirror", "read_only": True}]
    edges, _ = told(
        members=[{"login": "ann"}], owners=[{"login": "eve"}], secrets=[{"name": "NONE", "repositories": []}],
        teams=[{"slug": "core", "repositories": [wiki], "members": []},
               {"slug": "web", "parent": {"slug": "core"}, "repositories": [], "members": [{"login": "ann"}]}],
        repositories=[SITE | {"keys": keys}],
    )  # fmt: skip
    assert edges["user/ann", "team/web"] == ("is in the team", False)
    assert ("team/web", "team/core") in edges
    assert edges["team/core", "write in acme/wiki"] == ("has", False)
    assert edges["write in acme/wiki", "acme/wiki contents"] == ("write", True)
    assert ("write in acme/wiki", "actions of acme/wiki") in edges
    assert edges["key/acme/site/ci 1", "acme/site contents"] == ("write", True)
    assert edges["key/acme/site/mirror 2", "acme/site contents"] == ("read", False)
    assert ("user/eve", "everything") in edges
    assert not any(b == "secret NONE" for _, b in edges)


@pytest.mark.parametrize("form", [[], {}, {"installations": [{"app_slug": "x"}]}, {"installations": 3}])
def test_what_is_no_export_is_refused(form):
    with pytest.raises(RemitError) as fault:
        survey(json.dumps(form).encode())
    assert fault.value.code == "reach_invalid"
