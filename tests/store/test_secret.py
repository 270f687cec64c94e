from remit.store import secret

KEY = ("kid", "token:own", "active", 1, None, b"sealed")
ROW = ("upstream", "key", 1, b"sealed")


def test_a_sealed_key_is_kept_as_it_was_and_replaced_by_its_kid(tables):
    secret.put_key(tables, KEY)
    assert secret.keys(tables) == [KEY]
    later = ("kid", "token:own", "retired", 2, 2, b"")
    secret.put_key(tables, later)
    secret.put_key(tables, ("another", *KEY[1:]))
    assert secret.keys(tables) == [("another", *KEY[1:]), later]


def test_a_sealed_secret_is_kept_by_purpose_and_name(tables):
    assert secret.get_secret(tables, "upstream", "key") is None
    secret.put_secret(tables, ROW)
    secret.put_secret(tables, ("other", *ROW[1:]))
    secret.put_secret(tables, (*ROW[:2], 2, b"anew"))
    assert secret.get_secret(tables, "upstream", "key") == ("upstream", "key", 2, b"anew")
    assert [row[0] for row in secret.secrets(tables)] == ["other", "upstream"]
