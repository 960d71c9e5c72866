"""A table that DuckDB reads.

In SQL, columns have names by place (``c0``, ``c1``, …), so that no name in a file can reach the SQL, and paths are
never patterns.
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
_KEPT = "kept"  # the table in memory of a small file
LEAST_GROUP, GROUP_BYTES = 2048, 16_000_000  # rows, and bytes of text, in a group of rows of a temporary file


@dataclass(frozen=True)
class Column:
    """One column of a source: its name, SQL for its cells as text, and as a number if the file has a numeric type."""

    name: str
    text: str
    number: str = ""  # "": the cells are text
    problem: str = ""


@dataclass(frozen=True)
class Source:
    """A table to query; ``relation`` follows FROM, and its parameters are passed with each query."""

    path: str
    columns: tuple[Column, ...]
    relation: str
    parameters: dict[str, Any]
    connection: duckdb.DuckDBPyConnection
    folder: Path  # for temporary files
    row_name: Callable[[int], str]  # the place of row number n (from 1): "t.csv, line 3"
    explain: Callable[[str], str]  # the problem of the file, from DuckDB's message
    dialect: Dialect = field(default_factory=Dialect)  # including what was detected
    notes: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()  # the notes on lines below the rows
    repeated: dict[str, str] = field(default_factory=dict)  # names that were made unique, with a note on each
    numbered: str = ""  # for a Parquet file, the relation with the column file_row_number

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def batch(self) -> int:
        """Columns in one query: DuckDB plans hundreds slowly, but each query reads a file again if it is not kept."""
        return 20 if self.relation == _KEPT else 200

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query, in which ``{table}`` stands for this table."""
        return self._run(sql, parameters, lambda result: result.fetchall())

    def arrays(self, sql: str, **parameters: object) -> list[NDArray[Any]]:
        """The columns of a query, without two copies of the result in memory."""
        return self._run(sql, parameters, lambda result: list(result.fetchnumpy().values()))

    def _run(self, sql: str, parameters: dict[str, object], fetch: Callable[[Any], list[Any]]) -> list[Any]:
        import duckdb

        given = (self.parameters if "{table}" in sql else {}) | parameters
        try:
            return fetch(self.connection.execute(sql.replace("{table}", self.relation), given))
        except duckdb.OutOfMemoryException:
            raise InputError(f"reading {self.path} takes more memory than allowed; {MORE_MEMORY}") from None
        except duckdb.Error as error:
            raise InputError(self.explain(str(error).splitlines()[0])) from None
        except RuntimeError as error:  # DuckDB's error after Ctrl-C
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            raise

    def kept(self) -> Source:
        """The source with its rows read into memory."""
        self.rows(f"CREATE TEMP TABLE {_KEPT} AS SELECT * FROM {{table}}")
        return replace(self, relation=_KEPT, parameters={}, numbered="")

    def by_number(self, columns: Sequence[Column]) -> Iterator[Source]:
        """Sources of the same rows with a column ``file_row_number``: each file if they are Parquet, otherwise a
        temporary file with the unchanged cells of these columns."""
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
        """The place and the content (None if empty) of the first cell of a column that meets a condition."""
        found = self.rows(
            f"SELECT row, value FROM (SELECT row_number() OVER () AS row, {column.text} AS value, "
            f"coalesce({condition}, false) AS found FROM {{table}}) WHERE found ORDER BY row LIMIT 1",
            **parameters,
        )
        if not found:
            raise InputError(f"{self.path} changed while it was read; read it again")
        row, value = found[0]
        return f"{self.row_name(row)}, column {quoted(column.name)}", value
