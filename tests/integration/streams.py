"""Reads the console's live stream."""

import asyncio
from collections.abc import AsyncIterator


async def read_events(lines: AsyncIterator[str], wanted: str, *, within_s: float = 10) -> str:
    """The data of the next event of a kind."""
    name, data = "", list[str]()
    async with asyncio.timeout(within_s):
        async for line in lines:
            if line.startswith("event: "):
                name, data = line.removeprefix("event: "), []
            elif line.startswith("data: "):
                data.append(line.removeprefix("data: "))
            elif not line and name == wanted:
                return "\n".join(data)
    raise AssertionError(f"the stream ended without {wanted}")
