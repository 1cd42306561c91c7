"""Passes connections on: from a listening socket that was opened elsewhere to a server that opens its own."""

import asyncio
import contextlib
import socket

CHUNK_BYTES = 1 << 16


async def relay(listener: socket.socket, port: int) -> None:
    """Pass each connection at `listener` to the port on loopback, both ways, until cancelled.

    Bytes go on as they come, so a stream keeps its pace; the end of one side ends the other, so that the server sees
    a caller hang up.
    """

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
            finally:
                there_writer.close()
        writer.close()

    server = await asyncio.start_server(pass_on, sock=listener)
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All bytes, and then the end of the stream."""
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
