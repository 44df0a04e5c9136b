"""What stands between: certificate authorities made by the test, and small proxies on loopback."""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.backends.kai_server import TIMEOUT

trustme = pytest.importorskip("trustme", reason="requirements.lock is newer than this .venv: run make test")


class Authority:
    """A certificate authority nobody knows, until `pem` is given to somebody."""

    def __init__(self, folder: Path, organisation: str = "Corp Security & Co") -> None:
        self._ca = trustme.CA(organization_name=organisation)
        self.pem = folder / f"{organisation.split()[0]}.pem"
        self._ca.cert_pem.write_to_path(str(self.pem))

    def server(self, *names: str, **options: Any) -> ssl.SSLContext:
        """A server's side of TLS with a certificate for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names, **options).configure_cert(context)
        return context

    def certificate(self, *names: str, **options: Any) -> bytes:
        """Such a certificate in DER."""
        return ssl.PEM_cert_to_DER_cert(
            self._ca.issue_cert(*names, **options).cert_chain_pems[0].bytes().decode()
        )

    def itself(self) -> ssl.SSLContext:
        """A server that shows the authority's own, self-signed certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with self._ca.private_key_pem.tempfile() as key, self._ca.cert_pem.tempfile() as cert:
            context.load_cert_chain(cert, key)
        return context


@dataclass
class Middleman:
    """A proxy: remembers every byte it could read, and leads where `routes` says instead of asking DNS.

    `answer`: what it says instead of leading anywhere; `holds`: says nothing at all.
    """

    routes: dict[str, int] = field(default_factory=dict)
    """`host:port` → port on this machine."""
    answer: bytes | None = None
    holds: bool = False
    credentials: str | None = None
    tls: ssl.SSLContext | None = None
    socks: bool = False
    read: bytearray = field(default_factory=bytearray)
    """What arrived outside of tunnels."""
    tunnelled: bytearray = field(default_factory=bytearray)
    """What went through tunnels to servers."""
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a caller hung up or was let go."""

    async def __aenter__(self) -> Middleman:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.shown = f"127.0.0.1:{self.port}"
        kind = "socks5" if self.socks else "https" if self.tls else "http"
        self.url = f"{kind}://{self.shown}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            async with asyncio.timeout(TIMEOUT):
                await (self._socks(reader, writer) if self.socks else self._http(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            self.left.set()
            self._tasks.discard(task)
            writer.close()

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.holds:
            await self._hold(reader)
            return
        head = await reader.readuntil(b"\r\n\r\n")
        self.read += head
        first, *rest = head.decode("latin-1").split("\r\n")
        target = first.split(" ")[1]
        self.asked.append(first)
        if self.answer is not None:
            writer.write(self.answer)
            await writer.drain()
            return
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest if line)}
        if self.credentials is not None:
            wanted = "Basic " + base64.b64encode(self.credentials.encode()).decode()
            if headers.get("proxy-authorization") != wanted:
                writer.write(
                    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"
                )
                await writer.drain()
                return
        if target not in self.routes:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n\r\n<html>no</html>")
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\nvia: 1.1 corp\r\n\r\n")
        await self._lead(target, reader, writer)

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        self.read += methods
        if self.answer is not None:
            writer.write(self.answer)
            await writer.drain()
            return
        if self.credentials is not None:
            if 2 not in methods:
                writer.write(b"\x05\xff")
                return
            writer.write(b"\x05\x02")
            _, size = await reader.readexactly(2)
            user = await reader.readexactly(size)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            fits = f"{user.decode()}:{password.decode()}" == self.credentials
            writer.write(b"\x01\x00" if fits else b"\x01\x01")
            if not fits:
                return
        else:
            writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        assert kind == 3, "names are looked up by the proxy"
        name = await reader.readexactly((await reader.readexactly(1))[0])
        port = int.from_bytes(await reader.readexactly(2), "big")
        target = f"{name.decode()}:{port}"
        self.asked.append(target)
        if target not in self.routes:
            writer.write(b"\x05\x04\x00\x01" + bytes(6))
            return
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await self._lead(target, reader, writer)

    async def _hold(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(1024):
            self.read += data

    async def _lead(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server, from_server = None, None
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.routes[target])

        async def pump(
            source: asyncio.StreamReader, sink: asyncio.StreamWriter, note: bytearray | None
        ) -> None:
            try:
                while data := await source.read(65536):
                    if note is not None:
                        note += data
                    sink.write(data)
                    await sink.drain()
            except ConnectionError:
                pass
            finally:
                sink.close()

        await asyncio.gather(pump(reader, to_server, self.tunnelled), pump(from_server, writer, None))
