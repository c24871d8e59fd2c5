"""A JSON-RPC WebSocket server and client that write and read exact frames.

The libraries of the field hide frames; so `websockets` does the handshake, on both sides, and the
frames are written and read here, byte by byte. `fragments` cuts messages the way geth, Bor and
Erigon do.
"""

from __future__ import annotations

import json
import os
import pathlib
import queue
import socket
import ssl
import struct
import threading
import zlib
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
#: No takeover in both directions: the only form that allows random access to a recording.
SERVER_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True
)
CLIENT_DEFLATE = ClientPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True
)


@dataclass(frozen=True)
class Frame:
    """One frame as on the wire, without its mask."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0

    def encoded(self, masked: bool = False) -> bytes:
        """The bytes of the frame."""
        size = len(self.payload)
        mask_bit = 0x80 if masked else 0
        head = bytes([(0x80 if self.fin else 0) | self.rsv << 4 | self.opcode])
        if size < 126:
            head += bytes([mask_bit | size])
        elif size < 1 << 16:
            head += bytes([mask_bit | 126]) + struct.pack(">H", size)
        else:
            head += bytes([mask_bit | 127]) + struct.pack(">Q", size)
        if not masked:
            return head + self.payload
        key = os.urandom(4)
        return head + key + _masked(self.payload, key)


def _masked(payload: bytes, key: bytes) -> bytes:
    pad = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(
        len(payload), "big"
    )


def close_frame(code: int, reason: str = "") -> Frame:
    """A close frame."""
    return Frame(CLOSE, struct.pack(">H", code) + reason.encode())


def fragments(payload: bytes, opcode: int = TEXT, rsv: int = 0) -> list[Frame]:
    """The frames of one message, as a node with a write buffer of 1,024 bytes makes them."""
    size = len(payload)
    if size <= 1_024:
        return [Frame(opcode, payload, True, rsv)]
    if size <= 2_076:
        return [Frame(opcode, payload[:1_024], False, rsv), Frame(CONTINUATION, payload[1_024:])]
    return [Frame(opcode, payload, False, rsv), Frame(CONTINUATION, b"")]


def deflated(payload: bytes) -> bytes:
    """A message's payload under permessage-deflate without context takeover."""
    packer = zlib.compressobj(wbits=-15)
    data = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
    assert data.endswith(b"\0\0\xff\xff")
    return data[:-4]


def inflated(payload: bytes) -> bytes:
    """The opposite of `deflated`."""
    return zlib.decompressobj(wbits=-15).decompress(payload + b"\0\0\xff\xff")


def messages_of(frames: list[Frame]) -> list[bytes]:
    """The messages that data frames add up to, inflated where they say so."""
    found: list[bytes] = []
    parts: list[bytes] = []
    packed = False
    for frame in frames:
        if frame.opcode >= 8:
            continue
        if frame.opcode != CONTINUATION:
            parts, packed = [], bool(frame.rsv & 4)
        parts.append(frame.payload)
        if frame.fin:
            whole = b"".join(parts)
            found.append(inflated(whole) if packed else whole)
    return found


class Ended(Exception):
    """The other side has ended the connection."""


class Wire:
    """A socket that carries frames."""

    def __init__(self, connection: socket.socket, masks: bool) -> None:
        self.socket, self._masks, self._rest = connection, masks, b""
        self._lock = threading.Lock()

    def send(self, *frames: Frame) -> None:
        data = b"".join(frame.encoded(self._masks) for frame in frames)
        with self._lock:
            self.socket.sendall(data)

    def send_raw(self, data: bytes) -> None:
        with self._lock:
            self.socket.sendall(data)

    def _take(self, count: int) -> bytes:
        while len(self._rest) < count:
            try:
                data = self.socket.recv(1 << 18)
            except (ConnectionError, ssl.SSLError) as error:
                raise Ended(str(error)) from None
            if not data:
                raise Ended("end of the connection")
            self._rest += data
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def receive(self) -> Frame:
        """The next frame; raises `Ended`."""
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self._take(8))
        key = self._take(4) if second & 0x80 else b""
        payload = self._take(size)
        payload = _masked(payload, key) if key and payload else payload
        return Frame(first & 15, payload, bool(first & 0x80), first >> 4 & 7)


Step = Frame | bytes | Callable[["Peer"], None]


@dataclass
class Peer:
    """One connection of the server: what came in is in queues, what goes out is exact."""

    wire: Wire
    path: str
    headers: dict[str, str]
    is_deflated: bool
    calls: queue.Queue[bytes] = field(default_factory=queue.Queue)
    pongs: queue.Queue[bytes] = field(default_factory=queue.Queue)
    close: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        """Reads until the end."""
        parts: list[bytes] = []
        packed = False
        try:
            while True:
                frame = self.wire.receive()
                if frame.opcode == PONG:
                    self.pongs.put(frame.payload)
                elif frame.opcode == PING:
                    self.wire.send(Frame(PONG, frame.payload))
                elif frame.opcode == CLOSE:
                    self.close.set()
                    return
                else:
                    if frame.opcode != CONTINUATION:
                        parts, packed = [], bool(frame.rsv & 4)
                    parts.append(frame.payload)
                    if frame.fin:
                        whole = b"".join(parts)
                        self.calls.put(inflated(whole) if packed else whole)
        except (Ended, OSError):
            self.close.set()


class EvmServer:
    """Plays a script on each connection; the script is chosen by the path of the URL."""

    def __init__(
        self,
        script: Callable[[Peer], None],
        *,
        deflate: bool = False,
        tls: tuple[pathlib.Path, pathlib.Path] | None = None,
        refuses: tuple[int, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.script, self.deflate, self.refuses = script, deflate, refuses
        self.headers = headers or {}
        self.failures: list[BaseException] = []
        self.requests: list[Request] = []
        self._tls: ssl.SSLContext | None = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._converse(connection)
        except (Ended, ConnectionError, ssl.SSLError):
            pass  # The client has gone; the recording tells what it got.
        except BaseException as error:
            self.failures.append(error)

    def _converse(self, connection: socket.socket) -> None:
        extensions = [SERVER_DEFLATE] if self.deflate else []
        protocol = ServerProtocol(extensions=extensions)
        request: Request | None = None
        while request is None:
            data = connection.recv(1 << 16)
            if not data:
                return
            protocol.receive_data(data)
            request = next((e for e in protocol.events_received() if isinstance(e, Request)), None)
        self.requests.append(request)
        if self.refuses:
            response = protocol.reject(self.refuses[0], self.refuses[1])
        else:
            response = protocol.accept(request)
        for name, value in self.headers.items():
            response.headers[name] = value
        protocol.send_response(response)
        connection.sendall(b"".join(protocol.data_to_send()))
        if protocol.state is not State.OPEN:
            return
        agreed = "permessage-deflate" in response.headers.get("Sec-WebSocket-Extensions", "")
        peer = Peer(
            Wire(connection, masks=False), request.path, dict(request.headers.raw_items()), agreed
        )
        listening = threading.Thread(target=peer.listen, daemon=True)
        listening.start()
        self.script(peer)
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        listening.join(10)

    def stop(self) -> None:
        # A close alone does not wake a thread that waits in accept.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._accepting.join(10)
        for thread in self._threads:
            thread.join(10)
        if self.failures:
            raise AssertionError("the server's script failed") from self.failures[0]

    def __enter__(self) -> EvmServer:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.stop()
        else:
            self._listener.close()


def end(peer: Peer, code: int | None, reason: str = "") -> Frame | None:
    """Ends a connection: with a close frame and its answer, or at once for None."""
    if code is None:
        return None
    frame = close_frame(code, reason)
    peer.wire.send(frame)
    peer.close.wait(20)
    return frame


class EvmClient:
    """A client that keeps every frame it gets."""

    def __init__(
        self, address: str, path: str = "/", *, deflate: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        host, port = address.rsplit(":", 1)
        self.frames: list[Frame] = []
        self._socket = socket.create_connection((host, int(port)), 30)
        extensions = [CLIENT_DEFLATE] if deflate else []
        protocol = ClientProtocol(parse_uri(f"ws://{address}{path}"), extensions=extensions)
        request = protocol.connect()
        for name, value in (headers or {}).items():
            request.headers[name] = value
        protocol.send_request(request)
        self._socket.sendall(b"".join(protocol.data_to_send()))
        # Byte by byte to the end of the answer: what follows it are frames.
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = self._socket.recv(1)
            if not data:
                raise Ended("end in the handshake")
            head += data
        protocol.receive_data(head)
        self.response: Response = next(iter(protocol.events_received()))  # type: ignore[assignment]
        if protocol.handshake_exc is not None:
            raise protocol.handshake_exc
        agreed = self.response.headers.get("Sec-WebSocket-Extensions", "")
        self.is_deflated = "permessage-deflate" in agreed
        self.wire = Wire(self._socket, masks=True)

    def call(self, message: Any) -> None:
        """Sends a JSON value, or bytes as they are."""
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.wire.send(Frame(TEXT, data))

    def frame(self, timeout: float = 30.0) -> Frame:
        """The next frame; pings are answered, a close too."""
        self._socket.settimeout(timeout)
        frame = self.wire.receive()
        self.frames.append(frame)
        try:
            if frame.opcode == PING:
                self.wire.send(Frame(PONG, frame.payload))
            elif frame.opcode == CLOSE:
                self.wire.send(frame)
        except OSError:
            pass  # It may be gone already; then the next read says so.
        return frame

    def message(self, timeout: float = 30.0) -> bytes:
        """The next whole message; raises `Ended` at a close frame or the end."""
        start = len(self.frames)
        while True:
            frame = self.frame(timeout)
            if frame.opcode == CLOSE:
                raise Ended("close frame")
            if frame.opcode < 8 and frame.fin:
                return messages_of(self.frames[start:])[-1]

    def ask(self, method: str, params: list[Any], identity: Any = 1) -> Any:
        """One call and its answer; notifications in between are kept in `frames`."""
        self.call({"jsonrpc": "2.0", "id": identity, "method": method, "params": params})
        while True:
            answer = json.loads(self.message())
            if isinstance(answer, dict) and "id" in answer and answer["id"] == identity:
                return answer

    def read_to_end(self, timeout: float = 30.0) -> list[Frame]:
        """All frames until the connection ends."""
        try:
            while True:
                self.frame(timeout)
        except Ended:
            return self.frames

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> EvmClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Captured:
    """One connection of the real captured data."""

    name: str
    #: Rows in order: whether the client sent it, and its bytes.
    rows: list[tuple[bool, bytes]]

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What the client asked, without ids."""
        asked = [json.loads(data) for is_call, data in self.rows if is_call]
        return [{"method": a["method"], "params": a["params"]} for a in asked]

    @property
    def incoming(self) -> list[bytes]:
        """What the node sent."""
        return [data for is_call, data in self.rows if not is_call]


def read_captured(path: pathlib.Path) -> dict[str, Captured]:
    """The connections of a capture file, in its order."""
    found: dict[str, Captured] = {}
    with path.open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            captured = found.setdefault(row["conn"], Captured(row["conn"], []))
            captured.rows.append((row["dir"] == "out", row["payload"].encode()))
    return found


def play(peer: Peer, captured: Captured, cut: Callable[[bytes], list[Frame]]) -> Iterator[Frame]:
    """Sends what the node sent, each answer after its call; yields the frames."""
    for is_call, data in captured.rows:
        if is_call:
            call, asked = json.loads(peer.calls.get(timeout=20)), json.loads(data)
            for key in ("method", "params"):
                if call[key] != asked[key]:
                    raise AssertionError(f"another call: {call} instead of {asked}")
        else:
            frames = cut(data)
            peer.wire.send(*frames)
            yield from frames
