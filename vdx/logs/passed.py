"""Whether readers have read all of an open file, so that it may be closed."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from vdx.logs.checkpoint import CheckpointError, committed
from vdx.logs.position import Position

_LOOK_BYTES: Final = 1_000_000


def passed(position: Position, path: Path) -> bool:
    """Whether a reader at a position has read every complete line of an open file. Raises OSError.

    A last line without an end is not waited for: no reader takes it, and the archive keeps it as it is.
    """
    if path.name <= position.floor:
        return True
    place = position.places.get(path.name)
    if place is None:
        return False
    with path.open("rb") as file:
        if not place.fits(file.fileno()):
            return False
        file.seek(place.offset)
        rest = file.read(_LOOK_BYTES)
    return b"\n" not in rest and len(rest) < _LOOK_BYTES


def by_all(checkpoints: Collection[Path]) -> Callable[[Path], bool]:
    """Tells of a file whether every reader has passed it, by the checkpoints that they keep.

    A reader that has none yet, or whose checkpoint cannot be read, has passed nothing.
    """

    def ask(path: Path) -> bool:
        try:
            positions = [committed(checkpoint) for checkpoint in checkpoints]
            return all(position is not None and passed(position, path) for position in positions)
        except (CheckpointError, OSError):
            return False

    return ask
