"""The table of scopes that comes along: it is small, it reads, and says of known scopes what is known of them."""

from remit.core.reach.scopes import PROVIDERS, table
from remit.custody.scopes import text


def test_the_table_is_small_and_has_every_provider():
    assert len(text()) < 250_000
    known = table(text())
    assert {one.provider for listed in known.values() for one in listed} == set(PROVIDERS)
    assert len(known) > 1_400


def test_known_scopes_are_for_what_they_are_known_for():
    known = table(text())
    [send] = known["https://www.googleapis.com/auth/gmail.send"]
    gmail = {place: (reads, writes) for place, reads, writes in send.places}
    assert gmail == {"gmail.users.messages": (0, 1)}
    readonly = known["https://www.googleapis.com/auth/drive.readonly"][0]
    assert all(writes == 0 for _, _, writes in readonly.places)
    [mail] = known["Mail.Send"]
    assert (mail.delegated, mail.own) == (2, 3)
    assert any(place == "users.sendmail" and writes for place, _, writes in mail.places)
    assert any(place == "chat" and writes for place, _, writes in known["chat:write"][0].places)
    assert {place for place, _, _ in known["repo"][0].places} >= {"code", "secrets", "hooks"}
