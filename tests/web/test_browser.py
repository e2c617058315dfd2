"""The live page in Chromium: as it looks, sounds and is used."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from selenium.webdriver import Keys

from tests.web import sample
from tests.web.browser import Reader
from tests.web.sample import Platform
from tests.web.serving import Served


@pytest.fixture
def served() -> Iterator[Served]:
    now = datetime.now(UTC)
    with Served(sample.settings(), lambda: sample.history(now)) as server:
        yield server


@pytest.fixture(scope="module")
def usual() -> Platform:
    return Platform(now=datetime.now(UTC))


@pytest.fixture(scope="module")
def troubled() -> Platform:
    platform = sample.troubled(datetime.now(UTC))
    platform.add("<script>document.title='x'</script>", "lecture", 40, datetime.now(UTC), Random(3))
    return platform


def test_loads_cleanly_and_only_from_its_own_server(
    reader: Reader, served: Served, troubled: Platform
) -> None:
    reader.log("performance")
    reader.log("browser")
    served.poll(troubled)
    reader.open(served.address)
    served.poll(troubled)
    reader.wait("performance.getEntriesByType('resource').some((e) => e.name.endsWith('/figures'))")
    assert reader.log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in reader.log("performance")]
    requested = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert len(requested) >= 7
    assert all(address.startswith(served.address) for address in requested)
    assert "need a look" in reader.chrome.title
    assert "<script>document.title='x'</script>" in reader.text("#conferences tbody")


def test_first_poll_arrives_without_reload(reader: Reader, served: Served, usual: Platform) -> None:
    reader.open(served.address)
    assert "Waiting for the first poll" in reader.chrome.title
    reader.run("(window.marker = 1)")
    served.poll(usual)
    reader.wait("document.querySelectorAll('#conferences tbody tr').length === 200")
    assert reader.run("window.marker") == 1


def test_choices_outlive_an_update(
    reader: Reader, served: Served, usual: Platform, troubled: Platform
) -> None:
    served.poll(troubled)
    reader.open(served.address)
    reader.run("(window.marker = 1)")
    reader.run("document.querySelector('#sort-node-load').click()")
    reader.run("(document.querySelector('#nodes-scroll').scrollTop = 120)")
    reader.run("document.querySelector('#filter').focus()")
    reader.press("sårpleje", Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    reader.run("(document.querySelector('#troubles-more') ?? {}).open = true")
    before = reader.text(".huge")
    shown = reader.run("[...document.querySelectorAll('#conferences tbody tr:not([hidden])')].length")
    assert 0 < shown < 60

    troubled.add("Sårpleje, en til", "conference", 9, datetime.now(UTC), Random(5))
    served.poll(troubled)
    reader.wait(f"document.querySelector('.huge').textContent.trim() !== '{before}'")
    assert reader.run("window.marker") == 1
    assert reader.focused() == "filter"
    assert reader.run("document.activeElement.value") == "sårpleje"
    assert reader.run("document.activeElement.selectionStart") == 6
    assert reader.run("document.querySelector('#nodes-scroll').scrollTop") == 120
    assert reader.run("document.querySelector('#sort-node-load').closest('th').ariaSort") == "descending"
    loads = reader.run("[...document.querySelectorAll('#nodes tbody .load')].map((e) => e.dataset.value)")
    known = [float(load) for load in loads if load]
    assert known == sorted(known, reverse=True)
    rows = reader.run(
        "[...document.querySelectorAll('#conferences tbody tr:not([hidden])')].map((e) => e.textContent)"
    )
    assert len(rows) in (shown, shown + 1)
    assert all("sårpleje" in row.lower() for row in rows)
    assert any("en til" in row for row in rows)
    assert reader.text("#filter-count") == f"{len(rows)} of 200 rows"


def test_by_keyboard_alone(reader: Reader, served: Served, troubled: Platform) -> None:
    served.poll(troubled)
    reader.open(served.address)
    reader.press(Keys.TAB)
    assert reader.run("document.activeElement.className") == "skip"
    assert reader.run("document.activeElement.getBoundingClientRect().top") >= 0
    reader.press(Keys.ENTER)
    assert reader.focused() == "main"
    visited = []
    while reader.focused() != "sort-node-load":
        reader.press(Keys.TAB)
        visited.append(reader.focused())
        assert len(visited) < 60
    assert {"locations-scroll", "sort-location-load", "nodes-scroll"} <= set(visited)
    assert reader.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    sort = "document.querySelector('#sort-node-load').closest('th').ariaSort"
    first = reader.text("#nodes tbody th")
    reader.press(Keys.ENTER)
    assert reader.run(sort) == "descending"
    reader.press(Keys.SPACE)
    assert reader.run(sort) == "ascending"
    reader.press(Keys.ENTER)
    assert reader.run(sort) is None
    assert reader.text("#nodes tbody th") == first
    while reader.focused() != "filter":
        reader.press(Keys.TAB)
    reader.press("stuegang")
    reader.wait("document.querySelectorAll('#conferences tbody tr:not([hidden])').length === 1")
    assert reader.text("#announcer") == "1 of 200 rows"
    reader.press(*[Keys.BACKSPACE] * 8)
    reader.wait("document.querySelectorAll('#conferences tbody tr:not([hidden])').length === 200")


def test_only_a_change_of_state_is_announced(
    reader: Reader, served: Served, usual: Platform, troubled: Platform
) -> None:
    calm = Platform(conferences=3)
    served.poll(calm)
    reader.open(served.address)
    time = reader.text(".from time")
    served.publish(
        *sample.figures(Platform(conferences=4), served.settings, datetime.now(UTC) + timedelta(seconds=1))
    )
    reader.wait(f"document.querySelector('.from time').textContent !== '{time}'")
    assert reader.text("#announcer") == ""
    served.publish(*sample.failed(served.settings, datetime.now(UTC)))
    reader.wait("document.querySelector('#announcer').textContent.startsWith('Out of sight')")
    assert reader.chrome.title.startswith("(1) Out of sight")


def test_lost_contact_is_said_and_mends_itself(reader: Reader, usual: Platform) -> None:
    settings = sample.settings(interval=2)
    with Served(settings) as server:
        server.poll(usual)
        reader.open(server.address)
        assert reader.run("document.querySelector('#notice').hidden")
    reader.wait("document.querySelector('#notice').textContent.startsWith('No contact with VDX Watch')", 6)
    assert reader.run("document.body.classList.contains('stale')")
    assert reader.text("#announcer").startswith("No contact")
    colour = "getComputedStyle(document.querySelector('{}')).color"
    assert reader.run(colour.format(".huge")) == reader.run(colour.format(".beside"))
    with Served(settings, port=server.port) as server:
        server.poll(usual)
        reader.wait("document.querySelector('#notice').hidden", 12)
        assert not reader.run("document.body.classList.contains('stale')")


def test_figures_that_are_old_are_said_to_be(reader: Reader, usual: Platform) -> None:
    with Served(sample.settings(interval=1)) as server:
        server.poll(usual)
        reader.open(server.address)
        reader.wait("document.querySelector('#notice').textContent.startsWith('These figures are old')", 4)
        assert reader.run("document.body.classList.contains('stale')")
        server.poll(usual)
        reader.wait("document.querySelector('#notice').hidden")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_sideways_scroll(reader: Reader, served: Served, troubled: Platform, width: int) -> None:
    reader.screen(width, 800)
    served.poll(troubled)
    reader.open(served.address)
    assert reader.run("document.documentElement.scrollWidth") <= width


def test_readable_from_three_metres(reader: Reader, served: Served, troubled: Platform) -> None:
    served.poll(troubled)
    reader.open(served.address)
    sizes = {
        selector: float(
            reader.run(f"parseFloat(getComputedStyle(document.querySelector('{selector}')).fontSize)")
        )
        for selector in (".status", ".huge", ".big", ".troubles li")
    }
    assert sizes[".huge"] >= 90
    assert sizes[".status"] >= 44
    assert sizes[".big"] >= 44
    assert sizes[".troubles li"] >= 22
    assert reader.run("document.querySelector('#hardware').getBoundingClientRect().bottom") < 1080


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_accessible(reader: Reader, served: Served, dark: bool) -> None:
    reader.screen(1920, 1080, dark=dark)
    served.poll(Platform(conferences=3))
    served.poll(sample.troubled(datetime.now(UTC), conferences=40))
    reader.open(served.address)
    reader.run("document.querySelector('#sort-node-load').click()")
    assert reader.complaints() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_accessible_in_other_states(reader: Reader, served: Served, dark: bool) -> None:
    reader.screen(390, 844, dark=dark)
    reader.open(served.address)
    assert reader.complaints() == []
    served.publish(*sample.failed(served.settings, datetime.now(UTC)))
    reader.wait("document.title.includes('Out of sight')")
    assert reader.complaints() == []
    broken = Platform(conferences=3)
    broken.lost = ("bornholm-01",)
    served.poll(broken)
    reader.wait("document.title.includes('need')")
    assert reader.run("document.querySelector('.top').classList.contains('is-critical')")
    assert reader.complaints() == []
    reader.run("document.body.classList.add('stale')")
    assert reader.complaints() == []


def test_thousands_of_conferences_stay_fast(reader: Reader, served: Served) -> None:
    platform = Platform(conferences=5000, now=datetime.now(UTC))
    served.poll(platform)
    reader.open(served.address)
    assert "and 4,800 more" in reader.text("#conferences")
    took = reader.run(
        "(() => { const start = performance.now();"
        "for (let i = 0; i < 3; i++) document.querySelector('#sort-conference-people').click();"
        "return (performance.now() - start) / 3; })()"
    )
    assert took < 400
