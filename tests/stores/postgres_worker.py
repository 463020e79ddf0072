"""What the tests of several processes run: `postgres_worker.py ADDRESS SCHEMA open` or `… append NAME COUNT LEDGER`.

`append` appends events with the ids NAME-0, NAME-1, … to the session "shared", several at once, and writes the id and
the index of each into the ledger once it is acknowledged. `listen` prints what it hears of changes, a line for each
word.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pyapp import EventDraft, PostgresSessionPersistDriver, SessionRecord, StoreChange

AT_ONCE = 4


async def open_store(driver: PostgresSessionPersistDriver) -> None:
    await driver.update_session(SessionRecord("s1", "mock", "a", "c", 1_000))
    print((await driver.totals()).sessions)


async def append(driver: PostgresSessionPersistDriver, name: str, count: int, ledger: str) -> None:
    numbers = iter(range(count))
    with Path(ledger).open("w") as book:  # noqa: ASYNC230 - written line by line, as they are acknowledged

        async def one_after_the_other() -> None:
            for number in numbers:
                draft = EventDraft("agent", {"n": number, "by": name}, "c", 1_000 + number, f"{name}-{number}")
                event = await driver.append_event("shared", draft)
                print(event.id, event.event_index, file=book, flush=True)

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


async def listen(driver: PostgresSessionPersistDriver) -> None:
    def show(change: StoreChange) -> None:
        print("everything" if change.everything else ",".join(sorted(change.session_ids)), flush=True)

    driver.on_change(show)
    await asyncio.Event().wait()


async def main(address: str, schema: str, what: str, *arguments: str) -> None:
    async with PostgresSessionPersistDriver(address, schema) as driver:
        match what, arguments:
            case "open", ():
                await open_store(driver)
            case "append", (name, count, ledger):
                await append(driver, name, int(count), ledger)
            case "listen", ():
                await listen(driver)
            case _:
                sys.exit(__doc__)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
