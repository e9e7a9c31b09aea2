"""Configuration: command line over environment over TOML file over default.

One Struct is the whole truth; flags, environment variables and file keys are derived from it.
"""

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import version
from ipaddress import ip_address
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn

import msgspec
import platformdirs
from msgspec import Meta, Struct

from core.addresses import Trusted

Port = Annotated[int, Meta(ge=0, le=65_535)]
MOST: Final = 2**31 - 1
"""More than anyone has; the parts below take no larger numbers."""

Count = Annotated[int, Meta(ge=0, le=MOST)]
Names = tuple[str, ...]
Seconds = Annotated[float, Meta(ge=0, le=1e9)]


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of the configuration. 0 turns a limit off where it is allowed."""

    host: Annotated[str, Meta(description="address both doors listen on")] = "0.0.0.0"  # noqa: S104 - a server
    tcp_port: Annotated[Port, Meta(description="port of the line door; 0 picks a free one")] = 4000
    web_port: Annotated[Port, Meta(description="port of the page; 0 picks a free one")] = 8080
    data: Annotated[
        Annotated[str, Meta(min_length=1)],
        Meta(description="where messages are kept; 'memory' forgets them at the end"),
    ] = str(Path(platformdirs.user_data_dir("parlour"), "parlour.db"))
    durability: Annotated[
        Literal["normal", "full"],
        Meta(description="'full' flushes the disk for each batch of messages: safe against power loss"),
    ] = "normal"
    idle_timeout: Annotated[Seconds, Meta(description="seconds of silence until a line user is cut")] = 60
    login_timeout: Annotated[Seconds, Meta(description="seconds a connection may stay without login")] = 20
    rate: Annotated[
        Annotated[float, Meta(ge=0, le=1e6)], Meta(description="commands a second and person")
    ] = 5
    burst: Annotated[
        Annotated[int, Meta(ge=1, le=MOST)], Meta(description="commands at once before that")
    ] = 10
    max_connections: Annotated[
        Count, Meta(description="connections on each door; 0 for as many as the system allows")
    ] = 0
    max_connections_per_address: Annotated[
        Count, Meta(description="connections from one address on each door")
    ] = 16
    sendq: Annotated[
        Annotated[int, Meta(ge=4096, le=MOST)],
        Meta(description="bytes that may wait for a slow reader until it is cut"),
    ] = 262_144
    linger: Annotated[
        Seconds, Meta(description="seconds a person whose connection broke may be away unnoticed")
    ] = 10
    history_days: Annotated[Seconds, Meta(description="days for which messages are kept; 0 for ever")] = 0
    allowed_origin: Annotated[
        Names, Meta(description="origins of other pages that may connect, like https://chat.example.org")
    ] = ()
    public_host: Annotated[Names, Meta(description="the only host names under which the page is served")] = ()
    trusted_proxy: Annotated[
        Names, Meta(description="networks of proxies whose X-Forwarded-For and PROXY headers are believed")
    ] = ()
    proxy_protocol: Annotated[
        bool, Meta(description="take PROXY protocol headers from trusted proxies on the TCP ports")
    ] = False
    tls_cert: Annotated[str, Meta(description="certificate chain (PEM): the page is served by HTTPS")] = ""
    tls_key: Annotated[str, Meta(description="its key (PEM)")] = ""
    tls_tcp_port: Annotated[
        Port | None, Meta(description="port of a line door with TLS, beside the plain one")
    ] = None
    admin_port: Annotated[Port | None, Meta(description="port on 127.0.0.1 for /metrics and /healthz")] = None
    log_format: Annotated[Literal["text", "json"], Meta(description="how log lines are written")] = "text"
    history_per_room: Annotated[Count, Meta(description="messages kept for a room")] = 10_000


PORTS: Final = ("tcp_port", "web_port", "tls_tcp_port", "admin_port")

ENVIRONMENT: Final = {"CHAT_PORT": "tcp_port"} | {
    f"PARLOUR_{name.upper()}": name for name in Config.__struct_fields__
}
"""Variable to key; a later one wins."""

KNOWN: Final = {*ENVIRONMENT, "PARLOUR_CONFIG", "PARLOUR_REQUIRE_ALL"}
"""The last one is for the tests."""

_DEFAULTS: Final = {info.name: info.default for info in msgspec.structs.fields(Config)}

METAVARS: Final = {
    "host": "ADDRESS",
    "data": "FILE",
    "durability": "normal|full",
    "allowed_origin": "ORIGIN,…",
    "public_host": "NAME,…",
    "trusted_proxy": "CIDR,…",
    "proxy_protocol": "true|false",
    "tls_cert": "FILE",
    "tls_key": "FILE",
    "log_format": "text|json",
}

FILES: Final = ("data", "tls_cert", "tls_key")

EXPECTED: Final = re.compile(r"Expected `(\w+)(?: \| null)?`(?:, got .*|(.*))")
WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "array": "a list",
}
"""What msgspec calls otherwise when something else came."""

NAME: Final = re.compile(r"[a-z0-9._-]+")
ORIGIN: Final = re.compile(rf"([a-z][a-z0-9+.-]*)://({NAME.pattern}|\[[0-9a-f:.]+\])(:[0-9]+)?/?")
USUAL_PORTS: Final = (("http", ":80"), ("https", ":443"))
"""Those that browsers leave out."""


class BadConfig(Exception):
    """One line for the one who configures."""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)  # a shortened option may mean another one some day

    def error(self, message: str) -> NoReturn:
        raise BadConfig(f"{message} (try --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="parlour", description="A chat for netcat and the browser, in the same rooms.")
    parser.add_argument("--version", action="version", version=f"parlour {version('parlour')}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    serve = commands.add_parser(
        "serve",
        help="run the server",
        description="Run the server. Options win over PARLOUR_* variables, those over the file."
        " 0 turns a limit off, but for --burst and --sendq.",
    )
    serve.add_argument("port", nargs="?", help="the same as --tcp-port", metavar="PORT")
    serve.add_argument("--config", metavar="FILE", help="a TOML file with the same keys: tcp_port = 4000")
    for info in msgspec.structs.fields(Config):
        (meta,) = (m for m in info.type.__metadata__ if m.description)
        serve.add_argument(
            _flag(info.name),
            metavar=METAVARS.get(info.name, "N"),
            help=f"{meta.description} ({_default(info.default)})",
            # One that is on or off may be named without a value.
            nargs="?" if info.default is False else None,
            const="true" if info.default is False else None,
        )
    connect = commands.add_parser(
        "connect",
        help="chat from this terminal",
        description="Chat from this terminal. What you type goes to the server, what it says is shown.",
    )
    connect.add_argument("host", nargs="?", default="localhost", help="default localhost")
    connect.add_argument("port", nargs="?", type=_port, default=4000, help="default 4000")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, which is a number from 1 to 65535")
    return int(text)


def _flag(key: str) -> str:
    return "--" + key.replace("_", "-")


def _default(value: object) -> str:
    if value in ("", (), None):
        return "default: none"
    return f"default {str(value).lower() if isinstance(value, bool) else value}"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line: `command`, and what belongs to it. Raises BadConfig; exits on --help."""
    return _parser().parse_args(arguments)


def load(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration of `parlour serve` from all its sources. Raises BadConfig."""
    options = {key: value for key, value in vars(arguments).items() if value is not None}
    del options["command"]
    file = options.pop("config", environment.get("PARLOUR_CONFIG") or None)
    if "port" in options:
        port = options.pop("port")
        if options.setdefault("tcp_port", port) != port:
            raise BadConfig(f"PORT says {port} and --tcp-port says {options['tcp_port']}: give one of them")
    values: dict[str, Any] = {}
    if file is not None:
        values |= _convert(_read(Path(file)), f"in {file}", strict=True)
    for variable, key in ENVIRONMENT.items():
        if environment.get(variable):
            values |= _convert({key: environment[variable]}, f"in {variable}")
    for key, text in options.items():
        values |= _convert({key: text}, f"for {_flag(key)}")
    return Config(**values)


def check(config: Config) -> Config:
    """What its type does not tell of a value. Raises BadConfig."""
    for key in ("host", *FILES):
        if "\0" in (value := getattr(config, key)):
            raise BadConfig(f"bad value {value!r} for {_flag(key)}: it holds a NUL")
    if not config.host:
        raise BadConfig("--host takes an address or a name; 0.0.0.0 stands for all of this machine's")
    try:
        config.host.encode("idna")
    except UnicodeError:
        raise BadConfig(f"bad value {config.host!r} for --host: no host can be called that") from None
    try:
        Trusted(config.trusted_proxy)
    except ValueError as error:
        raise BadConfig(f"--trusted-proxy takes networks like 10.0.0.0/8: {error}") from None
    origins = tuple(map(_origin, config.allowed_origin))
    for name in config.public_host:
        if not _is_host(name):
            raise BadConfig(
                f"--public-host takes names like chat.example.org, without https:// and port, not {name!r}"
            )
    for one, other in combinations(PORTS, 2):
        port = getattr(config, one)
        if port and port == getattr(config, other):
            raise BadConfig(f"{_flag(one)} and {_flag(other)} cannot both be {port}")
    if bool(config.tls_cert) != bool(config.tls_key):
        raise BadConfig("--tls-cert and --tls-key belong together")
    if config.tls_tcp_port is not None and not config.tls_cert:
        raise BadConfig("--tls-tcp-port needs --tls-cert and --tls-key")
    if config.proxy_protocol and not config.trusted_proxy:
        raise BadConfig("--proxy-protocol needs --trusted-proxy: nobody else is believed")
    files = {key: _at_home(key, getattr(config, key)) for key in FILES}
    return msgspec.structs.replace(config, allowed_origin=origins, **files)


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Those that look like ours and mean nothing."""
    return [name for name in environment if name.startswith("PARLOUR_") and name not in KNOWN]


def _at_home(key: str, path: str) -> str:
    try:
        return os.fspath(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:  # there is no such person
        raise BadConfig(f"bad value {path!r} for {_flag(key)}: nobody here is called that") from None


def _origin(text: str) -> str:
    """As browsers write it. Raises BadConfig."""
    match = ORIGIN.fullmatch(text.lower())
    if match is None:
        raise BadConfig(f"--allowed-origin takes origins like https://chat.example.org, not {text!r}")
    scheme, host, port = match.groups("")
    if scheme not in ("http", "https"):  # of an extension, say: the case of its name counts
        return text.rstrip("/")
    return f"{scheme}://{host}{'' if (scheme, port) in USUAL_PORTS else port}"


def _is_host(name: str) -> bool:
    try:
        return bool(NAME.fullmatch(name.lower()) or ip_address(name))
    except ValueError:
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"cannot read {path}: {getattr(error, 'strerror', error)}") from None
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path} is not TOML: {error}") from None


def _convert(values: dict[str, Any], where: str, *, strict: bool = False) -> dict[str, Any]:
    """The values with their types; text is accepted for numbers and lists unless `strict`."""
    if not strict:
        values = {key: _split(key, text) for key, text in values.items()}
    try:
        config = msgspec.convert(values, Config, strict=strict)
    except msgspec.ValidationError as error:
        unknown = next((key for key in values if key not in _DEFAULTS), None)
        if unknown is not None:
            raise BadConfig(f"{where}: {unknown!r} is no key{_perhaps(unknown)}") from None
        problem, _, place = str(error).rpartition(" - at ")
        problem, place = (problem, place) if problem else (place, "")
        key = place.strip("`").removeprefix("$.")
        if expected := EXPECTED.fullmatch(problem):
            problem = f"{WORDS.get(expected[1], expected[1])}{expected[2] or ''} is expected"
        if problem.startswith("Invalid enum value"):
            problem = f"{problem.removeprefix('Invalid enum value ')} is not one of {METAVARS[key]}"
        if strict:
            raise BadConfig(f"{where}: {problem}{f' - at {key}' if key else ''}") from None
        raise BadConfig(f"bad value {next(iter(values.values()))!r} {where}: {problem}") from None
    return {key: getattr(config, key) for key in values}


def _perhaps(unknown: str) -> str:
    if unknown == "port":  # on the command line that is the first argument
        return "; did you mean tcp_port?"
    near = get_close_matches(unknown.replace("-", "_").lower(), _DEFAULTS, 1)
    return f"; did you mean {near[0]}?" if near else "; keys are those of --help, in no table"


def _split(key: str, text: str) -> str | list[str]:
    """A list is written with commas."""
    if _DEFAULTS[key] == ():
        return [name.strip() for name in text.split(",") if name.strip()]
    return text


def complain(problem: object) -> NoReturn:
    """One clear line, exit status 2."""
    print(f"parlour: {problem}", file=sys.stderr)
    sys.exit(2)
