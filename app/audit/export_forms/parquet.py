"""Parquet: typed columns, the record verbatim among them, so that the log's hashes can be computed from the file.

Parts of an export are kept as Arrow batches and put together into one file as it is sent: a Parquet file ends with what
its writer alone knows, which no part that was kept could have.
"""

import functools
import importlib.util
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from app.audit.export_forms.row import COLUMNS, ExportedEntry, read_entry
from app.errors import InvalidInput
from app.evidence.manifest import FileEntry
from app.evidence.records import unique_keys

INSTALL = "Parquet needs pyarrow, which is not installed here: pip install 'pyarrow>=24'."
# A row group is in memory as a whole, where it is written and where it is read.
GROUP_ROWS, GROUP_BYTES = 20_000, 16 << 20
READ_ROWS = 1_000
# Each value but once: a dictionary of these would only grow.
_UNIQUE = {"seq", "at", "id", "leaf_hash", "record", "opened", "question", "answer", "excerpts"}
# What a reader skips row groups by.
_STATISTICS = ["seq", "at", "kind", "user", "trail"]


def require_pyarrow() -> None:
    """Raises InvalidInput, which says what to install, where Parquet can be neither written nor read."""
    if importlib.util.find_spec("pyarrow") is None:
        raise InvalidInput(INSTALL)


@functools.cache
def schema() -> Any:
    """The columns and their types."""
    import pyarrow as pa  # noqa: PLC0415  # heavy, and of an extra

    text = pa.string()
    types = {
        "seq": pa.int64(),
        "at": pa.timestamp("us", tz="UTC"),
        "policy_epoch": pa.int64(),
        "documents": pa.list_(text),
        "leaf_hash": pa.binary(32),
    }
    needed = {"seq", "kind", "documents", "leaf_hash"}
    names = (*COLUMNS, "record", "opened")
    return pa.schema([pa.field(name, types.get(name, text), nullable=name not in needed) for name in names])


def parquet_part(entries: Iterable[ExportedEntry]) -> bytes:
    """The entries as a stream of one Arrow batch; nothing for none."""
    import pyarrow as pa  # noqa: PLC0415

    columns = _columns(list(entries))
    if not columns["seq"]:
        return b""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema()) as writer:
        writer.write_batch(pa.record_batch(list(columns.values()), schema=schema()))
    return bytes(sink.getvalue())


def parquet_file(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The file of these parts, piece by piece; no more than a row group and a part are in memory."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    written = io.BytesIO()
    plain = [name for name in schema().names if name not in _UNIQUE]
    writer = pq.ParquetWriter(written, schema(), compression="zstd", use_dictionary=plain, write_statistics=_STATISTICS)
    waiting, rows, size = [], 0, 0
    for part in filter(None, parts):
        for batch in pa.ipc.open_stream(part):
            waiting.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            writer.write_table(pa.Table.from_batches(waiting, schema()), row_group_size=rows)
            waiting, rows, size = [], 0, 0
            yield _taken(written)
    if waiting:
        writer.write_table(pa.Table.from_batches(waiting, schema()), row_group_size=rows)
    writer.close()
    yield _taken(written)


def read_parquet(path: Path) -> Iterator[FileEntry]:
    """The entries of such a file, each held to the columns that its record gives. Raises InvalidInput without pyarrow.

    Of a file that is no Parquet, or has other columns, one place that holds no entry.
    """
    require_pyarrow()
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema()):
                yield FileEntry("a table of other columns")
                return
            for batch in file.iter_batches(READ_ROWS):
                for given in batch.to_pylist():
                    number += 1
                    yield _file_entry(number, given)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        yield FileEntry(f"what cannot be read behind row {number} ({type(error).__name__})")


def _taken(written: io.BytesIO) -> bytes:
    """What was written and not yet taken. The writer goes on behind it."""
    content = written.getvalue()
    written.seek(0)
    written.truncate()
    return content


def _columns(entries: Sequence[ExportedEntry]) -> dict[str, list[Any]]:
    rows = [_values(entry) for entry in entries]
    return {name: [row[name] for row in rows] for name in schema().names}


def _values(entry: ExportedEntry) -> dict[str, Any]:
    row, _ = read_entry(entry)
    return {
        **row._asdict(),
        "at": row.time,
        "documents": list(row.documents),
        "record": entry.body,
        "opened": json.dumps(entry.opened, separators=(",", ":")) if entry.opened else None,
    }


def _file_entry(number: int, given: dict[str, Any]) -> FileEntry:
    place = f"row {number}"
    try:
        opened = json.loads(given["opened"] or "{}", object_pairs_hook=unique_keys)
        said = (given["name"], given["address"])  # not under the record's hash
        entry = ExportedEntry(given["seq"], given["at"], given["leaf_hash"], given["record"], opened, *said)
        return FileEntry(place, entry.seq, entry.leaf_hash, entry.body, opened, given == _values(entry))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return FileEntry(place)
