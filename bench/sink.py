"""A mail server in a process of its own, which counts: `python -m bench.sink`.

Prints its port; each line that it reads is answered with how many mails it has taken since the last.
"""

from __future__ import annotations

import asyncio
import sys

from aiosmtpd.smtp import SMTP


class Count:
    """Takes every mail, and keeps nothing of it."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.taken += 1
        return "250 OK"


async def main() -> None:
    count = Count()
    loop = asyncio.get_running_loop()
    # Named, so that asyncio turns Nagle off; see demo/smtp.py.
    server = await loop.create_server(lambda: SMTP(count, hostname="localhost"), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(count.taken, flush=True)
        count.taken = 0


if __name__ == "__main__":
    asyncio.run(main())
