import base64
import io
import itertools
import re
import warnings
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from labkit import _session, plots

RNG = np.random.default_rng(0)
PHOTOS = np.kron(RNG.random((3, 10, 15, 3)), np.ones((1, 30, 30, 1)))
ALT = 'What is to be seen: "2 < 3" & more'

FIGURES: dict[str, Callable[[], None]] = {
    "digits": lambda: plots.images(RNG.random((10, 28, 28, 1)), range(10), title="Digits", alt=ALT),
    "kernels": lambda: plots.images(RNG.normal(size=(6, 5, 5)), columns=6, title="Kernels", alt=ALT),
    "photographs": lambda: plots.images(PHOTOS, ["a", "b", "c"], title="Photographs", alt=ALT),
    "mixed": lambda: plots.images([PHOTOS[0], RNG.random((9, 4)) * 7], title="Two sizes", alt=ALT),
    "curves": lambda: plots.curves(
        {name: RNG.random(10) for name in "abcdefg"},
        xlabel="epoch",
        ylabel="loss (nats)",
        title="Losses",
        alt=ALT,
    ),
    "curves on logarithmic axes": lambda: plots.curves(
        {"a": [1, 10, 100], "b": [2, 3, 4]},
        [1, 10, 100],
        xlabel="condition number",
        ylabel="steps",
        xscale="log",
        yscale="log",
        title="Steps",
        alt=ALT,
    ),
    "one point": lambda: plots.curves({"a": [1]}, xlabel="epoch", ylabel="error (%)", title="One", alt=ALT),
    "bars": lambda: plots.bars(
        {"C1": 156, "S2": 0, "C3": 2.5}, xlabel="parameters", title="Parameters", alt=ALT
    ),
    "two bars": lambda: plots.bars(
        {"C1": 156, "S2": 0}, {"C1": 117600, "S2": 0}, xlabel="a", second_xlabel="b", title="Both", alt=ALT
    ),
    "confusion": lambda: plots.confusion(
        RNG.integers(0, 9, (10, 10)), list("0123456789"), title="Ten", alt=ALT
    ),
    "no mistake": lambda: plots.confusion(np.eye(2), ["cat", "automobile"], title="Two", alt=ALT),
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a notebook would display."""
    import IPython.display

    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(_session, "shell", lambda: object())
    monkeypatch.setattr(IPython.display, "display", lambda bundle, metadata, raw: bundles.append(bundle))
    return bundles


def drawn(monkeypatch: pytest.MonkeyPatch, draw: Callable[[], None]) -> Figure:
    figures: list[Figure] = []
    with monkeypatch.context() as patch:
        patch.setattr(plots, "show", lambda fig, alt: figures.append(fig))
        draw()
    (fig,) = figures
    fig.canvas.draw()
    return fig


class Images(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag == "img"
        self.found.append(dict(attributes))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_small_transparent_and_has_its_alt_text(
    name: str, shown: list[dict[str, Any]]
) -> None:
    FIGURES[name]()
    (bundle,) = shown
    assert ALT in bundle["text/plain"]
    (image,) = Images(bundle["text/html"]).found
    assert image["alt"] == ALT
    png = base64.b64decode(bundle["image/png"])
    assert image["src"] == f"data:image/png;base64,{bundle['image/png']}"
    assert len(png) <= 60_000
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    assert 200 <= picture.width <= 900
    clear = np.asarray(picture)[..., 3] == 0
    assert clear[1, 1]
    if "curves" in name or "bars" in name:
        assert clear.mean() > 0.5


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_title_and_its_axes_are_labelled(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fig = drawn(monkeypatch, FIGURES[name])
    assert fig.get_suptitle() or fig.axes[0].get_title(loc="left")
    for ax in fig.axes:
        scale = ax.get_label() == "<colorbar>"
        assert not ax.axison or scale or ax.get_xlabel()


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    """As WCAG 2 defines it."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("background", ["#ffffff", "#111111"])
def test_colours_stand_out_on_light_and_dark(background: str) -> None:
    assert contrast(plots.GREY, background) > 4.3
    for colour in plots.COLOURS[:3]:
        assert contrast(colour, background) > 3
    for colour in plots.COLOURS:
        assert contrast(colour, background) > 2


def test_labels_stand_at_the_ends_of_their_curves_and_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"a": [0.5, 0.1], "b": [0.4, 0.11], "c": [0.9, 0.105], "d": [0.2, 0.9], "e": [0.3, np.nan]}
    fig = drawn(
        monkeypatch, lambda: plots.curves(values, [1, 2], xlabel="x", ylabel="y", title="Five", alt=ALT)
    )
    renderer = fig.canvas.get_renderer()  # type: ignore[attr-defined]
    labels = {text.get_text(): text for text in fig.axes[0].texts}
    assert set(labels) == set(values)
    assert labels["d"].xy == (2, 0.9)  # type: ignore[attr-defined]
    assert labels["e"].xy == (1, 0.3)  # type: ignore[attr-defined]
    boxes = [labels[name].get_window_extent(renderer) for name in "acbd"]
    for lower, upper in itertools.pairwise(boxes):
        assert lower.y1 <= upper.y0


@given(st.lists(st.floats(0, 500), min_size=1, max_size=12).map(sorted), st.floats(1, 40))
def test_spread_keeps_the_order_and_the_distance_and_moves_no_more_than_needed(
    wanted: list[float], pitch: float
) -> None:
    placed = plots._spread(wanted, pitch)
    gaps = np.diff(placed)
    assert (gaps >= pitch - 1e-6).all()
    np.testing.assert_allclose(np.mean(placed), np.mean(wanted), atol=1e-6)
    if (np.diff(wanted) >= pitch).all():
        np.testing.assert_allclose(placed, wanted, atol=1e-6)


def test_signed_kernels_share_one_scale_around_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.zeros((2, 3, 3))
    X[0, 0, 0], X[1, 0, 0] = -4, 1
    fig = drawn(monkeypatch, lambda: plots.images(X, title="Kernels", alt=ALT))
    assert [ax.images[0].get_clim() for ax in fig.axes[:2]] == [(-4, 4), (-4, 4)]
    assert fig.axes[0].images[0].get_cmap().name == "RdBu_r"
    grey = drawn(monkeypatch, lambda: plots.images(abs(X), title="Maps", alt=ALT))
    assert grey.axes[0].images[0].get_clim() == (0, 4)
    plain = drawn(monkeypatch, lambda: plots.images(abs(X) / 10, title="Images", alt=ALT))
    assert plain.axes[0].images[0].get_clim() == (0, 1)


def test_confusion_colours_mistakes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.array([[8, 2], [0, 5]])
    fig = drawn(monkeypatch, lambda: plots.confusion(matrix, ["cat", "dog"], title="Two", alt=ALT))
    cells = np.asarray(fig.axes[0].images[0].get_array())
    assert (cells[..., 3] > 0).tolist() == [[False, True], [False, False]]
    assert sorted(text.get_text() for text in fig.axes[0].texts) == ["2", "5", "8"]


def test_bars_are_in_order_from_top_to_bottom_with_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    fig = drawn(monkeypatch, FIGURES["two bars"])
    first, second = fig.axes
    assert first.yaxis_inverted()
    assert [label.get_text() for label in first.get_yticklabels()] == ["C1", "S2"]
    assert [text.get_text() for text in second.texts] == ["117,600", "0"]
    assert (first.get_xlabel(), second.get_xlabel()) == ("a", "b")


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: plots.images(np.zeros((2, 3, 3, 2)), title="x", alt=ALT), r"\(3, 3, 2\)"),
        (lambda: plots.images([], title="x", alt=ALT), "Expected images"),
        (
            lambda: plots.images(np.zeros((2, 3, 3)), ["a"], title="x", alt=ALT),
            "each of 2 images. Received 1",
        ),
        (lambda: plots.curves({}, xlabel="x", ylabel="y", title="x", alt=ALT), "at least one curve"),
        (lambda: plots.curves({"a": []}, xlabel="x", ylabel="y", title="x", alt=ALT), "Expected some values"),
        (
            lambda: plots.curves({"a": [1]}, [1, 2], xlabel="x", ylabel="y", title="x", alt=ALT),
            "Expected 2 values",
        ),
        (lambda: plots.bars({}, xlabel="x", title="x", alt=ALT), "Expected the same names"),
        (lambda: plots.bars({"a": 1}, {"b": 1}, xlabel="x", title="x", alt=ALT), "Expected the same names"),
        (lambda: plots.bars({"a": -1}, xlabel="x", title="x", alt=ALT), "at least 0"),
        (lambda: plots.bars({"a": float("nan")}, xlabel="x", title="x", alt=ALT), "finite"),
        (lambda: plots.confusion(np.eye(3), ["a", "b"], title="x", alt=ALT), r"\(2, 2\).*Received \(3, 3\)"),
        (lambda: plots.show(Figure(), " "), "Expected an alt text"),
        (lambda: plots.animation(Figure(), print, 3, seconds=1, alt=""), "Expected an alt text"),
        (lambda: plots.animation(Figure(), print, 1, seconds=1, alt=ALT), "at least two frames. Received 1"),
        (lambda: plots.interactive(picture, CHOICES, {"height": 4, "width": 2}), "one of its choices.*4"),
        (lambda: plots.interactive(picture, CHOICES, {"height": 1}), "one of its choices"),
        (lambda: plots.interactive(lambda: (Figure(), ""), {}, {}), "Expected an alt text"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], None], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        draw()


def test_style_ends_with_its_block_and_use_does_not() -> None:
    import matplotlib as mpl

    with mpl.rc_context():
        before = mpl.rcParams["text.color"]
        with plots.style():
            assert mpl.rcParams["text.color"] == plots.GREY
        assert mpl.rcParams["text.color"] == before
        plots.use()
        assert mpl.rcParams["text.color"] == plots.GREY


def test_a_kernel_shows_a_pyplot_figure_once_and_its_alt_text_reaches_html_and_metrics_the_runner() -> None:
    """The real way: a kernel executes, nbconvert writes the page, `collect` reads the metrics."""
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    from labkit import metrics

    source = """
import matplotlib.pyplot as plt
from labkit import metrics, plots
with plots.style():
    fig, ax = plt.subplots()
ax.plot([1, 2])
plots.show(fig, "A line that rises")
metrics.record("error", 0.5, "%")
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the kernel's libraries are not ours
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
        page, _ = HTMLExporter().from_notebook_node(notebook)
    pictures = [output for output in notebook.cells[0].outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 1
    assert pictures[0].metadata["image/png"]["alt"] == "A line that rises"
    assert re.findall(r'<img[^>]*alt="([^"]*)"', page) == ["A line that rises"]
    assert metrics.collect(notebook) == {
        "error": {"value": 0.5, "unit": "%", "published": None, "source": ""}
    }


def test_an_animation_moves_once_around_and_stands_still_for_who_wants_that(
    shown: list[dict[str, Any]],
) -> None:
    fig = Figure((3, 2))
    (line,) = fig.subplots().plot([0, 1], [0, 0])
    plots.animation(fig, lambda i: line.set_ydata([0, i]), 4, seconds=2, alt=ALT)
    (bundle,) = shown
    still, moving = re.findall(r"data:image/png;base64,([\w+/=]+)", bundle["text/html"])
    assert "prefers-reduced-motion: reduce" in bundle["text/html"]
    assert f'alt="{escape(ALT)}"' in bundle["text/html"]
    assert still == bundle["image/png"]
    film = Image.open(io.BytesIO(base64.b64decode(moving)))
    assert film.n_frames == 4  # type: ignore[attr-defined]
    assert film.info["loop"] == 0
    frames = []
    for i in range(4):
        film.seek(i)
        frames.append(np.asarray(film.convert("RGBA").convert("RGB"), int))
    assert all(abs(a - b).max() > 50 for a, b in pairwise(frames))
    assert len(base64.b64decode(moving)) < 100_000


def picture(height: int, width: int) -> tuple[Figure, str]:
    fig = Figure((width, height))
    fig.subplots().plot([0, 1])
    return fig, f"{height} high and {width} wide"


CHOICES = {"height": range(1, 4), "width": (2, 3)}


def test_an_interactive_figure_follows_its_sliders(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipywidgets.widgets.widget import _instances

    monkeypatch.setattr(_session, "is_live", lambda: True)
    plots.interactive(picture, CHOICES, {"height": 2, "width": 3})
    (bundle,) = shown
    assert Images(bundle["text/html"]).found[0]["alt"] == "2 high and 3 wide"  # for readers without a kernel
    assert bundle["text/plain"] == "Figure: 2 high and 3 wide"
    box = _instances[bundle["application/vnd.jupyter.widget-view+json"]["model_id"]]
    image, height, width = box.children
    assert (height.description, height.value, width.value) == ("height", 2, 3)
    assert image.value == bundle["text/html"]
    height.value, width.value = 3, 2
    assert Images(image.value).found[0]["alt"] == "3 high and 2 wide"


def test_an_interactive_figure_that_nobody_watches_stands_still(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_session, "is_live", lambda: False)
    plots.interactive(picture, CHOICES, {"height": 1, "width": 2})
    (bundle,) = shown
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert Images(bundle["text/html"]).found[0]["alt"] == "1 high and 2 wide"
