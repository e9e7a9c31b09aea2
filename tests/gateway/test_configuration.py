"""Command line over environment over file over default; and one clear complaint about what is wrong."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config import BadConfig, Config, check, load, parse

FIELDS = {field.name: field for field in msgspec.structs.fields(Config)}


def flag(key: str) -> str:
    return "--" + key.replace("_", "-")


def variable(key: str) -> str:
    return f"PARLOUR_{key.upper()}"


def configured(arguments: list[str], environment: dict[str, str]) -> Config:
    return load(parse(arguments), environment)


def others(key: str) -> list[Any]:
    """Three valid values, each other than the one before; the first is not the default."""
    default = FIELDS[key].default
    if key == "durability":
        return ["full", "normal", "full"]
    if key == "log_format":
        return ["json", "text", "json"]
    if default is None:
        return [1, 2, 3]
    if default is False:
        return [True, False, True]
    if default == ():
        return [("one",), ("two", "three"), ("four",)]
    if isinstance(default, str):
        return ["one", "two", "three"]
    return [type(default)(default + n) for n in (1, 2, 3)]


def toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def written(value: object) -> str:
    """On the command line and in the environment."""
    return ",".join(value) if isinstance(value, tuple) else str(value).lower()


def test_without_anything_the_defaults_hold() -> None:
    config = configured(["serve"], {})
    assert config == Config()
    assert (config.tcp_port, config.web_port) == (4000, 8080)


@pytest.mark.parametrize("key", FIELDS)
def test_each_source_wins_over_those_before_it(key: str, tmp_path: Path) -> None:
    in_file, in_environment, on_line = others(key)
    file = tmp_path / "parlour.toml"
    file.write_text(f"{key} = {toml(in_file)}\n")
    arguments = ["serve", "--config", str(file)]
    environment: dict[str, str] = {}
    assert getattr(configured(arguments, environment), key) == in_file
    environment = {variable(key): written(in_environment)}
    assert getattr(configured(arguments, environment), key) == in_environment
    arguments += [flag(key), written(on_line)]
    assert getattr(configured(arguments, environment), key) == on_line


def test_a_source_that_is_silent_about_a_key_leaves_it_alone(tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    file.write_text("tcp_port = 1\nweb_port = 2\nburst = 3\n")
    environment = {"PARLOUR_WEB_PORT": "20", "PARLOUR_BURST": ""}
    config = configured(["serve", "--config", str(file), "--rate", "7.5"], environment)
    assert (config.tcp_port, config.web_port, config.burst, config.rate) == (1, 20, 3, 7.5)


def test_chat_port_is_the_tcp_port_unless_parlour_tcp_port_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    file.write_text("tcp_port = 1\n")
    arguments = ["serve", "--config", str(file)]
    assert configured(arguments, {"CHAT_PORT": "2"}).tcp_port == 2
    assert configured(arguments, {"PARLOUR_TCP_PORT": "3", "CHAT_PORT": "2"}).tcp_port == 3
    assert configured([*arguments, "--tcp-port", "4"], {"CHAT_PORT": "2"}).tcp_port == 4


def test_the_tcp_port_may_be_given_alone() -> None:
    assert configured(["serve", "4444"], {"CHAT_PORT": "2"}).tcp_port == 4444
    assert configured(["serve", "4444", "--tcp-port", "4444"], {}).tcp_port == 4444
    with pytest.raises(BadConfig, match=r"4444.*4445"):
        configured(["serve", "4444", "--tcp-port", "4445"], {})


def test_other_variables_are_none_of_our_business() -> None:
    assert configured(["serve"], {"PARLOUR_REQUIRE_ALL": "1", "TCP_PORT": "1", "PARLOUR_": "x"}) == Config()


BAD = [
    ("tcp_port", "65536"),
    ("tcp_port", "-1"),
    ("tcp_port", "http"),
    ("tcp_port", "40.5"),
    ("tcp_port", ""),
    ("burst", "0"),
    ("burst", "many"),
    ("rate", "-0.1"),
    ("rate", "nan"),
    ("rate", "inf"),
    ("idle_timeout", "-1"),
    ("idle_timeout", "nan"),
    ("login_timeout", "soon"),
    ("sendq", "1"),
    ("history_per_room", "-5"),
    ("max_connections", "1e3x"),
]


@pytest.mark.parametrize(("key", "value"), BAD)
def test_a_bad_value_on_the_command_line_is_named_with_its_flag(key: str, value: str) -> None:
    with pytest.raises(BadConfig) as problem:
        configured(["serve", f"{flag(key)}={value}"], {})
    assert flag(key) in str(problem.value)
    assert repr(value) in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(("key", "value"), [case for case in BAD if case[1]])
def test_a_bad_value_in_the_environment_is_named_with_its_variable(key: str, value: str) -> None:
    with pytest.raises(BadConfig) as problem:
        configured(["serve"], {variable(key): value})
    assert variable(key) in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    "text",
    [
        'tcp_port = "4000"',
        "tcp_port = 65536",
        "tcp_port = 4000.5",
        "host = 1",
        "burst = true",
        "rate = nan",
        "rate = inf",
        "rate = -1",
        "idle_timeout = [60]",
    ],
)
def test_a_bad_value_in_the_file_is_named_with_its_key_and_the_file(text: str, tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    file.write_text(text)
    with pytest.raises(BadConfig) as problem:
        configured(["serve", "--config", str(file)], {})
    assert str(file) in str(problem.value)
    assert text.split()[0] in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("text", ["colour = 1", "tcp-port = 4000", "[server]\ntcp_port = 1", "TCP_PORT = 1"])
def test_an_unknown_key_in_the_file_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    file.write_text(text)
    with pytest.raises(BadConfig, match=r"colour|tcp-port|server|TCP_PORT"):
        configured(["serve", "--config", str(file)], {})


@pytest.mark.parametrize("content", [b"tcp_port = ", b"tcp_port: 4000", b"\xff\xfe", b"{}"])
def test_a_file_that_is_no_toml_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    file.write_bytes(content)
    with pytest.raises(BadConfig) as problem:
        configured(["serve", "--config", str(file)], {})
    assert str(file) in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "absent.toml", "No such file"), (tmp_path, "directory")):
        with pytest.raises(BadConfig, match=reason) as problem:
            configured(["serve", "--config", str(path)], {})
        assert str(path) in str(problem.value)


@pytest.mark.parametrize(
    "arguments", [[], ["serve", "--colour"], ["serve", "1", "2"], ["sing"], ["serve", "--config"]]
)
def test_a_bad_command_line_is_a_complaint(arguments: list[str]) -> None:
    with pytest.raises(BadConfig) as problem:
        configured(arguments, {})
    assert "\n" not in str(problem.value)


def test_a_bad_choice_is_told_what_there_is_to_choose(tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    for key, value, choices in (("log_format", "xml", "text|json"), ("durability", "much", "normal|full")):
        file.write_text(f'{key} = "{value}"\n')
        for arguments, environment in (
            ([flag(key), value], {}),
            ([], {variable(key): value}),
            (["--config", str(file)], {}),
        ):
            with pytest.raises(BadConfig) as problem:
                configured(["serve", *arguments], environment)
            assert choices in str(problem.value)
            assert value in str(problem.value)


def test_the_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text("tcp_port = 1\n")
    two.write_text("tcp_port = 2\n")
    assert configured(["serve"], {"PARLOUR_CONFIG": str(one)}).tcp_port == 1
    assert configured(["serve"], {"PARLOUR_CONFIG": ""}).tcp_port == 4000
    assert configured(["serve", "--config", str(two)], {"PARLOUR_CONFIG": str(one)}).tcp_port == 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://chat.example.org", "https://chat.example.org"),
        ("https://chat.example.org/", "https://chat.example.org"),
        ("HTTPS://Chat.Example.org:8443/", "https://chat.example.org:8443"),
        ("https://chat.example.org:443", "https://chat.example.org"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("safari-web-extension://AF0E6D43-1A2B/", "safari-web-extension://AF0E6D43-1A2B"),
    ],
)
def test_an_origin_is_compared_as_browsers_write_it(written: str, meant: str) -> None:
    assert check(configured(["serve", "--allowed-origin", written], {})).allowed_origin == (meant,)


@pytest.mark.parametrize(
    "origin",
    [
        "chat.example.org",
        "localhost:8080",
        "https://",
        "https:///",
        "https://chat.example.org/chat",
        "https://chat.example.org?x",
        "https://chat.example.org#x",
        "https://ann@chat.example.org",
        "https://chat.example.org:x",
        "https://[",
        "*",
        "null",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(BadConfig, match=r"--allowed-origin .*https://chat\.example\.org") as problem:
        check(configured(["serve", "--allowed-origin", f"https://one.example,{origin}"], {}))
    assert repr(origin) in str(problem.value)


@pytest.mark.parametrize("name", ["localhost", "Chat.Example.org", "10.0.0.1", "::1", "my_host"])
def test_a_host_name_or_address_may_be_public(name: str) -> None:
    assert check(configured(["serve", "--public-host", name], {})).public_host == (name,)


@pytest.mark.parametrize(
    "name", ["localhost:8113", "http://x", "x/", "[::1]", "[::1]:80", "x y", "*.example.org"]
)
def test_what_no_host_is_called_is_refused(name: str) -> None:
    with pytest.raises(BadConfig, match=r"--public-host .*chat\.example\.org") as problem:
        check(configured(["serve", "--public-host", f"one.example,{name}"], {}))
    assert repr(name) in str(problem.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["8080"], "--tcp-port and --web-port cannot both be 8080"),
        (["--admin-port", "4000"], "--tcp-port and --admin-port cannot both be 4000"),
    ],
)
def test_two_doors_have_two_ports(arguments: list[str], words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        check(configured(["serve", *arguments], {}))


def test_several_doors_may_have_any_free_port() -> None:
    arguments = ["serve", "0", "--web-port", "0", "--admin-port", "0"]
    assert check(configured(arguments, {})).admin_port == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--tls-cert", "cert.pem"], "--tls-key"),
        (["--tls-tcp-port", "4001"], "--tls-cert"),
        (["--proxy-protocol"], "--trusted-proxy"),
        (["--trusted-proxy", "10.0.0.0/8,nonsense"], "nonsense"),
    ],
)
def test_what_belongs_together_must_come_together(arguments: list[str], named: str) -> None:
    with pytest.raises(BadConfig, match=named):
        check(configured(["serve", *arguments], {}))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("tcp_port", "x", "a whole number is expected"),
        ("tcp_port", "40.5", "a whole number is expected"),
        ("tls_tcp_port", "x", "a whole number is expected"),
        ("tcp_port", "65536", "a whole number <= 65535 is expected"),
        ("sendq", "2", "a whole number >= 4096 is expected"),
        ("rate", "x", "a number is expected"),
        ("rate", "-1", "a number >= 0.0 is expected"),
        ("proxy_protocol", "maybe", "true or false is expected"),
    ],
)
def test_what_is_expected_is_told_in_words(key: str, value: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as problem:
        configured(["serve", f"{flag(key)}={value}"], {})
    assert str(problem.value) == f"bad value {value!r} for {flag(key)}: {words}"
    file = tmp_path / "parlour.toml"
    file.write_text(f"{key} = {value if re.match('[-0-9]', value) else repr(value)}\n")
    with pytest.raises(BadConfig) as problem:
        configured(["serve", "--config", str(file)], {})
    assert str(problem.value) == f"in {file}: {words} - at {key}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tcp_port = true", "a whole number is expected - at tcp_port"),
        ("host = 1", "text is expected - at host"),
        ('data = ""', "text of length >= 1 is expected - at data"),
        ('public_host = "x"', "a list is expected - at public_host"),
        ("public_host = [1]", "text is expected - at public_host[0]"),
    ],
)
def test_what_the_file_is_expected_to_hold_is_told_in_words(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "parlour.toml"
    file.write_text(text)
    with pytest.raises(BadConfig) as problem:
        configured(["serve", "--config", str(file)], {})
    assert str(problem.value) == f"in {file}: {words}"
