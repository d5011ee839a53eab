"""A connectome as HTML: what it is, and a thumbnail of its weights."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from twinbrain.spec.connectome import Connectome


def connectome_html(connectome: Connectome) -> str:
    """Return a small table of a connectome beside its weights; it needs no other file."""
    weight, length = connectome.weight.values, connectome.length.values
    connected = weight > 0
    n, among = connectome.n_regions, connected & ~np.eye(connectome.n_regions, dtype=bool)
    lengths = length[among] if among.any() else np.zeros(1)
    rows = {
        "regions": f"{n}",
        "connections": f"{connected.sum()}",
        "density": f"{among.sum() / max(n * (n - 1), 1):.1%}",
        "length": f"{lengths.min():.4g} to {lengths.max():.4g} mm",
        "normalisation": connectome.normalisation,
    }
    cell = '<td style="text-align:left">'
    table = "".join(f"<tr>{cell}<i>{key}</i></td>{cell}{html.escape(value)}</td></tr>" for key, value in rows.items())
    image = base64.b64encode(_thumbnail(weight)).decode()
    return (
        '<div style="display:flex;gap:1.5em;align-items:center">'
        '<img width="160" height="160" style="image-rendering:pixelated" alt="weights, rows are targets" '
        f'title="log weight; rows are targets" src="data:image/png;base64,{image}">'
        f"<div><b>{html.escape(connectome.name or 'Connectome')}</b><table>{table}</table></div></div>"
    )


def _thumbnail(weight: NDArray[np.float64]) -> bytes:
    """Return a PNG of the log weights, of at most 96 pixels a side."""
    step = -(-len(weight) // 96)
    starts = np.arange(0, len(weight), step)
    shown = np.maximum.reduceat(np.maximum.reduceat(weight, starts, axis=0), starts, axis=1)
    present = shown > 0
    shades = np.zeros(shown.shape, dtype=np.uint8)
    if present.any():
        logs = np.log10(shown[present])
        shades[present] = 55 + 200 * (logs - logs.min()) / max(np.ptp(logs), 1e-12) if np.ptp(logs) else 255
    # From pale (absent) through teal to dark blue; the eye reads darker as stronger.
    stops = np.array([[246, 246, 243], [127, 205, 187], [29, 145, 192], [8, 29, 88]])
    palette = np.stack([np.interp(np.linspace(0, 3, 256), range(4), stops[:, i]) for i in range(3)], axis=1)
    side = len(starts)
    header = struct.pack(">IIBBBBB", side, side, 8, 3, 0, 0, 0)
    pixels = np.pad(shades, ((0, 0), (1, 0))).tobytes()  # each row begins with its filter type, 0
    chunks = {
        b"IHDR": header,
        b"PLTE": palette.astype(np.uint8).tobytes(),
        b"IDAT": zlib.compress(pixels),
        b"IEND": b"",
    }
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
