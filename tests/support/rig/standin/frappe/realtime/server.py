"""`python -m frappe.realtime.server`: polling answers only; it removes its own socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

from .. import config  # noqa: TID252


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, one answer, and the connection is closed."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    found = head[0].split(" ")[1].startswith("/socket.io/")
    facts = {"sid": "python", "site": fields.get("x-frappe-site-name"), "pid": os.getpid()}
    body = f"0{json.dumps(facts)}" if found else "Not Found"
    status = "200 OK" if found else "404 Not Found"
    top = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write((top + body).encode())
    await writer.drain()
    writer.close()


async def serve(conf: dict[str, Any]) -> None:
    """Listen where the configuration says, until SIGTERM or SIGINT."""
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    uds = conf.get("socketio_uds")
    if uds:
        Path(uds).unlink(missing_ok=True)
        server = await asyncio.start_unix_server(answer, uds)
    else:
        server = await asyncio.start_server(answer, "0.0.0.0", int(conf["socketio_port"]))
    async with server:
        await done.wait()
    if uds:
        Path(uds).unlink(missing_ok=True)


if __name__ == "__main__":
    os.chdir(config.bench_path() / "sites")
    asyncio.run(serve({"socketio_port": 9000, **config.common_config()}))
