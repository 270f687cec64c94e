"""Shapes that may be a secret, and those that are none."""

import pytest

from remit.scan import hide


@pytest.mark.parametrize("text", ["PGPASSWORD=hunter2", "mysql -phunter2", "curl -u a:hunter2", "x --token hunter2"])
def test_what_may_be_a_secret_is_told_by_its_shape(text: str) -> None:
    assert hide.may(text)


@pytest.mark.parametrize("text", ["--max-tokens=100", "API_TOKEN=${API_TOKEN}", "docker run -p8080:80", "git push"])
def test_what_is_none_is_let_stand(text: str) -> None:
    assert not hide.may(text)
