"""Fixes in files of shapes that are easily cut wrong: with comments, in braces, of several documents, large ones."""

import pytest

from remit.scan.patch import patch
from tests.scan.test_fixed import CODEX, COMPOSE, GOOSE, mended, wrong


def test_comments_stay_where_what_they_stand_beside_goes() -> None:
    key = "q7ZtWm2Lx9RbVc4Hn8"
    goose = (
        f"extensions:\n  a: # one\n    cmd: x\n    envs: # what it needs\n      # of the desk\n"
        f"      A_KEY: {key} # turn it\n      # and of the shop\n      B_TOKEN: '{key}b'\n"
        "    env_keys:\n      - LANG # plain\n    timeout: 3\n"
    )
    one = mended(GOOSE, goose)
    assert (wrong(one), one.left) == ([], ())
    assert one.after == (
        "extensions:\n  a: # one\n    cmd: x\n    envs: {} # what it needs\n      # of the desk\n       # turn it\n"
        "      # and of the shop\n    env_keys:\n      - LANG # plain\n      - A_KEY\n      - B_TOKEN\n    timeout: 3\n"
    )


def test_a_name_is_not_said_twice() -> None:
    key = "q7ZtWm2Lx9RbVc4Hn8"
    one = mended(COMPOSE, f"services:\n  a:\n    image: x\n    environment:\n      A_KEY: {key}\n")
    assert [fix.said for fix in one.fixes] == ["A_KEY refers to the variable of its name"]


def test_a_server_of_codex_that_stands_in_braces_is_mended_there() -> None:
    key = "q7ZtWm2Lx9RbVc4Hn8"
    codex = f'[mcp_servers]\na = {{ command = "x", env = {{ A_KEY = "{key}", B = "1" }} }} # one\n'
    one = mended(CODEX, codex)
    assert (wrong(one), one.left) == ([], ())
    assert one.after == '[mcp_servers]\na = { command = "x", env_vars = ["A_KEY"], env = { B = "1" } } # one\n'
    bearer = (
        f'[mcp_servers]\na = {{ url = "https://a.example", http_headers = {{ Authorization = "Bearer {key}" }} }}\n'
    )
    one = mended(CODEX, bearer)
    assert (wrong(one), one.left) == ([], ())
    assert one.after == '[mcp_servers]\na = { url = "https://a.example", bearer_token_env_var = "A_TOKEN" }\n'


def test_of_several_documents_the_one_with_services_is_mended_and_the_rest_is_the_same() -> None:
    key = "q7ZtWm2Lx9RbVc4Hn8"
    first = f"x-note: &n\n  K_TOKEN: {key}n\n"
    services = f"services:\n  a:\n    image: x\n    environment:\n      A_KEY: {key}\n"
    for text in (f"{first}---\n{services}", f"{services}---\n{first}", f"---\n{first}---\n{services}---\nz: 1\n"):
        one = mended(COMPOSE, text)
        assert one.after == text.replace(f"A_KEY: {key}", "A_KEY: ${A_KEY:?}")
        assert key not in patch(one)
    two = mended(COMPOSE, f"{services}---\n{services}")
    assert two.fixes == ()
    assert {each.why for each in two.left} == {
        "the file holds several documents, and not just one of them has services"
    }


@pytest.mark.parametrize("path", [GOOSE, COMPOSE, CODEX])
def test_what_nothing_is_cut_from_for_its_size_is_named_so(path: str) -> None:
    key, fill = "q7ZtWm2Lx9RbVc4Hn8", "# filled\n" * (120_000 if path == CODEX else 8_000)
    text = {
        GOOSE: f"extensions:\n  a:\n    cmd: x\n    envs:\n      A_KEY: {key}\n",
        COMPOSE: f"services:\n  a:\n    image: x\n    environment:\n      A_KEY: {key}\n",
        CODEX: f'[mcp_servers.a]\ncommand = "x"\nenv = {{ A_KEY = "{key}" }}\n',
    }[path]
    one = mended(path, text + fill)
    assert one.fixes == ()
    size = "1024" if path == CODEX else "64"
    assert [each.why for each in one.left if each.code == "AG101"] == [
        f"the file is larger than {size} KiB, and nothing is cut from one of that size"
    ]
    assert mended(path, text + fill[:50_000] + "\n").fixes, "one that is smaller is mended"
