"""A table as rows that DuckDB reads.

DuckDB sees a column by its place only (``c0``, ``c1``, …), so that no name in a file can reach its SQL, and no path is
taken for a pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.dialect import Dialect
from backpath.files.forms import literal
from backpath.files.wording import quoted

if TYPE_CHECKING:
    import duckdb


MORE_MEMORY = "give more with --memory"
KEPT = "kept"  # the table in memory of a small file
LEAST_GROUP, GROUP_BYTES = 2048, 16_000_000  # rows, and cells as text, of a group of rows in a temporary file


@dataclass(frozen=True)
class Column:
    """One column of a source: its name, SQL for its cells as text, and as a number where the file has a type for it."""

    name: str
    text: str
    number: str = ""  # "": the cells are text
    problem: str = ""


@dataclass(frozen=True)
class Source:
    """A table that can be queried; ``relation`` stands after FROM, its parameters are given with each query."""

    path: str
    columns: tuple[Column, ...]
    relation: str
    parameters: dict[str, Any]
    connection: duckdb.DuckDBPyConnection
    folder: Path  # for temporary files
    row_name: Callable[[int], str]  # where a row of that number (from 1) is: "t.csv, line 3"
    explain: Callable[[str], str]  # what is wrong with the file, given DuckDB's words
    dialect: Dialect = field(default_factory=Dialect)  # with what was found out
    notes: tuple[str, ...] = ()
    repeated: dict[str, str] = field(default_factory=dict)  # names that were made unique, and the note on each
    numbered: str = ""  # of a Parquet file: the relation with the column file_row_number

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def batch(self) -> int:
        """Columns of one query: DuckDB plans few quickly and hundreds slowly, but each query of a file that is not kept
        reads it again."""
        return 20 if self.relation == KEPT else 200

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query; ``{table}`` in it stands for this table."""
        return self._run(sql, parameters, lambda result: result.fetchall())

    def arrays(self, sql: str, **parameters: object) -> list[NDArray[Any]]:
        """The columns of a query, without ever holding the result twice."""
        return self._run(sql, parameters, lambda result: list(result.fetchnumpy().values()))

    def _run(self, sql: str, parameters: dict[str, object], fetch: Callable[[Any], list[Any]]) -> list[Any]:
        import duckdb

        given = (self.parameters if "{table}" in sql else {}) | parameters
        try:
            return fetch(self.connection.execute(sql.replace("{table}", self.relation), given))
        except duckdb.OutOfMemoryException:
            raise InputError(f"{self.path} takes more memory to read than it may; {MORE_MEMORY}") from None
        except duckdb.Error as error:
            raise InputError(self.explain(str(error).splitlines()[0])) from None
        except RuntimeError as error:  # how DuckDB passes Ctrl-C on
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            raise

    def kept(self) -> Source:
        """The same, its rows read once."""
        self.rows(f"CREATE TEMP TABLE {KEPT} AS SELECT * FROM {{table}}")
        return replace(self, relation=KEPT, parameters={}, numbered="")

    def by_number(self, columns: Sequence[Column]) -> Iterator[Source]:
        """Sources of the same rows, one after the other, which have a column ``file_row_number``: each file if they are
        Parquet, else a temporary file with the cells of these columns as they are."""
        if self.numbered:
            for file in self.parameters["path"]:
                yield replace(self, relation=self.numbered, parameters={"path": [file]})
            return
        wanted = {column.name for column in columns}
        cells = [f"c{place}" for place, column in enumerate(self.columns) if column.name in wanted]
        rows = max(LEAST_GROUP, GROUP_BYTES // (16 * len(cells)))
        copy = self.folder / "rows.parquet"
        self.rows(
            f"COPY (SELECT {', '.join(cells)} FROM {{table}}) TO {literal(str(copy))} "
            f"(FORMAT parquet, ROW_GROUP_SIZE {rows})"
        )
        relation = f"read_parquet({literal(str(copy))}, file_row_number=true)"
        yield replace(self, relation=relation, parameters={})
        copy.unlink()

    def first(self, condition: str, column: Column, **parameters: object) -> tuple[str, str | None]:
        """The first cell of a column where a condition holds: where it is, and what it holds (None: nothing)."""
        found = self.rows(
            f"SELECT row, value FROM (SELECT row_number() OVER () AS row, {column.text} AS value, "
            f"coalesce({condition}, false) AS found FROM {{table}}) WHERE found ORDER BY row LIMIT 1",
            **parameters,
        )
        if not found:
            raise InputError(f"{self.path} changed while it was read; read it again")
        row, value = found[0]
        return f"{self.row_name(row)}, column {quoted(column.name)}", value
