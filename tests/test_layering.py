"""Who does not know whom. ARCHITECTURE.md says why."""

import ast
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
LAYERS: Final = ("core", "tcp_frontend", "ws_frontend", "storage", "gateway")
MAY_IMPORT: Final = {
    "core": {"core", "msgspec"},
    "tcp_frontend": {"tcp_frontend", "core", "msgspec"},
    "ws_frontend": {"ws_frontend", "core", "msgspec", "aiohttp"},
    "storage": {"storage", "core", "msgspec"},
}
"""Beside the standard library. The gateway may import everything."""

NOT_FOR_CORE: Final = {"http", "json", "msgspec.json", "socket", "socketserver", "sqlite3", "ssl", "urllib"}
"""The core knows no socket, no JSON text, no database."""

OUTSIDE: Final = {"print", "input", "exit", "sys.exit", "os._exit", "os.getenv", "os.environ.get"}
"""What only the gateway may call: it alone speaks to the person who starts the server."""


def files(*layers: str) -> list[Path]:
    return [path for layer in layers for path in sorted((ROOT / layer).rglob("*.py"))]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(source: str) -> set[str]:
    """The modules that a source text imports, wherever in it; `.` for a relative import."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(level=0, module=str(module), names=names):
                found.add(module)
                found.update(f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom():
                found.add(".")
            case ast.Name(id="__import__") | ast.Attribute(attr="import_module"):
                found.add("by name")
    return found


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] or "." for module in modules} - sys.stdlib_module_names


def test_every_import_is_found() -> None:
    source = """
import json, os.path
from storage.memory import MemoryLog
from msgspec import json as j
def later():
    import aiohttp
    from . import sibling
    __import__("storage")
"""
    found = imports(source)
    assert found >= {"json", "os.path", "storage.memory", "msgspec.json", "aiohttp", ".", "by name"}
    assert packages(found) == {"storage", "msgspec", "aiohttp", ".", "by name"}


def test_there_is_something_to_check() -> None:
    assert all(len(files(layer)) > 1 for layer in LAYERS)


@pytest.mark.parametrize("path", files(*MAY_IMPORT), ids=name)
def test_each_layer_imports_only_what_it_may(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    assert packages(imports(path.read_text())) <= MAY_IMPORT[layer]


@pytest.mark.parametrize("path", files("core"), ids=name)
def test_the_core_knows_no_socket_no_json_and_no_database(path: Path) -> None:
    assert not imports(path.read_text()) & NOT_FOR_CORE


@pytest.mark.parametrize("path", files(*MAY_IMPORT), ids=name)
def test_only_the_gateway_prints_reads_the_environment_or_ends_the_process(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not {ast.unparse(call.func) for call in calls} & OUTSIDE


def test_the_gateway_brings_all_layers_together() -> None:
    known = set().union(*(packages(imports(path.read_text())) for path in files("gateway")))
    assert known >= set(LAYERS)
