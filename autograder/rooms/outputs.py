"""What a cell may show: text and PNG pictures, few and small, nothing that a browser or terminal would act on."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
import struct
from typing import Any

MAX_TEXT = 20_000  # characters of one cell
MAX_OUTPUTS = 40
MAX_PICTURES = 8
MAX_PICTURE_BYTES = 1_400_000  # of base64, all pictures of a cell together
MAX_SIDE = 4000  # pixels
MAX_NOTEBOOK = 20 << 20  # characters of all outputs of a notebook, base64 included
LEFT_OUT = {"output_type": "stream", "name": "stdout", "text": "… left out: this notebook shows too much"}

# Terminal colours first, then whatever else a terminal or an XML parser would stumble over.
_UNSEEN = re.compile(
    r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


class Capped(io.TextIOBase):
    """A stream that keeps the first `MAX_TEXT` characters and counts the others."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._size = 0

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        text = str(text)
        if self._size < MAX_TEXT:
            self._kept.append(text[: MAX_TEXT - self._size])
        self._size += len(text)
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """It is none."""
        return False

    def take(self) -> str:
        """What was kept since the last time."""
        text, more = "".join(self._kept), self._size - MAX_TEXT
        self._kept, self._size = [], 0
        return text if more <= 0 else f"{text}\n… {more} more characters"


def clean_text(text: Any, most: int = MAX_TEXT) -> str:
    """Text without control characters, at most so long; empty if it is no text."""
    return _UNSEEN.sub("", text[:most]) if type(text) is str else ""


def _clean_picture(data: Any) -> str | None:
    """A PNG as base64, or None if it is none or too large to show."""
    if type(data) is not str or len(data) > MAX_PICTURE_BYTES:
        return None
    try:
        head = base64.b64decode(data, validate=True)[:24]
        width, height = struct.unpack(">II", head[16:24])
    except (binascii.Error, ValueError, struct.error):
        return None
    if (
        not head.startswith(b"\x89PNG\r\n\x1a\n")
        or head[12:16] != b"IHDR"
        or not 0 < max(width, height) <= MAX_SIDE
    ):
        return None
    return data


def clean_outputs(outputs: Any) -> list[dict[str, Any]]:
    """Outputs of one cell as a notebook keeps them, from whatever came: what is malformed is left out.

    Streams and results of text stay, and PNG pictures with their text; an error keeps its name, its text and a one-line
    traceback.
    """
    kept: list[dict[str, Any]] = []
    room, pictures, pixels = MAX_TEXT, 0, 0
    for output in outputs if type(outputs) is list else []:
        if len(kept) >= MAX_OUTPUTS or type(output) is not dict:
            break
        kind = output.get("output_type")
        if kind == "stream":
            text = clean_text(output.get("text"), room)
            room -= len(text)
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            if text and kept and kept[-1].get("name") == name:
                kept[-1]["text"] += text
            elif text:
                kept.append({"output_type": "stream", "name": name, "text": text})
        elif kind in ("display_data", "execute_result") and type(output.get("data")) is dict:
            data = {"text/plain": clean_text(output["data"].get("text/plain"), room)}
            room -= len(data["text/plain"])
            picture = _clean_picture(output["data"].get("image/png"))
            if picture and pictures < MAX_PICTURES and pixels + len(picture) <= MAX_PICTURE_BYTES:
                pictures, pixels = pictures + 1, pixels + len(picture)
                data["image/png"] = picture
            kept.append({"output_type": "display_data", "metadata": {}, "data": data})
        elif kind == "error":
            name, text = (
                clean_text(output.get("ename"), 80),
                clean_text(output.get("evalue"), min(room, 2000)),
            )
            room -= len(text)
            line = f"{name}: {text}"
            kept.append({"output_type": "error", "ename": name, "evalue": text, "traceback": [line]})
    return kept


class Budget:
    """What the outputs of a notebook may take together."""

    def __init__(self) -> None:
        self._left = MAX_NOTEBOOK

    def spend(self, outputs: Any) -> list[dict[str, Any]]:
        """A cell's outputs, cleaned, as far as they can be afforded."""
        kept = clean_outputs(outputs)
        for number, output in enumerate(kept):
            size = len(json.dumps(output))
            if size > self._left:
                return [*kept[:number], LEFT_OUT]
            self._left -= size
        return kept
