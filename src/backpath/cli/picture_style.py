"""Colours and settings of matplotlib for all pictures, which are legible on white and on black."""

from __future__ import annotations

from typing import Any

INK, BLUE, ORANGE = "#7d7d7d", "#3b82f6", "#d97706"  # each readable on white and on black
STYLE: Any = {  # matplotlib's type lists every setting
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 10,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.08,
    "svg.hashsalt": "backpath",  # the same picture gives the same file
}
