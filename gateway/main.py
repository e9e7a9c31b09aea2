"""The command `parlour`."""

import asyncio
import logging
import sys

from gateway import logs
from gateway.config import BadConfig, Config, check, complain, load, parse, unknown_variables
from gateway.connect import connect
from gateway.sockets import CannotListen
from gateway.standard import hold
from gateway.tls import CannotUse
from storage.errors import CannotOpen

logger = logging.getLogger("parlour")


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        from uvloop import new_event_loop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop()
    return new_event_loop()


def main() -> None:
    """Entry point. Exit status: 0 after a stop, 1 when serving is impossible, 2 for bad configuration."""
    hold()
    try:
        arguments = parse(sys.argv[1:])
        if arguments.command == "connect":
            sys.exit(connect(arguments.host, arguments.port))
        config = check(load(arguments))
    except BadConfig as problem:
        complain(problem)
    logs.set_up(config.log_format)
    for name in unknown_variables():
        logger.warning("The variable %s means nothing here (see --help)", name)
    _serve(config)


def _serve(config: Config) -> None:
    from gateway.serving import serve

    try:
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            runner.run(serve(config))
    except (CannotListen, CannotOpen, CannotUse) as problem:
        logging.shutdown()  # what was logged comes first
        print(f"parlour: {problem}", file=sys.stderr)
        sys.exit(1)
