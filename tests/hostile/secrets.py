"""Certificates for the tests, made by openssl."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.clients import require


class Pair(NamedTuple):
    """`cert` is its own authority: whoever trusts it trusts nothing else."""

    cert: Path
    key: Path


def make_pair(folder: Path, name: str, *, password: str = "") -> Pair:
    """A self-signed certificate for localhost."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    keeping = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    subprocess.run(
        [
            require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            *keeping, "-days", "2", "-subj", f"/CN={name}", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(pair.key), "-out", str(pair.cert),
        ],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return pair
