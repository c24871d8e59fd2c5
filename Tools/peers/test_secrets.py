"""Canary secrets through everything that is written or said: none may come out again.

Each secret has characters that are escaped in one place or another. The servers say it back
wherever a server can; only data frames may hold it, and those are flagged.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pathlib
import pty
import struct
import subprocess
import termios
import threading
import unittest
from typing import Any, Iterator
from urllib.parse import quote

import grpc

from deck import BINARY, Case, Record, Result, Running, environment, records, run, wait_until
from evm_peer import EvmServer, Frame, Peer, TEXT, end, fragments
from geyser_peer import GeyserServer, Script
from test_evm_roundtrip import HEADS, text_of
from test_geyser_roundtrip import invented

TOKEN = 'tok/9"f\\3<k>&Q\'z+canary=1'
META = "meta-canary/77aa:55ee"
HEADER = "header canary \\ with spaces"
USER, PASSWORD = "canary-user-01", "pass:canary/02"
PATH_KEY, QUERY_KEY = "path-key-canary-0304", "q-canary-05"


def forms(secret: str) -> set[bytes]:
    """How a secret may be written by somebody who means no harm."""
    found = {
        secret.encode(),
        quote(secret, safe="").encode(),
        quote(secret).encode(),
        json.dumps(secret)[1:-1].encode(),
        json.dumps(secret)[1:-1].replace("/", "\\/").encode(),
        secret.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").encode(),
    }
    for lead in range(3):
        code = base64.b64encode(b"\0" * lead + secret.encode())
        # The characters at the ends depend on neighbours.
        found.add(code[lead and 4 : -4])
        found.add(base64.urlsafe_b64encode(b"\0" * lead + secret.encode())[lead and 4 : -4])
    return found


def texts(value: Any) -> Iterator[bytes]:
    """Every text and every Base64 in a JSON value."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name.encode()
            if name == "base64":
                yield base64.b64decode(member)
            yield from texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts(member)
    elif isinstance(value, str):
        yield value.encode()


class Secrets(Case):
    secrets = (TOKEN, META, HEADER, USER, PASSWORD, PATH_KEY, QUERY_KEY)

    def assertClean(self, what: str, data: bytes) -> None:
        for secret in self.secrets:
            for form in forms(secret):
                at = data.find(form)
                self.assertLess(at, 0, f"{what} holds {form!r}: {data[max(0, at - 80):at + 80]!r}")

    def assertCleanRecording(self, path: pathlib.Path, frames: int | None = None) -> list[Record]:
        """Neither a file nor a record but a flagged frame holds a secret."""
        found = list(records(path))
        flagged = [r for r in found if r.flags.get("contains_secret")]
        for file in path.rglob("*"):
            # Segments hold the flagged frames.
            if file.is_file() and not (flagged and file.suffix == ".seg"):
                self.assertClean(str(file), file.name.encode() + b"\n" + file.read_bytes())
        for record in found:
            if record in flagged:
                self.assertTrue(record.kind.endswith("_in"), record.kind)
                continue
            self.assertClean(f"record {record.sequence}", record.payload)
            for text in texts(record.line):
                self.assertClean(f"record {record.sequence} {record.kind}", text)
        if frames is not None:
            self.assertEqual(len(flagged), frames)
        for words in (("cat", path), ("info", path), ("verify", path), ("cat", path, "--format", "csv")):
            result = run(*words)
            if words[-1] != "csv" or not flagged:
                self.assertClean(" ".join(map(str, words)), (result.stdout + result.stderr).encode())
        return found

    def assertCleanResult(self, result: Result) -> Result:
        self.assertClean("standard output", result.stdout.encode())
        self.assertClean("standard error", result.stderr.encode())
        return result

    def configuration(self, **source: Any) -> pathlib.Path:
        (self.folder / "all.json").write_text('{"slots":{"all":{}}}')
        file = self.folder / "deck.json5"
        file.write_text(json.dumps({"sources": [source], "limits": {"until_end": True}}))
        return file

    def geyser(self, url: str) -> pathlib.Path:
        return self.configuration(
            geyser=url, subscribe="all.json", token_env="CANARY_TOKEN",
            metadata={"x-more": {"env": "CANARY_META"}},
        )  # fmt: skip

    def evm(self) -> pathlib.Path:
        return self.configuration(
            ws_env="CANARY_URL", calls=[HEADS], headers={"X-Thing": {"env": "CANARY_HEADER"}}
        )

    def environment(self, server: EvmServer | None = None, **more: str) -> dict[str, str]:
        given = {"CANARY_TOKEN": TOKEN, "CANARY_META": META, "CANARY_HEADER": HEADER}
        if server:
            user = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
            given["CANARY_URL"] = (
                f"ws://{user}@127.0.0.1:{server.port}/v2/{PATH_KEY}?apikey={QUERY_KEY}&x=1"
            )
        return given | more


class Geyser(Secrets):
    echo = f"<{TOKEN}> and <{META}>"
    binary = b"\x08\x07\x12" + bytes([len(echo)]) + echo.encode() + b"\xff\x00"

    def sweep(self, name: str, script: Script, code: int, frames: int, **more: str) -> None:
        with self.subTest(name=name):
            target = self.folder / name
            with GeyserServer(lambda _: script) as peer:
                words = ("record", "-o", target, "--config", self.geyser(peer.url), "--acks")
                result = self.check(run(*words, extra=self.environment(**more)), code)
                sent = peer.seen[0].metadata
            self.assertEqual((sent["x-token"], sent["x-more"]), (TOKEN, META))
            self.assertCleanResult(result)
            self.assertCleanRecording(target, frames)

    def test_what_a_server_says_back_is_masked(self) -> None:
        initial = (("x-echo", self.echo), ("x-odd-bin", self.binary), ("set-cookie", TOKEN))
        trailing = (
            ("x-end", self.echo), ("x-coded", quote(TOKEN, safe="")),
            ("x-base", base64.b64encode(b"me:" + TOKEN.encode()).decode()),
            ("grpc-status-details-bin", self.binary),
        )  # fmt: skip
        frames = [*invented(3, 1), b"\x0a\x04" + self.echo.encode(), json.dumps(self.echo).encode()]
        script = Script(frames, initial, trailing, grpc.StatusCode.ABORTED, f"no: {self.echo}")
        self.sweep("streamed", script, 0, 2)
        traces = {"GRPC_VERBOSITY": "debug", "GRPC_TRACE": "all"}
        self.sweep("traced", script, 0, 2, **traces)
        for status in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INTERNAL):
            details = f"token {TOKEN} is not {META}"
            refusing = Script((), (), trailing, status, details, refuses=True)
            if status is grpc.StatusCode.UNAUTHENTICATED:
                self.sweep(status.name, refusing, 1, 0)
        many = Script(frames, initial, trailing, grpc.StatusCode.INTERNAL, self.echo * 20)
        self.sweep("long", many, 0, 2)

    def test_terminal_and_command_line_show_none(self) -> None:
        hold, target = threading.Event(), self.folder / "rec"
        script = Script([self.binary, *invented(3, 2)], (("x-echo", self.echo),), hold=hold)
        with GeyserServer(lambda _: script) as peer:
            above, below = pty.openpty()
            # Wide enough for the whole status line.
            fcntl.ioctl(below, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 300, 0, 0))
            told = bytearray()

            def listen() -> None:
                try:
                    while more := os.read(above, 4_096):
                        told.extend(more)
                except OSError:
                    pass  # The other end is closed.

            listening = threading.Thread(target=listen, daemon=True)
            listening.start()
            running = Terminal(
                [BINARY, "record", "-o", str(target), "--config", str(self.geyser(peer.url))],
                self.environment(), below,
            )  # fmt: skip
            os.close(below)
            wait_until(lambda: b"geyser-1 streaming" in told, about="the status line")
            wait_until(lambda: b"holds a secret" in told, about="the alert")
            command = pathlib.Path(f"/proc/{running.pid}/cmdline").read_bytes()
            for thread in pathlib.Path(f"/proc/{running.pid}/task").iterdir():
                command += (thread / "comm").read_bytes()
            hold.set()
            self.assertEqual(running.wait(), 0)
            listening.join(10)
            os.close(above)
        self.assertClean("the terminal", bytes(told))
        self.assertClean("the command line", command)
        self.assertCleanRecording(target, 1)


class Terminal:
    """A command whose standard error is a terminal."""

    def __init__(self, words: list[str], extra: dict[str, str], terminal: int) -> None:
        kept = environment(extra) | {"TERM": "xterm"}
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=terminal, env=kept
        )
        self.pid = self._process.pid

    def wait(self) -> int:
        try:
            return self._process.wait(60)
        finally:
            self._process.kill()


class Ethereum(Secrets):
    echo = f"{PASSWORD} {PATH_KEY} {HEADER}"
    more = f"{USER}, {QUERY_KEY}"

    def sweep(
        self, name: str, code: int, frames: int | None, script: Any, says: str = "", **server: Any
    ) -> None:
        with self.subTest(name=name):
            target = self.folder / name
            with EvmServer(script, **server) as peer:
                extra = self.environment(peer)
                with Running("record", "-o", target, "--config", self.evm(), extra=extra) as running:
                    if says:
                        running.wait_said(says)
                        running.process.terminate()
                    result = self.check(running.wait(), code)
                request = peer.requests[0]
            self.assertEqual(request.path, f"/v2/{PATH_KEY}?apikey={QUERY_KEY}&x=1")
            self.assertEqual(request.headers["X-Thing"], HEADER)
            self.assertCleanResult(result)
            self.assertCleanRecording(target, frames)

    def headers(self) -> dict[str, str]:
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return {
            "X-Echo": self.echo, "X-More": self.more, "X-Basic": f"Basic {basic}",
            "X-Coded": quote(self.echo, safe=""), "Set-Cookie": f"k={PATH_KEY}",
            "Location": f"wss://{quote(USER)}:{quote(PASSWORD, safe='')}@h/{PATH_KEY}?k={QUERY_KEY}",
        }  # fmt: skip

    def answer(self, peer: Peer) -> None:
        peer.calls.get(timeout=20)
        peer.wire.send(*fragments(text_of({"jsonrpc": "2.0", "id": 1, "result": "0x1"})))

    def test_what_a_server_says_back_is_masked(self) -> None:
        def closes(code: int) -> Any:
            def script(peer: Peer) -> None:
                self.answer(peer)
                peer.wire.send(*fragments(text_of({"jsonrpc": "2.0", "note": self.echo})))
                peer.wire.send(Frame(TEXT, self.more.encode()))
                end(peer, code, f"no {self.echo}")

            return script

        # The close frame is a frame too.
        self.sweep("closed", 0, 3, closes(1011), headers=self.headers())
        self.sweep("orderly", 0, 3, closes(1000), headers=self.headers())

        def fails(peer: Peer) -> None:
            peer.calls.get(timeout=20)
            error = {"code": -32601, "message": f"{self.echo} {self.more}"}
            peer.wire.send(*fragments(text_of({"jsonrpc": "2.0", "id": 1, "error": error})))
            peer.close.wait(20)

        self.sweep("error", 1, None, fails, headers=self.headers())

    def test_refusals_that_name_the_key_are_masked(self) -> None:
        body = json.dumps({"error": self.echo, "user": self.more})
        for status, code, says in ((401, 1, ""), (403, 1, ""), (429, 1, "429"), (302, 1, "302")):
            self.sweep(
                str(status), code, 0, lambda _: None, says, refuses=(status, body),
                headers=self.headers(),
            )  # fmt: skip


class Mistakes(Secrets):
    """What is wrong with a command line is said without the address."""

    def test_addresses_are_not_repeated(self) -> None:
        (self.folder / "all.json").write_text('{"slots":{"all":{}}}')
        rec = self.folder / "rec"
        for scheme in ("https", "wss", "ws", "ftp", "WSS"):
            url = f"{scheme}://{USER}:{quote(PASSWORD, safe='')}@h.example/{PATH_KEY}?k={QUERY_KEY}"
            call = json.dumps(HEADS)
            for words in (
                ("--ws", url), (f"--ws={url}", "--colour"), (url,), ("--ws", "ws://h", url),
                ("--ws", url + "\n", "--call", call), ("--ws", url, "--call", call + "}"),
                ("--geyser", url, "--subscribe", self.folder / "all.json"), ("--config", url),
                ("--ws", url, "--call", call, "--for", "-1"), ("--for", url), ("-x", url),
                ("--ws", url, "--token-env", "A"), ("--call", call, "--ws", url), ("--w", url),
                ("--ws" + url,), ("--frames", url), (f"--{url}",), (f"-{url}",),
            ):  # fmt: skip
                with self.subTest(words=words):
                    result = run("record", "-o", rec, *words)
                    self.assertCleanResult(self.check(result, 2, ".{10,}"))
            for words in ((url,), ("serve", url), ("config", "check", url), ("cat", rec, url)):
                with self.subTest(words=words):
                    self.assertCleanResult(self.check(run(*words), 2, ".{10,}"))
        self.assertFalse(rec.exists())

    def test_a_token_in_place_of_its_variables_name_is_not_repeated(self) -> None:
        (self.folder / "all.json").write_text('{"slots":{"all":{}}}')
        file = self.folder / "deck.json5"
        for token in self.secrets:
            words = ("--geyser", "https://h", "--subscribe", self.folder / "all.json")
            result = run("record", "-o", self.folder / "rec", *words, "--token-env", token)
            self.assertCleanResult(self.check(result, 2, "not set"))
            source = {"geyser": "https://h", "subscribe": "all.json", "token_env": token}
            file.write_text(json.dumps({"sources": [source]}))
            self.assertCleanResult(self.check(run("config", "check", file), 2, "not set"))

    def test_a_faulty_configuration_is_not_repeated(self) -> None:
        url = f"wss://{USER}:{quote(PASSWORD, safe='')}@h.example/{PATH_KEY}?k={QUERY_KEY}"
        call = json.dumps(HEADS)
        for text in (
            f"{{sources: [{{ws: '{url}' calls: [{call}]}}]}}",
            f"{{sources: [{{ws: {url}, calls: [{call}]}}]}}",
            f"{{sources: [{{ws: '{url}', calls: [{call}], receive_limit: '{url}'}}]}}",
            f"{{sources: [{{ws: ['{url}'], calls: [{call}]}}]}}",
            f"{{sources: [{{ws: '{url}x\\u0000', calls: [{call}]}}]}}",
            f"{{sources: [{{geyser: '{url}', subscribe: 'a'}}]}}",
            f"{{sources: [{{ws: '{url}', calls: [{call}], id: '{url}'}}]}}",
            f"{{sources: [{{ws: '{url}', calls: [{call}], headers: {{X: '{url}'}}}}]}}",
            f"{{sources: '{url}'}}",
            f"'{url}'",
            f"{{sources: [{{ws: '{url}', calls: ['{url}']}}]}}",
            f"{{sources: [{{ws: '{url}', calls: [{call}], token: '{url}'}}]}}",
            f"{{sources: [{{ws: '{url}', calls: [{call}], keepalive: '{url}'}}]}}",
        ):
            with self.subTest(text=text):
                file = self.folder / "deck.json5"
                file.write_text(text)
                result = self.check(run("config", "check", file), 2, "deck.json5: ")
                self.assertCleanResult(result)

    def test_endpoints_that_cannot_be_reached_are_named_without_their_keys(self) -> None:
        user = f"{quote(USER)}:{quote(PASSWORD, safe='')}"
        for place in ("127.0.0.1:1", "no-such-host.invalid", "localhost:1"):
            for scheme in ("ws", "wss"):
                url = f"{scheme}://{user}@{place}/v2/{PATH_KEY}?apikey={QUERY_KEY}"
                with self.subTest(scheme=scheme, place=place):
                    target = self.folder / f"{scheme}-{place}"
                    config = self.evm()
                    extra = self.environment(CANARY_URL=url)
                    with Running("record", "-o", target, "--config", config, extra=extra) as running:
                        running.wait_said("next try in")
                        result = self.check(running.stop(), 1)
                    self.assertCleanResult(result)
                    self.assertCleanRecording(target, 0)


if __name__ == "__main__":
    unittest.main()
