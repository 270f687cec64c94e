"""The names of users in the two dialects; what their servers make of them: `tests/peers/test_mariadb.py`."""

import pytest

from remit.custody.sources.maria_dialect import DIALECTS, account
from tests.kit.nouns import code, named

TASK = named("tsk")[4:]


def name(task=TASK, path="own", own="npfh3kgj"):
    return f"remit_tsk_{task}_{path}_{own}"


def test_a_user_leads_back_to_its_task_and_is_as_long_as_its_server_takes():
    assert DIALECTS["mariadb"].user(name()) == name()
    found = DIALECTS["mysql"].user(name())
    assert (found, len(found)) == (f"{TASK}oh3kgj", 32)
    others = [name(task="b" * 26), name(path="del"), name(own="npfh3kgk"), name(own="aaafxkgj"), "remit_x", "remit_y"]
    users = {DIALECTS["mysql"].user(one) for one in (name(), *others)}
    assert len(users) == 1 + len(others)
    assert max(map(len, users)) == 32
    assert account(found) == f"'{found}'@'%'"


@pytest.mark.parametrize("wrong", ["", "root", "remit_", "remit_A", "remit_x'", "remit_x\n", "remit_" + "x" * 80])
def test_what_was_not_made_here_has_no_user(wrong):
    for one in DIALECTS.values():
        assert code(one.user, wrong) == "lease_invalid"


@pytest.mark.parametrize("wrong", ["", "a'b", "a b", "é", "a@b", "_"])
def test_an_account_is_quoted_only_where_it_needs_no_escape(wrong):
    assert code(account, wrong) == "lease_invalid"


def test_each_knows_its_own_servers():
    said = {
        "11.8.1-MariaDB": "mariadb",
        "5.5.5-10.11.6-MariaDB-0+deb12u1": "mariadb",
        "9.7.4-2": "mysql",
        "8.0.41": "mysql",
    }
    assert {version: [kind for kind, one in DIALECTS.items() if one.is_of(version)] for version in said} == {
        version: [kind] for version, kind in said.items()
    }
