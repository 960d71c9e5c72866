"""Terminals for commands that draw on them."""

import pytest


def terminal():
    """The two ends of a terminal; the test is skipped if there are no terminals, as on Windows."""
    return pytest.importorskip("pty", exc_type=ImportError).openpty()
