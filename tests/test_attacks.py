"""Every attack of tests/attacks against a small notebook of three questions: what it earns, and what it leaves.

An attack is a file: a first line `# kind: …`, a second `# expect: …` with the points and status of every question, then
its cells in py:percent form, named after the question that they answer. Questions without a cell are answered rightly.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder import walls
from autograder.rooms.control import Limits, examine
from labkit.forkserver import Server

pytestmark = pytest.mark.skipif(not walls.landlock_abi(), reason="this kernel has no Landlock")

ATTACKS = sorted((Path(__file__).parent / "attacks").glob("*.txt"))
LIMITS = Limits(
    cell_seconds=3, question_seconds=3, notebook_seconds=40, memory=600 << 20, resident=1200 << 20
)
SETUP = "import numpy as np\nimport tensorflow as tf\nimport keras\nfrom labkit import check"
HONEST = {
    "size": "def size(n, k, stride=1): return (n - k) // stride + 1",
    "scale": "def scale(x, k): return np.asarray(x) * k",
    "mean": "def mean(x): return sum(x) / len(x)",
}
TESTS = {
    "size": """
q.equal("a 5×5 kernel on 32 pixels", lambda: size(32, 5), 28)
with q.hidden():
    n, k = (int(v) for v in check.rng().integers([20, 3], [40, 9]))
    q.equal("size-a similar area", lambda: size(n, k), n - k + 1, weight=2)
""",
    "scale": """
q.close("doubled", lambda: scale([1.0, 2.0, 3.0], 2), [2.0, 4.0, 6.0])
with q.hidden():
    x, k = check.rng().normal(size=9), 3.0
    q.close("larger", lambda: scale(x, k), x * k, weight=2)
""",
    "mean": """
q.close("of three", lambda: mean([1.0, 2.0, 3.0]), 2.0)
with q.hidden():
    x = check.rng().normal(size=50) + 5
    q.close("of fifty", lambda: mean(x), x.mean(), weight=2)
""",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.start() as running:
        yield running


def read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """What an attack expects, and its cells."""
    text = path.read_text()
    found = re.match(r"# kind: (.+)\n# expect: (.+)\n", text)
    assert found, path
    parts = re.split(r"^# %% (\w+)\n", text, flags=re.M)[1:]
    return json.loads(found[2]), dict(zip(parts[::2], parts[1::2], strict=True))


def notebook(answers: dict[str, str]) -> list[dict[str, Any]]:
    cells = [{"id": "setup", "kind": "setup", "source": SETUP}]
    for name, honest in HONEST.items():
        test = f'q = check.question("{name}", points=3)\n{TESTS[name]}\nq.score()'
        cells.append({"id": name, "kind": "answer", "source": answers.get(name, honest)})
        cells.append({"id": f"test-{name}", "kind": "test", "source": test, "points": 3})
    return cells


def test_the_honest_notebook(server: Server) -> None:
    result = examine(server, notebook({}), limits=LIMITS, seed=b"course")
    assert [(q["points"], q["status"]) for q in result["questions"].values()] == [(3, "passed")] * 3


@pytest.mark.parametrize("path", ATTACKS, ids=lambda path: path.stem)
def test_attack(server: Server, path: Path) -> None:
    expected, answers = read(path)
    before = set(Path("/tmp").glob("attacked-*"))
    began = time.monotonic()
    result = examine(server, notebook(answers), limits=LIMITS, seed=b"course")
    for name, question in result["questions"].items():
        points, status = expected[name]  # two statuses where it depends on how fast the machine is
        assert (question["points"], question["status"] in status.split("|")) == (points, True), (
            name,
            question,
        )
    assert time.monotonic() - began < 30
    said = json.dumps(result)
    assert len(said) < 2_000_000
    for name in HONEST:
        shown = json.dumps([result["cells"][f"test-{name}"], result["questions"][name]])
        shown = re.sub(r"\(line \d+: [^)]*\)", "", shown)  # a line of the student's own source
        assert len(re.findall(r"LEAK", shown)) <= 3, shown  # of the visible check alone
    assert not re.search(r"<script|onerror|alert\(", json.dumps(outputs_of(result, "text/html")))
    assert set(Path("/tmp").glob("attacked-*")) == before


def outputs_of(result: dict[str, Any], mime: str) -> list[Any]:
    return [
        o["data"][mime]
        for cell in result["cells"].values()
        for o in cell["outputs"]
        if mime in o.get("data", {})
    ]


def test_after_all_of_them_nothing_is_left(server: Server) -> None:
    rooms = server.path.with_suffix(".rooms")
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    end = time.monotonic() + 5
    while time.monotonic() < end and (children.read_text() or list(rooms.iterdir())):
        time.sleep(0.05)
    assert children.read_text() == ""
    assert list(rooms.iterdir()) == []
    assert {p.name for p in Path(f"/proc/{server.pid}/fd").iterdir()} <= {str(n) for n in range(12)}
