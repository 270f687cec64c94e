"""OAuth scopes: who was granted what, in each form that providers export, and what nobody knows."""

import json

import pytest

from remit.core.errors import RemitError
from remit.core.reach.scopes import survey, table

TEXT = (
    "google\thttps://www.googleapis.com/auth/drive.file\t0\t0\tdrive.files:5:7 drive.about:1:0\n"
    "graph\tMail.Send\t2\t3\tusers.sendmail:0:2\n"
    "slack\tchat:write\t0\t0\tchat:0:6\n"
    "github\tuser\t0\t0\tprofile:1:1\n"
    "slack\tuser\t0\t0\tusers:1:0\n"
)
DRIVE = "https://www.googleapis.com/auth/drive.file"


def told(form):
    seen = survey(json.dumps(form).encode(), table(TEXT))
    names = [name for _, name, _ in seen.nodes]
    return {(names[a], names[b]): (label, writes) for a, b, label, writes in seen.edges}, seen


def test_scopes_lead_to_what_their_methods_are_for():
    edges, seen = told({"grants": [{"name": "notes", "scopes": [DRIVE, "Mail.Send", "openid"], "kind": "Application"}]})
    assert edges["notes", DRIVE] == ("has the scope, with nobody there", False)
    assert edges[DRIVE, "google drive.files"] == ("5 read, 7 write", True)
    assert edges[DRIVE, "google drive.about"] == ("1 read", False)
    assert edges["Mail.Send", "graph users.sendmail"] == ("2 write", True)
    assert edges["openid", "who the person is"] == ("reads", False)
    titles = {name: title for _, name, title in seen.nodes}
    assert titles["Mail.Send"] == "Mail.Send (privilege 2 of 5 for a person, 3 of 5 by itself)"
    assert not any("not known" in note for note in seen.notes)


def test_a_scope_that_nobody_knows_is_named_and_counts_as_writing_everything():
    edges, seen = told([{"name": "x", "scopes": "dream:all chat:write"}])
    assert edges["dream:all", "whatever dream:all is for"] == ("anything (perhaps)", True)
    assert edges["chat:write", "slack chat"] == ("6 write", True)
    assert any("dream:all" in note for note in seen.notes)


def test_a_name_of_two_providers_is_both_unless_one_is_named():
    assert {b for _, b in told([{"name": "x", "scopes": ["user"]}])[0]} >= {"github profile", "slack users"}
    edges, _ = told({"provider": "github", "grants": [{"name": "x", "scopes": ["user", "chat:write"]}]})
    assert ("user", "slack users") not in edges
    assert ("chat:write", "whatever chat:write is for") in edges


@pytest.mark.parametrize(
    "form",
    [
        {"items": [{"clientId": "1", "displayText": "app", "scopes": [DRIVE]}]},
        {"value": [{"clientId": "app", "consentType": "AllPrincipals", "scope": f" {DRIVE} offline_access"}]},
        {"approved_apps": [{"app": {"id": "A1", "name": "app"}, "scopes": [{"name": DRIVE, "is_sensitive": True}]}]},
        [{"app_name": "app", "scopes": {"bot": [DRIVE]}}],
        {"grants": [{"name": "app", "scopes": ["drive.file"]}]},
    ],
)
def test_each_form_that_is_exported_is_read(form):
    edges, _ = told(form)
    assert any(a == "app" and b.endswith("drive.file") for a, b in edges)
    assert any(b == "google drive.files" for _, b in edges)


@pytest.mark.parametrize(
    "form",
    ["{", "3", {"grants": 3}, [3], [{"scopes": ["a"]}], [{"name": "x"}], [{"name": "x", "scopes": [3]}],
     {"provider": "acme", "grants": []}, [{"name": "x" * 501, "scopes": []}]],
)  # fmt: skip
def test_what_is_no_list_of_grants_is_refused(form):
    with pytest.raises(RemitError) as fault:
        survey(form.encode() if form == "{" else json.dumps(form).encode(), table(TEXT))
    assert fault.value.code == "reach_invalid"
