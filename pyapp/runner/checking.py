"""Files that the user brings: read, checked and told of, whatever kind they are; nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from ..archive import MAX_FILE_BYTES, Recording, RecordingChecker
from ..errors import InvalidFileError
from ..inspector.messages import JobMoved, Send
from ..inspector.model import Job
from .kinds import LOG, LOOKED_AT, NEEDS_LOG, IncompleteFileError, has_log, is_database, why
from .world import SourceFile, World


async def checked(
    file: SourceFile,
    total: int,
    send: Send,
    title: str,
    done: int = 0,
    *,
    world: World | None = None,
    log: SourceFile | None = None,
) -> Recording:
    """What a file holds: its first bytes tell which kind it is, whatever its name. Raises InvalidFileError."""

    def tell(unit: str, done: int, total: int) -> None:
        send(JobMoved(Job(title, unit, min(done, total) if total else done, total)))

    tell("bytes", done, total)
    pieces = file.slices()
    head = b""
    try:
        if total > MAX_FILE_BYTES:
            raise InvalidFileError(f"the file is larger than {MAX_FILE_BYTES >> 20} MiB; split it by session")
        async for piece in pieces:
            head += piece
            if len(head) >= LOOKED_AT:
                break
        if world is not None and is_database(head):
            return await _checked_database(world, file.name, head, pieces, log, tell, total)
        checker = RecordingChecker()
        if head:
            checker.feed(head)
        done += len(head)
        async for piece in pieces:
            checker.feed(piece)
            done += len(piece)
            tell("bytes", done, total)
            await asyncio.sleep(0)
        return checker.finish()
    except InvalidFileError as error:
        reason = why(file.name, head, error)
        raise InvalidFileError(f"{file.name} was not imported, and nothing was changed: {reason}") from None


async def _checked_database(
    world: World,
    name: str,
    head: bytes,
    pieces: AsyncIterator[bytes],
    log: SourceFile | None,
    tell: Callable[[str, int, int], None],
    total: int,
) -> Recording:
    await world.install_rest()
    from .databases import DatabaseFile

    with DatabaseFile(world, name) as database:
        database.add(head)
        done = len(head)
        async for piece in pieces:
            database.add(piece)
            done += len(piece)
            tell("bytes", done, total)
            await asyncio.sleep(0)
        if log is not None:
            await database.add_log(log)
        try:
            return await database.read(tell)
        except IncompleteFileError as error:
            if log is None and has_log(head):
                raise InvalidFileError(f"{error}. {NEEDS_LOG.format(name=f'{name}{LOG}')}") from None
            raise
