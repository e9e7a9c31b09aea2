"""`parlour connect`: the line door from this terminal, for machines without netcat."""

import os
import socket
import sys
import termios
import threading
from typing import Final

from gateway.standard import give_up

PIECE: Final = 65_536
"""Bytes read at once."""


def connect(host: str, port: int) -> int:
    """Copy standard input to the server and what it says to standard output. Returns the exit status."""
    try:
        server = socket.create_connection((host, port), timeout=10)
    except (OSError, UnicodeError) as error:  # the second for what is no host name
        why = getattr(error, "strerror", None) or error
        print(f"parlour: cannot connect to {host}:{port}: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    with server:
        server.settimeout(None)
        # It ends with the process: nothing can wake a thread that waits for the keyboard.
        threading.Thread(target=_say, args=(server,), daemon=True).start()
        try:
            while said := server.recv(PIECE):
                if sys.stdout is not None:  # closed by who has started this, and does not want to read
                    sys.stdout.buffer.write(said)
                    sys.stdout.buffer.flush()
        except BrokenPipeError:  # nobody reads us any more; of the server a reset would tell
            give_up()
            return 1
        except OSError as error:
            print(f"parlour: the connection broke: {error.strerror}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            _forget_what_is_typed()
    return 0


def _forget_what_is_typed() -> None:
    """Half a line for the chat is no command for the shell that reads next."""
    if sys.stdin is not None and sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _say(server: socket.socket) -> None:
    """From the descriptor: sys.stdin has a lock, and Python aborts at its end when a thread holds it."""
    try:
        if sys.stdin is not None:  # closed is the same as at its end
            os.set_blocking(sys.stdin.fileno(), True)
            while said := os.read(sys.stdin.fileno(), PIECE):
                server.sendall(said)
        server.shutdown(socket.SHUT_WR)  # the server finishes its replies, then closes
    except OSError:
        pass  # it is gone; the other direction tells
