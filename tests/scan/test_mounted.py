"""Places of the host, and what of them is mounted, folders that may be used, and switches of certificates."""

import pytest

from remit.scan import checked, mounted, opened


@pytest.mark.parametrize(
    ("place", "held", "broad"),
    [
        ("/", True, True),
        ("~", True, True),
        ("${HOME}", True, True),
        ("${HOME:-/root}", True, True),
        ("${localEnv:HOME}${localEnv:USERPROFILE}", True, True),
        ("/mnt/c/Users/ana", True, True),
        ("C:\\Users\\ana\\", True, True),
        ("~/**", True, True),
        ("~/src", False, False),
        ("/c/src", False, False),
        ("/srv/home", False, False),
        ("~/.config", True, False),
        ("~/.config/acme", False, False),
        ("~/.aws/credentials", True, False),
        ("./.aws", False, False),
        ("./run/docker.sock", True, False),
        ("~/.ssh/known_hosts", False, False),
        ("${SOCK:-/run/podman/podman.sock}", True, False),
    ],
)
def test_a_place_is_told_apart(place: str, held: bool, broad: bool) -> None:
    assert (mounted.held(place), mounted.broad(place)) == (held, broad)


def test_a_list_of_folders_is_wide_where_one_is() -> None:
    assert opened.wide("ALLOWED_DIRS", "/srv/a:/home/ana")
    assert opened.wide("ALLOWED_DIRS", "C:\\Users\\ana")
    assert not opened.wide("ALLOWED_DIRS", "/srv/a:/srv/b")
    assert not opened.wide("BASE_PATH", "/")
    assert not opened.wide("SPEED", "/")


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("a-mcp --no-verify-ssl", [2]),
        ("a-mcp --ssl-verify off", [2]),
        ("curl -fsSk https://a.example", [2]),
        ("pip install --trusted-host a.example b", [3]),
        ("web --trusted-host a.example", []),
        ("git commit --no-verify", []),
        ("a-mcp --verify-ssl on --ignore-http-errors", []),
        ("a-mcp --insecure=false", []),
    ],
)
def test_a_switch_that_checks_nothing_is_found(words: str, lines: list[int]) -> None:
    assert [line for _, line, _ in checked.told([(word, n) for n, word in enumerate(words.split(), 1)])] == lines
