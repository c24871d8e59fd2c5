"""A Yellowstone server and client of raw bytes on grpcio: nothing is decoded or made anew."""

from __future__ import annotations

import pathlib
import struct
import threading
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Iterator

import grpc

SERVICE = "/geyser.Geyser/"
_UNLIMITED = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.so_reuseport", 0),
    ("grpc.enable_http_proxy", 0),
]
_COMPRESSIONS = {
    "identity": None,
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}
Metadata = tuple[tuple[str, str], ...]


def read_messages(path: pathlib.Path) -> list[bytes]:
    """The messages of a file of u32 little-endian lengths and bytes."""
    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        (size,) = struct.unpack_from("<I", data, place)
        found.append(data[place + 4 : place + 4 + size])
        place += 4 + size
    return found


@dataclass
class Script:
    """What the server does with one Subscribe call."""

    messages: Iterable[bytes] = ()
    initial: Metadata = ()
    trailing: Metadata = ()
    status: grpc.StatusCode = grpc.StatusCode.OK
    details: str = ""
    #: Waits at the end until this is set.
    hold: threading.Event | None = None
    #: Aborts before anything is sent.
    refuses: bool = False


@dataclass
class Seen:
    """What the server saw of one call."""

    method: str
    metadata: dict[str, str]
    requests: list[bytes] = field(default_factory=list)


class GeyserServer(grpc.GenericRpcHandler):
    """Answers Subscribe by a script that is chosen from the request's bytes."""

    def __init__(
        self,
        choose: Callable[[bytes], Script],
        *,
        token: str | None = None,
        compression: str = "identity",
        tls: tuple[bytes, bytes] | None = None,
    ) -> None:
        self.choose, self.token, self.seen = choose, token, []
        self._lock = threading.Lock()
        self.server = grpc.server(
            futures.ThreadPoolExecutor(16),
            options=_UNLIMITED,
            compression=_COMPRESSIONS[compression],
        )
        self.server.add_generic_rpc_handlers((self,))
        if tls:
            credentials = grpc.ssl_server_credentials([tls])
            self.port = self.server.add_secure_port("127.0.0.1:0", credentials)
        else:
            self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def service(self, call: Any) -> Any:
        if call.method != SERVICE + "Subscribe":
            return None
        seen = Seen(call.method, dict(call.invocation_metadata))
        with self._lock:
            self.seen.append(seen)
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self._subscribe(seen, requests, context)
        )

    def _subscribe(self, seen: Seen, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        if self.token is not None and seen.metadata.get("x-token") != self.token:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "No valid auth token")
        first = next(requests)
        seen.requests.append(first)
        script = self.choose(first)
        if script.refuses:
            context.set_trailing_metadata(script.trailing)
            context.abort(script.status, script.details)

        def listen() -> None:
            try:
                seen.requests.extend(requests)
            except Exception:  # The call is over.
                pass

        threading.Thread(target=listen, daemon=True).start()
        if script.initial:
            context.send_initial_metadata(script.initial)
        yield from script.messages
        if script.hold:
            script.hold.wait(60)
        context.set_trailing_metadata(script.trailing)
        if script.status is not grpc.StatusCode.OK:
            context.abort(script.status, script.details)

    def stop(self) -> None:
        self.server.stop(0).wait()

    def __enter__(self) -> GeyserServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass
class Answer:
    """One Subscribe call as a client saw it."""

    messages: list[bytes]
    code: grpc.StatusCode
    details: str
    initial: dict[str, str]
    trailing: dict[str, str]


class GeyserClient:
    """Calls a Yellowstone server."""

    def __init__(
        self, address: str, *, token: str | None = None, roots: bytes | None = None,
        gzip: bool | None = None,
    ) -> None:  # fmt: skip
        options: list[tuple[str, Any]] = list(_UNLIMITED)
        if gzip is False:
            # Bit 0 is identity: nothing else is announced.
            options.append(("grpc.compression_enabled_algorithms_bitset", 1))
        if roots:
            credentials = grpc.ssl_channel_credentials(roots)
            self.channel = grpc.secure_channel(address, credentials, options)
        else:
            self.channel = grpc.insecure_channel(address, options)
        self.metadata = (("x-token", token),) if token is not None else ()

    def subscribe(
        self,
        *requests: bytes,
        timeout: float = 90.0,
        until: Callable[[bytes], bool] | None = None,
        follow: Callable[[bytes], bytes | None] | None = None,
    ) -> Answer:
        """Subscribes and reads to the end, or until a message says so.

        `follow` may answer a message with a further request.
        """
        more: list[bytes] = list(requests)
        news, over = threading.Condition(), False

        def send() -> Iterator[bytes]:
            sent = 0
            while True:
                with news:
                    news.wait_for(lambda: len(more) > sent or over)
                    if len(more) <= sent:
                        return
                    request = more[sent]
                sent += 1
                yield request

        method = self.channel.stream_stream(SERVICE + "Subscribe", None, None)
        call = method(send(), timeout=timeout, metadata=self.metadata)
        messages: list[bytes] = []
        try:
            for message in call:
                messages.append(message)
                if follow:
                    request = follow(message)
                    if request is not None:
                        with news:
                            more.append(request)
                            news.notify()
                if until and until(message):
                    call.cancel()
                    break
        except grpc.RpcError:
            pass  # Its status is read below.
        with news:
            over = True
            news.notify()
        return Answer(
            messages, call.code(), call.details() or "",
            dict(call.initial_metadata() or ()), dict(call.trailing_metadata() or ()),
        )  # fmt: skip

    def unary(self, name: str, request: bytes = b"", timeout: float = 30.0) -> bytes:
        """One unary call; raises grpc.RpcError."""
        method = self.channel.unary_unary(SERVICE + name, None, None)
        return method(request, timeout=timeout, metadata=self.metadata)

    def close(self) -> None:
        self.channel.close()

    def __enter__(self) -> GeyserClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
