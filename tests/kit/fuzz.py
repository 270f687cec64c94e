"""Holds the reading of statements against PostgreSQL itself, over many statements at random."""

from collections import Counter

import psycopg

from remit.core.errors import RemitError
from remit.gateway.postgres.catalogue import catalogue
from remit.gateway.postgres.statement import read
from tests.kit.database import database, offered, unique
from tests.kit.statements import Maker, Oracle, runs


def hold(seed: int, count: int) -> tuple[list[str], Counter[str]]:
    """Make so many statements; return those for which too little was found, and how the others went."""
    url = database()
    known = catalogue(offered(url))
    oracle, maker = Oracle(url, f"least_{unique()}"), Maker(seed)
    wrong, told = [], Counter[str]()
    try:
        for _ in range(count):
            text = maker.statement()
            try:
                found = read(text, known)
            except RemitError as why:
                told[why.code] += 1
                continue
            for one in found:
                if not runs(one):
                    told["only read"] += 1
                    continue
                more, state = oracle.needs_more(one, known)
                told[state or "ran"] += 1
                if more:
                    wrong.append(f"{text}\n  sent: {one.text}\n  {one.acts}")
    finally:
        oracle.conn.close()
        with psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)".encode())
            conn.execute(f"DROP ROLE {oracle.role}".encode())
    return wrong, told
