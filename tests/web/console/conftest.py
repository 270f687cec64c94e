"""A governed world behind a real server, for the console's pages."""

import pytest

from tests.kit.site import site


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path) as one:
        yield one
