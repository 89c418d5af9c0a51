"""Measure the seed spread that a lab's thresholds stand on: ``python -m autograder.thresholds 01_lenet5``.

Every entry of ``thresholds.json`` names a metric of the notebook and the direction of its threshold, ``at least``
or ``at most``; the solution runs once for each seed, and the threshold is the mean ∓ 4 standard deviations.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from autograder.execution import run_lab
from autograder.files import write
from autograder.labs import Lab, find_labs
from labkit.errors import LabbookError
from labkit.workspace import find_root

SEEDS = range(8)
DEVIATIONS = 4


def threshold(values: Mapping[str, float], direction: str) -> dict[str, float]:
    """The mean, the sample's standard deviation and the threshold of measured values, by seed."""
    mean, sd = statistics.fmean(values.values()), statistics.stdev(values.values())
    bound = mean - DEVIATIONS * sd if direction == "at least" else mean + DEVIATIONS * sd
    return {"mean": round(mean, 4), "sd": round(sd, 4), "threshold": round(bound, 2)}


def measure(lab: Lab) -> dict[str, Any]:
    """Run the solution for every seed and return the new content of its thresholds.json.

    Raises:
        LabbookError: the lab asks for no threshold, or a run failed.
    """
    entries = lab.read_thresholds()
    if not entries:
        raise LabbookError(f"{lab.name} has no thresholds.json that names a metric.")
    values: dict[str, dict[str, float]] = {name: {} for name in entries}
    with (
        tempfile.TemporaryDirectory(prefix="labbook-thresholds-") as out,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor,
    ):
        for seed in SEEDS:
            parameters = {"SCALE": "smoke", "SEED": seed}
            run = executor.submit(run_lab, lab, parameters, Path(out), 2).result()
            if run.status != "ok":
                raise LabbookError(f"{lab.name} with seed {seed} ended {run.status}: {run.error}")
            for name, entry in entries.items():
                values[name][str(seed)] = run.metrics[entry["metric"]]["value"]
            print(
                f"seed {seed}: { ({name: found[str(seed)] for name, found in values.items()}) }", flush=True
            )
    return {
        name: {
            "metric": entry["metric"],
            "unit": entry["unit"],
            "direction": entry["direction"],
            "values": values[name],
            **threshold(values[name], entry["direction"]),
        }
        for name, entry in entries.items()
    }


if __name__ == "__main__":
    for chosen in find_labs(find_root(), sys.argv[1:]):
        write(chosen.thresholds, json.dumps(measure(chosen), indent=1) + "\n")
