import pytest

from remit.core.trust import TrustPath


def test_there_are_two_paths_and_no_third():
    assert [path.value for path in TrustPath] == ["delegated", "own"]
    with pytest.raises(ValueError, match="blended"):
        TrustPath("blended")
