"""Short-lived certificates, made by openssl when a test needs them."""

from __future__ import annotations

import pathlib
import subprocess
from dataclasses import dataclass


@dataclass
class Certificates:
    """A root of our own and a server certificate that it signed."""

    root: pathlib.Path
    chain: bytes
    key: bytes
    chain_file: pathlib.Path
    key_file: pathlib.Path


def make(folder: pathlib.Path, name: str = "localhost", address: str = "127.0.0.1") -> Certificates:
    """Makes both; the server's names are `name` and `address`."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req", "-x509", *curve, "-keyout", "root.key", "-out", "root.pem", "-days", "2",
        "-subj", "/CN=Interop root", "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={name}")
    (folder / "names.cnf").write_text(f"subjectAltName=DNS:{name},IP:{address}\n")
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", "root.pem", "-CAkey", "root.key",
        "-CAcreateserial", "-days", "2", "-extfile", "names.cnf", "-out", "server.pem",
    )  # fmt: skip
    chain, key = folder / "server.pem", folder / "server.key"
    return Certificates(folder / "root.pem", chain.read_bytes(), key.read_bytes(), chain, key)
