"""Pages: whatever is put into one is text."""

import pytest
from jinja2 import UndefinedError

from remit.core.errors import RemitError
from remit.web.console.inert import marked
from remit.web.console.page import page, trouble


def test_what_is_told_is_escaped():
    answer = trouble(RemitError("login_used", "<script>alert(1)</script>", "\" onload='x'"))
    assert answer.status_code == 400
    assert b"<script>" not in answer.body
    assert b"&lt;script&gt;" in answer.body


def test_a_page_that_lacks_something_is_never_sent():
    with pytest.raises(UndefinedError):
        page("trouble")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("read <b> & go", "read &lt;b&gt; &amp; go"),
        (f"a{' ' * 8}b", f"a{' ' * 8}b"),
        (f"a{' ' * 9}<", 'a<mark title="9 spaces">9 spaces</mark>&lt;'),
        ("a\tb", 'a<mark title="U+0009 no character">\\t</mark>b'),
        ("a\x7fb", 'a<mark title="U+007F no character">\\x7f</mark>b'),
        ("h\u00e9 <", "h\u00e9 &lt;"),
    ],
)
def test_plain_text_stands_as_it_is_and_what_hides_is_marked(text, shown):
    assert str(marked(text)) == shown
