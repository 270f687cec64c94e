"""A database is registered from the command line, and agents reach it where the server listens."""

import re

import psycopg

from tests.kit.database import PASSWORD, database
from tests.kit.postgres import server
from tests.kit.shell import Shell


def test_a_database_is_registered_shown_and_pinned_anew(tmp_path_factory):
    url = database()
    shell = Shell(tmp_path_factory.mktemp("shop"))
    shell.ok("remit up --no-serve")
    shell.write("password", PASSWORD)
    shell.ok("remit secret put shop-db --from file:password")
    place = f"postgresql://gate_role@127.0.0.1:{server().port}/{url.rpartition('/')[2]}"
    shell.ok(
        f"remit resource add shop --database {place} --schema public --domain office --owner olga --secret shop-db"
    )
    shown = shell.ok("remit resource show shop")
    assert "public.orders" in shown
    assert re.search(r"^select +pinned +read", shown, re.MULTILINE)
    assert PASSWORD not in shown
    assert shell.run("remit resource repin shop").code == 0
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("ALTER TABLE orders ADD COLUMN extra int")
    assert shell.run("remit resource repin shop").code == 1
    assert shell.run("remit resource repin shop --yes").code == 0
    assert shell.run("remit resource repin shop").code == 0
    wrong = f"remit resource add other --database {place} --domain office --owner olga"
    assert "[upstream_login]" in shell.run(wrong).err
    assert "[resource_invalid]" in shell.run(f"{wrong} --secret shop-db --schema nowhere").err
    assert "[resource_invalid]" in shell.run(wrong.replace("gate_role@", "gate_role:x@")).err
