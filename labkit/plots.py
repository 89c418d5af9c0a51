"""The lab book's figures: one house style, readable on light and dark, and every figure with its alt text.

Backgrounds are transparent, text and axes mid-grey, colours those of Okabe and Ito, which colour-blind
readers can tell apart. Labels stand beside what they name. `show` gives any other figure the same treatment.
"""

import base64
import io
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from labkit import _session

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

# Okabe and Ito (2008), those first that stand out on white as well as on black. Their yellow and black do
# not; their blue (#0072b2) is made a shade lighter.
COLOURS = ("#2585c7", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DASHES = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1.2)),
    (0, (6, 1.5, 1, 1.5)),
)  # a second sign, for whoever sees no colours
GREY = "#797979"  # the same contrast, 4.3, to white and to JupyterLab's dark #111
WIDTH = 6.4  # inches
DPI = 100
_LARGE = 20_000  # bytes of a PNG; a larger one is reduced to 256 colours

_STYLE: dict[str, Any] = {
    "figure.figsize": (WIDTH, 3.6),
    "figure.dpi": DPI,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.titlecolor": GREY,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.titleweight": "bold",
    "figure.titlesize": 12,
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so a figure looks the same everywhere
    "font.size": 10,
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "lines.linewidth": 2,
    "lines.markersize": 5,
    "image.interpolation": "nearest",
    "legend.frameon": False,
}


def style() -> AbstractContextManager[None]:
    """The house style for one block: `with plots.style(): fig, ax = plt.subplots()`."""
    import matplotlib

    return matplotlib.rc_context(_settings())


def use() -> None:
    """Set the house style for everything that follows in this notebook."""
    import matplotlib

    matplotlib.rcParams.update(_settings())


def _settings() -> dict[Any, Any]:
    from cycler import cycler

    return _STYLE | {"axes.prop_cycle": cycler(color=COLOURS)}


def show(fig: "Figure", alt: str) -> None:
    """Display a figure in the notebook with a text for readers who cannot see it, and close it.

    Args:
        fig: any Matplotlib figure.
        alt: what is to be seen in it, in a sentence or two.

    Raises:
        ValueError: `alt` is empty.
    """
    _refuse_empty(alt)
    if _session.shell():
        from IPython.display import display

        shown, metadata = bundle(fig, alt)
        display(shown, metadata=metadata, raw=True)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)  # or the inline backend would show it once more


def animation(
    fig: "Figure", update: Callable[[int], object], frames: int, *, seconds: float, alt: str
) -> None:
    """Display a figure that moves, over and over, and close it.

    It is an animated PNG: a picture like any other, in a notebook and in a page without scripts. Whoever has
    asked the system for less motion, and whoever reads without HTML, sees the last frame.

    Args:
        fig: a Matplotlib figure.
        update: called with 0, 1, … `frames - 1`, changes the figure for that frame.
        frames: how many frames there are.
        seconds: how long they take; the last one then stands for two seconds more.
        alt: what is to be seen in it, in a sentence or two.

    Raises:
        ValueError: `alt` is empty, or there are fewer than two frames.
    """
    _refuse_empty(alt)
    if frames < 2:
        raise ValueError(f"Expected at least two frames. Received {frames}.")
    if _session.shell():
        from IPython.display import display

        moving = base64.b64encode(_animated(fig, update, frames, seconds)).decode()
        shown, metadata = bundle(fig, alt)
        still = f"data:image/png;base64,{shown['image/png']}"
        less = f'<source media="(prefers-reduced-motion: reduce)" srcset="{still}">'
        image = f'<img alt="{escape(alt)}" src="data:image/png;base64,{moving}">'
        display(shown | {"text/html": f"<picture>{less}{image}</picture>"}, metadata=metadata, raw=True)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)


def interactive(
    draw: Callable[..., tuple["Figure", str]], choices: Mapping[str, Sequence[Any]], start: Mapping[str, Any]
) -> None:
    """Display a figure above sliders for what it shows; where nobody is watching, the figure as it starts.

    The sliders are moved by mouse or, once the Tab key has reached them, by the arrow keys. A notebook that is
    opened without its kernel shows the figure as it started.

    Args:
        draw: called with a choice for each name, gives a Matplotlib figure and its alt text.
        choices: for each name what can be chosen, in the slider's order.
        start: for each name what is chosen first.

    Raises:
        ValueError: the names differ, what is chosen first is no choice, or an alt text is empty.
    """
    if choices.keys() != start.keys() or any(start[name] not in choices[name] for name in start):
        raise ValueError(f"Expected one of its choices for each of {list(choices)}. Received {dict(start)}.")
    fig, alt = draw(**start)
    if not _session.is_live():
        show(fig, alt)
        return
    import ipywidgets
    from IPython.display import display

    sliders = {
        name: ipywidgets.SelectionSlider(
            options=[(str(value), value) for value in values], value=start[name], description=name
        )
        for name, values in choices.items()
    }
    picture = ipywidgets.HTML()

    def take(fig: "Figure", alt: str) -> tuple[dict[str, str], dict[str, Any]]:
        _refuse_empty(alt)
        shown, metadata = bundle(fig, alt)
        picture.value = shown["text/html"]
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close(fig)
        return shown, metadata

    shown, metadata = take(fig, alt)
    for slider in sliders.values():
        slider.layout.width = "28em"
        slider.observe(lambda _: take(*draw(**{n: s.value for n, s in sliders.items()})), names="value")
    box = ipywidgets.VBox([picture, *sliders.values()])
    display(
        shown | box._repr_mimebundle_() | {"text/plain": shown["text/plain"]}, metadata=metadata, raw=True
    )


def bundle(fig: "Figure", alt: str) -> tuple[dict[str, str], dict[str, Any]]:
    """A figure as the data and the metadata of a notebook's output, for IPython's `display(…, raw=True)`.

    JupyterLab and nbconvert prefer the HTML, whose image carries the alt text, and take no notice of one in
    the metadata of a plain PNG. The PNG is there for readers without HTML, such as LaTeX and code hosts.
    """
    png = base64.b64encode(_png(fig)).decode()
    html = f'<img alt="{escape(alt)}" src="data:image/png;base64,{png}">'
    return {"text/html": html, "image/png": png, "text/plain": f"Figure: {alt}"}, {"image/png": {"alt": alt}}


def images(
    X: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[object] | None = None,
    columns: int = 8,
    *,
    title: str,
    alt: str,
) -> None:
    """Show images, feature maps or kernels side by side.

    Values in [0, 1] are shown as they are; other feature maps from their least to their greatest value; where
    values are negative, as in kernels, blue is below zero, red above, and all panels share one scale that is
    drawn beside them.

    Args:
        X: grey `(n, height, width)` or `(n, height, width, 1)`, or colour `(n, height, width, 3)` in [0, 1];
            or a sequence of such images of different sizes.
        titles: a short text above each image.
        columns: how many images stand in a row.
        title: the figure's title.
        alt: what is to be seen.

    Raises:
        ValueError: a shape is none of these, or there is a title too many or too few.
    """
    panels = [np.asarray(x, np.float32) for x in X]
    panels = [x[..., 0] if x.ndim == 3 and x.shape[-1] == 1 else x for x in panels]
    if not panels or any(x.ndim != 2 and not (x.ndim == 3 and x.shape[-1] == 3) for x in panels):
        shapes = sorted({x.shape for x in panels})
        raise ValueError(f"Expected images of shape (height, width[, 1 or 3]). Received {shapes}.")
    if titles is not None and len(titles) != len(panels):
        raise ValueError(f"Expected a title for each of {len(panels)} images. Received {len(titles)} titles.")

    grey = [x for x in panels if x.ndim == 2]
    low, high = min((float(x.min()) for x in grey), default=0), max((float(x.max()) for x in grey), default=1)
    signed = low < 0
    if signed:
        high = max(-low, high)
        low = -high
    elif high <= 1:
        low, high = 0, 1

    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    side = min(WIDTH / columns, 1.8 if columns > 2 else 3.2)
    shape = max(x.shape[0] / x.shape[1] for x in panels)
    with style():
        size = max(columns * side, 3), rows * (side * shape + (0.25 if titles else 0.05)) + 0.4
        fig = _figure(*size, layout="compressed")
        fig.suptitle(title, x=0.01, ha="left")
        axes = fig.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes:
            ax.set_axis_off()
        drawn = [
            ax.imshow(x, "RdBu_r" if signed else "gray", vmin=low, vmax=high)
            for ax, x in zip(axes, panels, strict=False)
        ]
        for picture, text in zip(drawn, titles or [], strict=False):
            picture.axes.set_title(str(text), fontsize=9, fontweight="normal", loc="center", pad=3)
        if signed:
            _scale(fig, next(p for p, x in zip(drawn, panels, strict=True) if x.ndim == 2), "value")
    show(fig, alt)


def curves(
    series: Mapping[str, Sequence[float] | np.ndarray],
    x: Sequence[float] | np.ndarray | None = None,
    *,
    xlabel: str,
    ylabel: str,
    xscale: Literal["linear", "log"] = "linear",
    yscale: Literal["linear", "log"] = "linear",
    title: str,
    alt: str,
) -> None:
    """Draw curves, each with its label at its end.

    Args:
        series: label to values; a value that is not finite leaves a gap.
        x: where the values stand, one for each; if None, 1, 2, 3, … as epochs are counted.
        xlabel, ylabel: what the axes show, with the unit: "epoch", "test error (%)".
        xscale, yscale: "log" where powers of ten stand at equal distances.
        title: the figure's title.
        alt: what is to be seen.

    Raises:
        ValueError: there is no curve, one is empty, or one has not as many values as `x`.
    """
    fig = draw_curves(series, x, xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale, title=title)
    show(fig, alt)


def draw_curves(
    series: Mapping[str, Sequence[float] | np.ndarray],
    x: Sequence[float] | np.ndarray | None = None,
    *,
    xlabel: str,
    ylabel: str,
    xscale: Literal["linear", "log"] = "linear",
    yscale: Literal["linear", "log"] = "linear",
    title: str,
) -> "Figure":
    """The figure that `curves` shows, for one who wants to add to it."""
    lines = {label: np.asarray(values, float) for label, values in series.items()}
    for label, values in lines.items():
        n = values.size if x is None else len(x)
        if values.shape != (n,) or not n:
            raise ValueError(f"Expected {n or 'some'} values for {label!r}. Received shape {values.shape}.")
    if not lines:
        raise ValueError("Expected at least one curve. Received none.")
    with style():
        from matplotlib.ticker import MaxNLocator

        fig = _figure(WIDTH, 3.6)
        ax = fig.subplots()
        ends = []
        for i, (label, values) in enumerate(lines.items()):
            at = np.arange(1, values.size + 1) if x is None else np.asarray(x, float)
            colour = COLOURS[i % len(COLOURS)]
            marker = "o" if values.size < 20 else ""
            ax.plot(at, values, color=colour, linestyle=DASHES[i % len(DASHES)], marker=marker)
            finite = np.flatnonzero(np.isfinite(values))
            if finite.size:
                ends.append((label, at[finite[-1]], values[finite[-1]], colour))
        ax.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale, title=title)
        whole = x is None or np.issubdtype(np.asarray(x).dtype, np.integer)
        if whole and xscale == "linear":
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        ax.grid(axis="y")
        _label_ends(fig, ax, ends)
    return fig


def bars(
    values: Mapping[str, float],
    second: Mapping[str, float] | None = None,
    *,
    xlabel: str,
    second_xlabel: str = "",
    title: str,
    alt: str,
) -> None:
    """Draw horizontal bars from top to bottom with their numbers, such as the parameters of each layer.

    Args:
        values: name to number, not negative.
        second: a second series with the same names. Each series is drawn in its own panel with its own scale.
        xlabel: what the numbers are, with the unit.
        second_xlabel: what the numbers of the second series are, with the unit.
        title: the figure's title.
        alt: what is to be seen.

    Raises:
        ValueError: there is no bar, a number is negative or not finite, or the two series name different
            things.
    """
    panels = [values] if second is None else [values, second]
    if any(list(panel) != list(values) for panel in panels) or not values:
        raise ValueError(f"Expected the same names in both series. Received {[list(p) for p in panels]}.")
    if any(not (math.isfinite(number) and number >= 0) for panel in panels for number in panel.values()):
        raise ValueError(f"Expected finite numbers of at least 0. Received {panels}.")
    with style():
        fig = _figure(WIDTH, 0.27 * len(values) + 1.1)
        fig.suptitle(title, x=0.01, ha="left")
        axes = fig.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for ax, panel, colour, label in zip(axes, panels, COLOURS, (xlabel, second_xlabel), strict=False):
            drawn = ax.barh(list(panel), list(panel.values()), color=colour, height=0.7)
            ax.bar_label(drawn, [_number(number) for number in panel.values()], padding=3, fontsize=9)
            ax.set_xlabel(label)
            ax.margins(x=0.32 if second else 0.18, y=0.02)
            ax.spines["bottom"].set_visible(False)
            ax.tick_params(bottom=False, labelbottom=False, left=False)
        axes[0].invert_yaxis()
    show(fig, alt)


def confusion(matrix: np.ndarray, names: Sequence[str], *, title: str, alt: str) -> None:
    """Show a confusion matrix: what each class was taken for.

    The numbers are counts; zeros are left out. Only mistakes are coloured, the stronger the greater their
    share of the true class.

    Args:
        matrix: counts, shape `(classes, classes)`: row = true class, column = predicted class.
        names: what the classes are called.
        title: the figure's title.
        alt: what is to be seen.

    Raises:
        ValueError: the matrix is not square with a name for each row.
    """
    matrix = np.asarray(matrix)
    n = len(names)
    if matrix.shape != (n, n):
        raise ValueError(f"Expected a matrix of shape {(n, n)} for {n} names. Received {matrix.shape}.")
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    wrong = np.where(np.eye(n, dtype=bool), 0, share)
    with style():
        from matplotlib.colors import to_rgba

        side = min(0.42 * n + 1.6, WIDTH)
        fig = _figure(side + 0.3, side)
        ax = fig.subplots()
        # Opaque tints with black numbers on them: transparent ones would differ on light and on dark.
        amount = (wrong / max(wrong.max(), 1e-9))[..., None]
        cells = amount * to_rgba(COLOURS[1]) + (1 - amount) * to_rgba("#f3cdb0")
        cells[wrong == 0] = 0
        ax.imshow(cells)
        for i, j in zip(*np.nonzero(matrix), strict=True):
            colour, weight = (GREY, "bold") if i == j else ("black", "normal")
            count = f"{matrix[i, j]:,}"
            ax.text(j, i, count, ha="center", va="center", fontsize=9, color=colour, weight=weight)
        ax.set(xticks=range(n), yticks=range(n), xlabel="predicted class", ylabel="true class")
        angle, align = (45, "right") if max(map(len, names)) > 3 else (0, "center")
        ax.set_xticklabels(names, rotation=angle, ha=align, rotation_mode="anchor")
        ax.set_yticklabels(names)
        ax.set_title(title)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        ax.set_xticks(np.arange(n + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(n + 1) - 0.5, minor=True)
        ax.grid(which="minor")
        ax.tick_params(which="minor", length=0)
    show(fig, alt)


def _refuse_empty(alt: str) -> None:
    if not alt.strip():
        raise ValueError(
            "Expected an alt text that says what is to be seen in the figure. Received an empty one."
        )


def _label_ends(fig: "Figure", ax: "Axes", ends: list[tuple[str, float, float, str]]) -> None:
    """Write each label beside the end of its curve, moved up or down to keep clear of the others."""
    fig.canvas.draw()  # settles the scales
    pitch = 15 * DPI / 72  # pixels from one label's line to the next
    ends = sorted(ends, key=lambda end: end[2])
    wanted = [float(ax.transData.transform((x, y))[1]) for _, x, y, _ in ends]
    for (label, x, y, colour), at in zip(ends, _spread(wanted, pitch), strict=True):
        own = float(ax.transData.transform((x, y))[1])
        ax.annotate(
            label,
            (x, y),
            xytext=(9, (at - own) * 72 / DPI),
            textcoords="offset points",
            va="center",
            color=colour,
            weight="bold",
            annotation_clip=False,
        )


def _spread(wanted: Sequence[float], pitch: float) -> list[float]:
    """Positions in the given (ascending) order, `pitch` apart or more, moved as little as can be.

    Neighbours that come too close are made one block around the mean of what they want (pool adjacent
    violators).
    """
    blocks: list[tuple[float, int]] = []  # where the first of a block wants to stand, and how many it has
    for i, y in enumerate(wanted):
        start, n = y - i * pitch, 1
        while blocks and blocks[-1][0] >= start:
            other, m = blocks.pop()
            start, n = (other * m + start * n) / (m + n), m + n
        blocks.append((start, n))
    starts = [start for start, n in blocks for _ in range(n)]
    return [start + i * pitch for i, start in enumerate(starts)]


def _figure(
    width: float, height: float, layout: Literal["constrained", "compressed"] = "constrained"
) -> "Figure":
    """A figure outside pyplot, which nothing else shows or has to close."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(fig)
    return fig


def _scale(fig: "Figure", picture: "AxesImage", label: str) -> None:
    bar = fig.colorbar(picture, ax=fig.axes, shrink=0.8, aspect=25, pad=0.02)
    bar.set_label(label)
    bar.outline.set_visible(False)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"


def _png(fig: "Figure") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    fig.savefig(
        buffer, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.08, metadata={"Software": None}
    )
    if buffer.tell() > _LARGE:
        small = io.BytesIO()
        Image.open(buffer).quantize(256, Image.Quantize.FASTOCTREE).save(small, "png", optimize=True)
        return small.getvalue()
    return buffer.getvalue()


def _animated(fig: "Figure", update: Callable[[int], object], frames: int, seconds: float) -> bytes:
    """The frames as an animated PNG with one palette of 256 colours."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(fig)
    drawn = []
    for i in range(frames):
        update(i)
        canvas.draw()  # type: ignore[no-untyped-call]
        fig.set_layout_engine("none")  # nothing but what `update` changes may move
        drawn.append(np.array(canvas.buffer_rgba()))  # type: ignore[no-untyped-call]
    film = Image.fromarray(np.concatenate(drawn)).quantize(256, Image.Quantize.FASTOCTREE)
    height, width = drawn[0].shape[:2]
    first, *others = (film.crop((0, i * height, width, (i + 1) * height)) for i in range(frames))
    milliseconds = [round(1000 * seconds / frames)] * (frames - 1) + [2000]
    buffer = io.BytesIO()
    first.save(buffer, "png", save_all=True, append_images=others, duration=milliseconds, loop=0)
    return buffer.getvalue()
