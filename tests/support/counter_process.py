"""A process that adds to a counter in a database: ``python -m tests.support.counter_process``.

Each addition reads the number, pauses, and writes the number plus one, in one transaction of
``portal.database``. Two of these processes lose additions, or fail, unless one waits for the other.
"""

import asyncio
import sys

import sqlalchemy as sa

from portal.database import Database

PAUSE = 0.005  # seconds between reading and writing, in which another process may write


async def add(url: str, times: int) -> None:
    """Wait for a line on standard input, then add one to the counter so many times."""
    database = Database(url)
    async with database.connection() as connection:
        await connection.execute(sa.text("SELECT number FROM counter"))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for _ in range(times):
        async with database.transaction() as session:
            connection = await session.connection()
            number = (await connection.execute(sa.text("SELECT number FROM counter"))).scalar_one()
            await asyncio.sleep(PAUSE)
            await connection.execute(
                sa.text("UPDATE counter SET number = :number"), {"number": number + 1}
            )
    await database.close()


if __name__ == "__main__":
    asyncio.run(add(sys.argv[1], int(sys.argv[2])))
