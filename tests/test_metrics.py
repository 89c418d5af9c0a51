from typing import Any

import numpy as np
import pytest

from labkit import _session, metrics


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a notebook would display; `record` believes that it runs in one."""
    import IPython.display

    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(_session, "shell", lambda: object())
    monkeypatch.setattr(IPython.display, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def notebook(*bundles: dict[str, Any]) -> dict[str, Any]:
    outputs = [{"output_type": "display_data", "data": bundle, "metadata": {}} for bundle in bundles]
    text = {"output_type": "stream", "name": "stdout", "text": "an ordinary output"}
    return {
        "cells": [{"cell_type": "markdown", "source": ""}, {"cell_type": "code", "outputs": [text, *outputs]}]
    }


def test_a_script_keeps_its_metrics_in_memory(capfd: pytest.CaptureFixture[str]) -> None:
    metrics.record("seconds", 3, "s")
    metrics.record("seconds", np.float32(0.5), "s")
    assert metrics.recorded()["seconds"] == {"value": 0.5, "unit": "s", "published": None, "source": ""}
    assert capfd.readouterr() == ("", "")


def test_a_notebook_gives_its_metrics_back(shown: list[dict[str, Any]]) -> None:
    metrics.record("parameters", 60_000)
    metrics.record("test_error", 0.9301, "%", published=0.95, source="LeCun et al. 1998")
    metrics.record("parameters", np.int64(61_706), published=60_000, source="<paper>")
    assert shown[1]["text/plain"] == "test error 0.9301 % — published 0.95 % (LeCun et al. 1998)"
    assert shown[2]["text/html"] == "<div>parameters 61,706 — published 60,000 (&lt;paper&gt;)</div>"
    found = metrics.collect(notebook(*shown))
    assert found == {
        "parameters": {"value": 61706, "unit": "", "published": 60000, "source": "<paper>"},
        "test_error": {"value": 0.9301, "unit": "%", "published": 0.95, "source": "LeCun et al. 1998"},
    }
    assert type(found["parameters"]["value"]) is int


class Tensor:
    def __init__(self, value: Any) -> None:
        self.value = value

    def numpy(self) -> Any:
        return np.array(self.value)


@pytest.mark.parametrize("value", [0.25, np.float64(0.25), np.array(0.25), np.array([[0.25]]), Tensor(0.25)])
def test_any_single_number_will_do(value: Any) -> None:
    metrics.record("error", value)
    kept = metrics.recorded()["error"]["value"]
    assert kept == 0.25
    assert type(kept) is float


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"value": float("nan")}, r"finite number for 'error'. Received nan: did the training diverge"),
        ({"value": np.float32("inf")}, r"finite number for 'error'. Received inf"),
        ({"value": True}, r"Expected a number for 'error'. Received True"),
        ({"value": "0.9"}, r"Expected a number"),
        ({"value": np.zeros(2)}, r"Expected a number"),
        ({"value": 1, "published": float("inf")}, r"finite number for 'published value of error'"),
        ({"value": 1, "unit": None}, r"Expected unit of 'error' as text"),
        ({"value": 1, "name": "Test error"}, r"Expected a name of lower-case letters.*Received 'Test error'"),
    ],
)
def test_what_is_no_metric_is_refused(arguments: dict[str, Any], complaint: str) -> None:
    before = metrics.recorded()
    with pytest.raises(ValueError, match=complaint):
        metrics.record(**({"name": "error"} | arguments))
    assert metrics.recorded() == before


@pytest.mark.parametrize("broken", [{"value": "0.9"}, {"value": [1]}, {"name": 3}, {"more": 1}, None])
def test_a_forged_output_is_named(shown: list[dict[str, Any]], broken: dict[str, Any] | None) -> None:
    metrics.record("error", 1)
    bundle = {metrics.MIME: shown[0][metrics.MIME] | broken if broken else "error: 1"}
    with pytest.raises(ValueError, match=r"^Cell 2 holds no valid metric. Expected"):
        metrics.collect(notebook(bundle))


def test_error_rate_and_confusion_matrix() -> None:
    y, predicted = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 0])
    assert metrics.error_rate(y, predicted) == 40
    matrix = metrics.confusion_matrix(y, predicted, 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert matrix.dtype == np.int64


def test_confusion_matrix_equals_scikit_learns() -> None:
    from sklearn.metrics import confusion_matrix

    y, predicted = np.random.default_rng(0).integers(0, 10, (2, 500))
    ours = metrics.confusion_matrix(y, predicted, 12)
    np.testing.assert_array_equal(ours, confusion_matrix(y, predicted, labels=range(12)))


def test_labels_that_cannot_be_compared_are_refused() -> None:
    one, two = np.zeros(1, int), np.zeros(2, int)
    for y, predicted in ((one, two), (two[:0], two[:0]), (np.zeros((2, 1), int), two)):
        with pytest.raises(ValueError, match="Expected two arrays of labels"):
            metrics.error_rate(y, predicted)
    for labels in (np.array([-1]), np.array([3]), np.array([0.5])):
        with pytest.raises(ValueError, match="Expected integer labels from 0 to 2"):
            metrics.confusion_matrix(one, labels, 3)
