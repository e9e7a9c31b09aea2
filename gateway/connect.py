"""`parlour connect`: the line door from this terminal, for machines without netcat."""

import socket
import sys
import threading


def connect(host: str, port: int) -> int:
    """Copy standard input to the server and what it says to standard output. Returns the exit status."""
    try:
        server = socket.create_connection((host, port), timeout=10)
    except OSError as error:
        print(f"parlour: cannot connect to {host}:{port}: {error.strerror or error}", file=sys.stderr)
        return 1
    with server:
        server.settimeout(None)
        # It ends with the process: nothing can wake a thread that waits for the keyboard.
        threading.Thread(target=_say, args=(server,), daemon=True).start()
        try:
            while said := server.recv(65_536):
                sys.stdout.buffer.write(said)
                sys.stdout.buffer.flush()
        except ConnectionError:
            print("parlour: the connection broke", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


def _say(server: socket.socket) -> None:
    try:
        for line in sys.stdin.buffer:
            server.sendall(line)
        server.shutdown(socket.SHUT_WR)  # the server finishes its replies, then closes
    except OSError:
        pass  # it is gone; the other direction tells
