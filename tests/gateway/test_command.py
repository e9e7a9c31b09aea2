"""The command `parlour` as a process: what it says, and the status it ends with."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

from gateway.config import Config
from tests.clients import HOST
from tests.hostile.secrets import make_pair


def parlour(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, in an environment without any configuration but `variables`."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PARLOUR_", "CHAT_"))
    }
    return subprocess.run(
        [sys.executable, "-c", "from gateway.main import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        env=environment | variables,
        check=False,
    )


def complaint(process: subprocess.CompletedProcess[str]) -> str:
    """The one line that it wrote on stderr."""
    (line,) = process.stderr.splitlines()
    assert line.startswith("parlour: ")
    return line


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_help_is_given_on_stdout() -> None:
    process = parlour("--help")
    assert (process.returncode, process.stderr) == (0, "")
    assert "serve" in process.stdout


def test_the_help_of_serve_names_every_option_and_its_default() -> None:
    text = " ".join(parlour("serve", "--help", COLUMNS="200").stdout.split())
    for field in msgspec.structs.fields(Config):
        assert f"--{field.name.replace('_', '-')} " in text
        default = field.default
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        assert f"(default {shown})" in text or (default in ("", (), None) and "(default: none)" in text)


def test_the_help_of_serve_says_what_0_means_wherever_it_is_the_default() -> None:
    text = " ".join(parlour("serve", "--help", COLUMNS="200").stdout.split())
    options = re.findall(r"--(\S+) N (.*?\(default .*?\))", text)
    assert [name for name, _ in options if name == "max-connections"]
    for name, words in options:
        assert "(default 0)" not in words or "; 0 " in words, name


@pytest.mark.parametrize(
    ("arguments", "variables", "named"),
    [
        (["serve", "--colour"], {}, "--colour"),
        (["serve", "--config", "/nowhere/parlour.toml"], {}, "/nowhere/parlour.toml"),
        (["serve"], {"CHAT_PORT": "x"}, "CHAT_PORT"),
        (["serve", "--host="], {}, "--host takes an address or a name"),
        (["serve", "--durability=fast"], {}, "for --durability: 'fast' is not one of normal|full"),
        ([], {}, "command"),
    ],
)
def test_bad_configuration_is_one_clear_line_and_status_2(
    arguments: list[str], variables: dict[str, str], named: str
) -> None:
    process = parlour(*arguments, **variables)
    assert process.returncode == 2
    assert process.stdout == ""
    assert named in complaint(process)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "'colour' is no key"),
        ("tcp-port = 1", "did you mean tcp_port?"),
        ("port = 1", "did you mean tcp_port?"),
        ("[server]\ntcp_port = 1", "in no table"),
    ],
)
def test_an_unknown_key_in_the_file_is_one_clear_line_and_status_2(
    text: str, named: str, tmp_path: Path
) -> None:
    file = tmp_path / "parlour.toml"
    file.write_text(text)
    process = parlour("serve", "--config", str(file))
    assert process.returncode == 2
    assert named in complaint(process)
    assert str(file) in complaint(process)


def test_the_version_is_told() -> None:
    assert parlour("--version").stdout == f"parlour {version('parlour')}\n"


@pytest.mark.parametrize("option", ["--tcp", "--sendq=99999999999999999999", "--history-per-room=2147483648"])
def test_no_option_is_shortened_and_no_number_too_large(option: str) -> None:
    process = parlour("serve", option, "4000")
    assert process.returncode == 2
    assert option.partition("=")[0] in complaint(process)


@pytest.mark.parametrize("key", ["tls_cert", "tls_key"])
def test_a_file_may_be_in_ones_home(key: str, tmp_path: Path) -> None:
    process = parlour(
        *("serve", "--host", HOST, "--tcp-port", "0", "--web-port", "0", "--data", "memory"),
        *("--tls-cert", "cert", "--tls-key", "key", f"--{key.replace('_', '-')}", "~/there"),
        HOME=str(tmp_path),
    )
    assert process.returncode == 1
    assert str(tmp_path / "there") in complaint(process)


def test_connect_needs_nothing_that_only_some_systems_have() -> None:
    with socket.socket() as sock:
        sock.bind((HOST, 0))  # and does not listen
        arguments = f"['parlour', 'connect', {HOST!r}, '{sock.getsockname()[1]}']"
        program = f"import sys; sys.modules['resource'] = None; sys.argv = {arguments}"
        process = subprocess.run(
            [sys.executable, "-c", f"{program}; from gateway.main import main; main()"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert process.returncode == 1
    assert "cannot connect" in complaint(process)


@pytest.mark.parametrize("door", ["tcp", "web"])
def test_a_port_in_use_is_one_clear_line_and_status_1(door: str, taken_port: int) -> None:
    ports = {"tcp": "0", "web": "0"} | {door: str(taken_port)}
    where = ("--host", HOST, "--tcp-port", ports["tcp"], "--web-port", ports["web"])
    process = parlour("serve", *where, "--data", "memory")
    assert process.returncode == 1
    line = complaint(process)
    assert "in use" in line
    assert str(taken_port) in line
    assert f"--{door}-port" in line


def test_one_port_for_two_doors_is_one_clear_line_and_status_2() -> None:
    process = parlour("serve", "4007", "--web-port", "4007", "--host", HOST, "--data", "memory")
    assert (process.returncode, process.stdout) == (2, "")
    assert "--tcp-port and --web-port cannot both be 4007" in complaint(process)


@pytest.mark.parametrize("door", ["--tls-tcp-port", "--admin-port"])
def test_a_port_in_use_is_found_before_anything_is_printed(
    door: str, taken_port: int, tmp_path: Path
) -> None:
    pair = make_pair(tmp_path, "server")
    process = parlour(
        "serve", "--host", HOST, "--tcp-port", "0", "--web-port", "0", "--data", "memory",
        "--tls-cert", str(pair.cert), "--tls-key", str(pair.key), door, str(taken_port),
    )  # fmt: skip
    assert (process.returncode, process.stdout) == (1, "")
    assert str(taken_port) in complaint(process)


def test_an_address_that_is_not_ours_is_one_clear_line_and_status_1() -> None:
    where = ("--host", "192.0.2.1", "--tcp-port", "0", "--web-port", "0")
    process = parlour("serve", *where, "--data", "memory")
    assert process.returncode == 1
    assert "192.0.2.1" in complaint(process)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
def test_what_can_be_no_host_is_one_clear_line_and_status_2(host: str) -> None:
    process = parlour("serve", "--host", host, "--tcp-port", "0", "--web-port", "0", "--data", "memory")
    assert process.returncode == 2
    assert repr(host) in complaint(process)
    assert "--host" in complaint(process)


@pytest.mark.parametrize("key", ["host", "data", "tls_cert", "tls_key"])
def test_a_nul_that_no_file_or_host_can_have_is_one_clear_line_and_status_2(key: str, tmp_path: Path) -> None:
    values = {"host": HOST, "data": "memory"}
    if key.startswith("tls"):
        values |= {"tls_cert": "cert", "tls_key": "key"}
    values[key] = "127.0.0.1\\u0000x"
    file = tmp_path / "parlour.toml"
    file.write_text("".join(f'{name} = "{value}"\n' for name, value in values.items()))
    process = parlour("serve", "--config", str(file), "--tcp-port", "0", "--web-port", "0")
    assert process.returncode == 2
    assert r"'127.0.0.1\x00x'" in complaint(process)
    assert f"--{key.replace('_', '-')}" in complaint(process)
