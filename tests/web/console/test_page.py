"""Pages: whatever is put into one is text."""

import pytest
from jinja2 import UndefinedError

from remit.core.errors import RemitError
from remit.web.console.page import page, trouble


def test_what_is_told_is_escaped():
    answer = trouble(RemitError("login_used", "<script>alert(1)</script>", "\" onload='x'"))
    assert answer.status_code == 400
    assert b"<script>" not in answer.body
    assert b"&lt;script&gt;" in answer.body


def test_a_page_that_lacks_something_is_never_sent():
    with pytest.raises(UndefinedError):
        page("trouble")
