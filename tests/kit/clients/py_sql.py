"""Drives asyncpg, or SQLAlchemy on it, unchanged: what came of each step, as one JSON object.

Arguments: which of the two, host, port, the credential.
"""

import asyncio
import json
import sys

import asyncpg
from sqlalchemy import bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine


async def plain(host: str, port: int, token: str) -> dict[str, object]:
    """By asyncpg itself, through a pool."""
    told: dict[str, object] = {}
    async with asyncpg.create_pool(
        host=host, port=port, user="remit", database="shop", password=token, min_size=1, max_size=2, ssl=False
    ) as pool:
        async with pool.acquire() as conn:
            told["read"] = float(await conn.fetchval("select total from orders where id = $1", 4))
            told["rows"] = len(await conn.fetch("select * from orders where customer_id = $1", 1))
            await conn.execute("insert into refunds (order_id, amount) values ($1, $2)", 7, 12)
            await conn.copy_records_to_table("notes", records=[(501, "x"), (502, "y")], columns=("id", "body"))
        async with pool.acquire() as conn:
            try:
                await conn.execute("insert into refunds (order_id, amount) values ($1, $2)", 7, 51)
            except asyncpg.PostgresError as why:
                told["refused"] = [why.sqlstate, why.detail]
            async with conn.transaction():
                told["cursor"] = [row["id"] async for row in conn.cursor("select id from orders order by id limit 3")]
            try:
                async with conn.transaction():
                    await conn.execute("update notes set body = 'gone' where id = 1")
                    await conn.execute("select pay from hr.pay")
            except asyncpg.PostgresError as why:
                told["undone"] = why.sqlstate
            told["body"] = await conn.fetchval("select body from notes where id = 1")
    return told


async def mapped(host: str, port: int, token: str) -> dict[str, object]:
    """By SQLAlchemy's asyncio engine."""
    told: dict[str, object] = {}
    engine = create_async_engine(f"postgresql+asyncpg://remit:{token}@{host}:{port}/shop?ssl=disable")
    async with engine.begin() as conn:
        told["read"] = float((await conn.execute(text("select total from orders where id = :id"), {"id": 4})).scalar())
        many = [{"id": 600 + n, "body": "m"} for n in range(5)]
        await conn.execute(text("insert into notes (id, body) values (:id, :body)"), many)
        found = await conn.execute(
            text("select id from orders where id in :ids order by id").bindparams(bindparam("ids", expanding=True)),
            {"ids": [1, 2, 3]},
        )
        told["rows"] = len(found.all())
    try:
        async with engine.begin() as conn:
            await conn.execute(text("insert into notes (id, body) values (700, 'undone')"))
            await conn.execute(text("drop table notes"))
    except DBAPIError as why:
        told["refused"] = why.orig.sqlstate
    async with engine.connect() as conn:
        told["undone"] = (await conn.execute(text("select count(*) from notes where id = 700"))).scalar()
    await engine.dispose()
    return told


if __name__ == "__main__":
    way = {"asyncpg": plain, "sqlalchemy": mapped}[sys.argv[1]]
    sys.stdout.write(json.dumps(asyncio.run(way(sys.argv[2], int(sys.argv[3]), sys.argv[4]))))
