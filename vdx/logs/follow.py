"""Follows what the collector writes: the lines of a query as they come."""

from pathlib import Path
from typing import Final

from vdx.logs.closing import connection
from vdx.logs.columns import Batches
from vdx.logs.files import hour_of, open_files
from vdx.logs.query import Query, check
from vdx.logs.search import Hit, hits, matching

_MOST_BYTES: Final = 4_000_000


class Follower:
    """Reads on in the open files from where they end when it is made. Raises QueryError.

    Bytes that have no end of line yet wait for it; no more than some megabytes are read at once.
    """

    def __init__(self, folder: Path, query: Query) -> None:
        check(query)
        self._folder = folder
        self._query = query
        self._database = connection()
        self._places = {path: path.stat().st_size for path in open_files(folder)}

    def poll(self) -> list[Hit]:
        """The lines that came since the last call and that the query finds, in the order of the files.

        Raises OSError where a file cannot be read.
        """
        found: list[Hit] = []
        self._places = {path: self._places.get(path, 0) for path in open_files(self._folder)}
        for path in self._places:
            batches = Batches(hour_of(path) or self._query.since)
            for batch in batches.of(self._lines(path)):
                rows = matching(self._database, batch, self._query, batch.num_rows)
                found += hits(reversed(rows))
        return found

    def _lines(self, path: Path) -> list[bytes]:
        try:
            with path.open("rb") as file:
                size = file.seek(0, 2)
                place = self._places[path] if self._places[path] <= size else 0
                file.seek(place)
                block = file.read(_MOST_BYTES)
        except FileNotFoundError:
            return []
        end = block.rfind(b"\n") + 1
        # Without an end in so many bytes it is no line; it is told as it is, in pieces.
        complete = block[:end] if end or len(block) < _MOST_BYTES else block
        self._places[path] = place + len(complete)
        return [line for line in complete.split(b"\n") if line]
