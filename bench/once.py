"""Trains one row once, to time a whole process: python -m bench.once MODULE ROW."""

from __future__ import annotations

import importlib
import sys

from bench.rows import ROWS


def main() -> None:
    module, key = sys.argv[1:]
    row = next(row for row in ROWS if row.key == key)
    contender = importlib.import_module(module)
    train = next(iter(contender.forms(row).values()))
    train(row.epochs or 1)


if __name__ == "__main__":
    main()
