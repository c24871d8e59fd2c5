"""An EVM WebSocket endpoint whose every notification proves its own number and bytes.

Standard library only. Each connection counts from its own multiple of APART, so that a frame that
is lost, doubled, moved or altered shows. The query of the URL sets the stream:
`?body=BYTES&burst=FRAMES&pause=MILLISECONDS`.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import select
import socket
import struct
import threading
from urllib.parse import parse_qs, urlsplit

#: Distance of the first numbers of two connections.
APART = 100_000_000
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def notification(number: int, size: int) -> bytes:
    """The text of a notification; `size` hexadecimal digits follow from its number."""
    seed = hashlib.sha512(struct.pack("<QQ", number, size)).hexdigest()
    body = (seed * (size // len(seed) + 1))[:size]
    return json.dumps(
        {
            "jsonrpc": "2.0",
            "method": "eth_subscription",
            "params": {
                "subscription": "0x1",
                "result": {
                    "number": hex(number),
                    "hash": "0x" + seed[:64],
                    "parentHash": "0x" + seed[64:128],
                    "size": size,
                    "extraData": "0x" + body,
                },
            },
        }
    ).encode()


def number_of(text: bytes) -> int | None:
    """The number of a notification, None for another message.

    Raises:
        ValueError: when a byte of it is wrong.
    """
    message = json.loads(text)
    if message.get("method") != "eth_subscription":
        return None
    result = message["params"]["result"]
    number = int(result["number"], 16)
    if notification(number, result["size"]) != text:
        raise ValueError(f"notification {number} was altered")
    return number


class NumberedSource:
    """Listens on 127.0.0.1 until it is closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._calls = itertools.count(1)
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, body: int, burst: int, pause: float) -> str:
        """The address of a stream."""
        return f"ws://127.0.0.1:{self.port}/?body={body}&burst={burst}&pause={pause}"

    def close(self) -> None:
        """Ends listening; streams end with their clients."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._stream(connection)
        except (OSError, ValueError, IndexError, KeyError):
            return  # The client was killed, which is what it is here for.

    def _stream(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        target = reader.readline().split(b" ")[1].decode()
        key = b""
        while line := reader.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        call = json.loads(_masked_frame(reader))
        answer = {"jsonrpc": "2.0", "id": call["id"], "result": "0x1"}
        connection.sendall(_frame(json.dumps(answer).encode()))
        query = {name: float(values[0]) for name, values in parse_qs(urlsplit(target).query).items()}
        size, burst, pause = int(query["body"]), int(query["burst"]), query["pause"] / 1000
        number = next(self._calls) * APART
        while True:
            frames = [_frame(notification(number + index, size)) for index in range(burst)]
            connection.sendall(b"".join(frames))
            number += burst
            if select.select([connection], [], [], pause)[0]:
                # The client ends the stream; nothing else is expected of it.
                connection.sendall(b"\x88\x02\x03\xe8")
                return


def _masked_frame(reader) -> bytes:
    head = reader.read(2)
    size = head[1] & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", reader.read(2))
    mask = reader.read(4)
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(reader.read(size)))


def _frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes([0x81, size]) + payload
    return b"\x81\x7e" + struct.pack(">H", size) + payload
