"""How far lines were handed on, to the line: a batch of the reader can take several requests."""

import msgspec

from vdx.logs.position import FINGERPRINT_BYTES, Position
from vdx.logs.tail import Batch


def within(before: Position, batch: Batch, done: int) -> Position | None:
    """The position behind the first `done` lines of a batch that was read from `before` on.

    None where it cannot be told, as lines between them were left out; the position behind them all can.
    """
    if done == len(batch.lines):
        return batch.position
    changed = [name for name, place in batch.position.places.items() if before.places.get(name) != place]
    if len(changed) != 1:
        return None
    name = changed[0]
    end = batch.position.places[name]
    begin = end.offset - sum(len(line) + 1 for line in batch.lines)
    known = before.places.get(name)
    if begin not in (0, known.offset if known else 0):
        return None
    offset = begin + sum(len(line) + 1 for line in batch.lines[:done])
    if offset < FINGERPRINT_BYTES:
        return None
    return batch.position.at(name, msgspec.structs.replace(end, offset=offset))
