"""The modules of the page, tested by Node: connection, session, state and all else that knows no DOM."""

import subprocess
from pathlib import Path

from tests.clients import require


def test_the_modules_of_the_page_pass_their_tests() -> None:
    done = subprocess.run(
        [require("node"), "--test", str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
