"""`make bench`, small and short: it runs, nothing is lost, and what it writes can be used."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench import plots, report
from bench.results import Result
from tests.clients import require

ROOT = Path(__file__).parent.parent.parent


async def bench(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_quick_run_has_no_faults_and_writes_its_results(tmp_path: Path) -> None:
    options = ("--quick", "--seconds", "0.1", "--data", "file", "--only", "fan,rate,rooms,latency")
    code, out, err = await bench(*options, "--out", str(tmp_path))
    assert code == 0, err
    document: dict[str, Any] = json.loads((tmp_path / "bench.json").read_bytes())
    assert document["machine"]["cores"] > 0
    found = {result["step"]: result for result in document["results"]}
    assert set(found) == {"fan", "rate", "rooms", "latency"}
    for result in document["results"]:
        assert not result.get("faults")
        assert {"deliveries_s", "us", "server", "generator", "generator_us"} <= result["numbers"].keys()
        assert result["numbers"]["deliveries"] > 0
    assert {"p50", "p99", "p99_9"} <= found["rate"]["numbers"].keys()
    assert "### Open loops" in out
    assert "### Open loops" in (tmp_path / "bench.md").read_text()
    ElementTree.parse(tmp_path / "bench-latency.svg")
    assert re.search(r"^\[4/4\] 0:\d\d left: latency", err, re.MULTILINE), "no progress was shown"


@pytest.mark.browser
async def test_the_page_is_measured_in_a_browser(tmp_path: Path) -> None:
    require("chromium")
    code, out, err = await bench("--quick", "--only", "page", "--out", str(tmp_path))
    assert code == 0, err
    (result,) = json.loads((tmp_path / "bench.json").read_bytes())["results"]
    numbers = {"form_ms", "form_again_ms", "room_ms", "scroll_ms", "scroll_longest_ms", "heap_mib"}
    assert numbers == {name for name, number in result["numbers"].items() if number > 0}
    assert "### The page, in Chromium" in out


async def test_where_there_is_no_browser_the_page_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = await bench("--quick", "--only", "page", "--out", str(tmp_path))
    assert code == 0, err
    assert "the page is not measured" in err


async def test_a_step_that_does_not_exist_is_said_in_one_line() -> None:
    code, _, err = await bench("--only", "nonsense")
    assert code == 2
    assert "there is no step 'nonsense'" in err


def result(deliveries: float, *, generator: float, faults: dict[str, int] | None = None) -> Result:
    numbers = {"deliveries_s": deliveries, "server": 0.5, "generator": generator}
    return Result("fan", {"data": "file", "kind": "mixed"}, numbers, faults or {})


def test_repetitions_are_shown_as_medians_with_all_their_faults() -> None:
    runs = [result(3, generator=0.5), result(1, generator=0.5, faults={"lost": 2}), result(9, generator=0.5)]
    (median,) = report.medians(runs)
    assert median.numbers["deliveries_s"] == 3
    assert median.faults == {"lost": 2}


def test_it_is_said_where_the_generator_was_the_limit() -> None:
    assert "The generator was the limit" in report.tables([result(1, generator=0.95)])
    assert "The generator was the limit" not in report.tables([result(1, generator=0.85)])


def test_a_server_that_is_full_at_the_first_rate_is_drawn_too() -> None:
    only = Result("latency", {"messages_s": 250}, {"p50": 1.0, "p99": 90.0, "p99_9": 300.0})
    assert "bench-latency.svg" in plots.drawn([only])


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("points", [[(10.0, 0.7), (300.0, 43.0), (9_900.0, 512.0)], [(300.0, 43.0)]])
def test_a_plot_shows_every_point_within_its_axes(points: list[tuple[float, float]], log: bool) -> None:
    text = plots.svg([plots.Panel("<costs>", "n", {"TCP": points}, log_x=log, log_y=log)])
    circles = ElementTree.fromstring(text).findall(".//{http://www.w3.org/2000/svg}circle")
    assert len(circles) == len(points)
    for circle in circles:
        assert plots.LEFT <= float(circle.attrib["cx"]) <= plots.WIDTH - plots.RIGHT
        assert plots.TOP <= float(circle.attrib["cy"]) <= plots.HEIGHT - plots.BOTTOM
