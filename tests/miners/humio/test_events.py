"""Parts of a request: within both bounds, in order, nothing left out."""

from datetime import UTC, datetime
from itertools import chain, pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from miners.humio.events import MAKERS, Event, Tags, batches, body, unparsed
from simulator.humio_forms import hec, structured
from tests.miners.humio.shipping import line

NOW = datetime(2026, 11, 24, tzinfo=UTC)
EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from([b'{"tags":{"host":"a"},"events":[', b'{"tags":{},"events":[']),
        st.integers(2, 400).map(lambda length: b'"' + b"x" * (length - 2) + b'"'),
    ),
    max_size=60,
)


@given(EVENTS, st.integers(1, 20), st.integers(100, 1500))
def test_parts_hold_every_event_in_order_within_both_bounds(
    events: list[Event], most_events: int, most_bytes: int
) -> None:
    parts = list(batches(events, most_events, most_bytes))
    assert list(chain.from_iterable(parts)) == events
    for part in parts:
        assert 1 <= len(part) <= most_events
        assert len(part) == 1 or len(body(part)) <= most_bytes


@given(EVENTS)
def test_a_part_is_not_smaller_than_it_need_be(events: list[Event]) -> None:
    parts = list(batches(events, 10, 1000))
    for part, following in pairwise(parts):
        # The separators are counted once more than they stand there, at most one for each tag set and event.
        assert len(part) == 10 or len(body([*part, following[0]])) > 1000 - 4


def test_5_mb_is_filled_to_a_few_bytes_and_never_exceeded() -> None:
    half = Event(b"", b"x" * 2_500_000)
    fitting = 0
    for length in range(2_499_980, 2_500_020):
        parts = list(batches([half, Event(b"", b"x" * length)], 5000, 5_000_000))
        if len(parts) == 1:
            fitting = max(fitting, len(body(parts[0])))
        assert all(len(body(part)) <= 5_000_000 for part in parts)
    assert fitting >= 5_000_000 - 4


@given(st.lists(st.text(max_size=50), min_size=1, max_size=20))
def test_any_text_arrives_as_it_was_through_both_endpoints(texts: list[str]) -> None:
    lines = [line(text, host=f"h{number % 3}") for number, text in enumerate(texts)]
    for endpoint, parse in (("structured", structured), ("hec", hec)):
        tags = Tags(2)
        taken = list(parse(body([MAKERS[endpoint](one, tags) for one in lines])))
        assert sorted(event.text for event in taken) == sorted(texts)


@given(st.binary(max_size=200))
def test_any_bytes_that_are_no_line_can_be_handed_on(content: bytes) -> None:
    event = MAKERS["structured"](unparsed(content, NOW), Tags(5))
    assert msgspec.json.decode(event.content)["timestamp"] == NOW.isoformat()
