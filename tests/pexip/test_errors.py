"""Each fault is one readable line with the mend; what can pass is retried, what cannot is not."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tests.pexip.conftest import EMPTY, QUICK, SECRET, Observed, answer, listening, management_node
from tests.pexip.stand_in import StandIn, conferences
from vdx.pexip import errors, resources
from vdx.pexip.authentication import BasicAuthentication
from vdx.pexip.client import ManagementNode
from vdx.pexip.retry import Retry, retry_after_seconds

GATEWAY_PAGE = HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)


def one_line(error: BaseException) -> str:
    text = str(error)
    assert text
    assert "\n" not in text
    assert SECRET not in text + repr(error)
    return text


@pytest.mark.parametrize(
    ("response", "error", "code", "mend"),
    [
        (Response(status_code=401), errors.Unauthorized, 401, "pexip.username and pexip.password"),
        (Response(status_code=403), errors.Forbidden, 403, "give its role the right"),
        (Response(status_code=404), errors.NotFound, 404, "pexip.url"),
        (Response(status_code=400), errors.UnexpectedAnswer, 400, "supported"),
        (Response(status_code=501), errors.ServerFault, 501, "support log"),
        (RedirectResponse("/login?next=secret", 302), errors.UnexpectedAnswer, 302, "pexip.url"),
        (HTMLResponse("<html>Log in</html>"), errors.UnexpectedAnswer, 200, "proxy"),
        (Response(b"[]"), errors.UnexpectedAnswer, 200, "pexip.url"),
        (Response(status_code=204), errors.UnexpectedAnswer, 204, "pexip.url"),
    ],
)
async def test_a_lasting_fault_is_told_at_once(
    response: Response, error: type[errors.PexipError], code: int, mend: str, observed: Observed
) -> None:
    stand_in = StandIn(participant=[])
    stand_in.scripted = [response]
    async with management_node(stand_in, observe=observed) as node:
        with pytest.raises(error) as caught:
            await node.read(resources.PARTICIPANT)
    line = one_line(caught.value)
    assert line.startswith("participant: ")
    assert mend in line
    assert (caught.value.resource, caught.value.code, caught.value.transient) == ("participant", code, False)
    assert observed.requests == [("participant", str(code))]
    assert not observed.retries


@pytest.mark.parametrize(
    "fault",
    [
        *(Response(status_code=code) for code in (429, 500, 503, 504)),
        GATEWAY_PAGE,
        Response(EMPTY[: len(EMPTY) // 2]),
        Response(b""),
    ],
)
async def test_a_passing_fault_is_retried(fault: Response, observed: Observed) -> None:
    stand_in = StandIn(conference=conferences(1))
    stand_in.scripted = [fault, fault, fault]
    async with management_node(stand_in, observe=observed) as node:
        reading = await node.read(resources.CONFERENCE)
    assert reading.requests == 4
    assert len(reading.rows) == 1
    assert observed.retries == {"conference": 3}
    assert observed.requests == [("conference", str(fault.status_code))] * 3 + [("conference", "200")]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Response(status_code=429), errors.RateLimited),
        (GATEWAY_PAGE, errors.ServerFault),
        (Response(b'{"meta'), errors.Unreachable),
    ],
)
async def test_a_fault_that_stays_is_told_after_four_attempts(
    fault: Response, error: type[errors.PexipError]
) -> None:
    stand_in = StandIn(conference=[])
    stand_in.scripted = [fault] * 9
    async with management_node(stand_in) as node:
        with pytest.raises(error) as caught:
            await node.read(resources.CONFERENCE)
    one_line(caught.value)
    assert len(stand_in.requests) == 4


async def test_retry_after_is_honoured() -> None:
    stand_in = StandIn(conference=[])
    stand_in.scripted = [Response(status_code=429, headers={"Retry-After": "1"})]
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with management_node(stand_in) as node:
        await node.read(resources.CONFERENCE, deadline=started + 5)
    assert 1.0 <= loop.time() - started < 2.0


@pytest.mark.parametrize("seconds", ["5", "86400"])
async def test_a_wait_past_the_deadline_is_not_begun(seconds: str) -> None:
    stand_in = StandIn(conference=[])
    stand_in.scripted = [Response(status_code=429, headers={"Retry-After": seconds})]
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with management_node(stand_in) as node:
        with pytest.raises(errors.RateLimited) as caught:
            await node.read(resources.CONFERENCE, deadline=started + 3)
    assert caught.value.retry_after == float(seconds)
    assert loop.time() - started < 1


async def test_a_long_retry_after_is_an_error_even_without_a_deadline() -> None:
    stand_in = StandIn(conference=[])
    stand_in.scripted = [Response(status_code=503, headers={"Retry-After": "3600"})]
    async with management_node(stand_in) as node:
        with pytest.raises(errors.ServerFault):
            await node.read(resources.CONFERENCE)


async def test_a_deadline_bounds_a_slow_answer(observed: Observed) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _byte in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    loop = asyncio.get_running_loop()
    async with listening(drip) as port, loopback(port, observe=observed) as node:
        started = loop.time()
        with pytest.raises(errors.DeadlineExceeded) as caught:
            await node.read(resources.CONFERENCE, deadline=started + 0.2)
        assert loop.time() - started < 0.5
        assert observed.requests == [("conference", "cancelled")]
        with pytest.raises(errors.DeadlineExceeded):
            await node.read(resources.CONFERENCE, deadline=started)
        assert node.budget.used == 1
    assert "pexip.interval_seconds" in one_line(caught.value)


def loopback(port: int, *, scheme: str = "http", **options: Any) -> ManagementNode:
    authentication = BasicAuthentication("monitor", SECRET)
    return ManagementNode(
        f"{scheme}://127.0.0.1:{port}", authentication, **{"timeout": 0.3, "retry": QUICK, **options}
    )


async def silence(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(1)


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer()[:-20])


async def not_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


@pytest.mark.parametrize(
    ("talk", "code", "mend"),
    [
        (silence, "timeout", "load"),
        (reset, "network", "proxies"),
        (half_body, "network", "proxies"),
        (not_http, "network", "proxies"),
    ],
)
async def test_a_network_fault_is_retried_and_told(
    talk: Any, code: str, mend: str, observed: Observed
) -> None:
    async with (
        listening(talk) as port,
        loopback(port, observe=observed, timeout=0.05) as node,
    ):
        with pytest.raises(errors.Unreachable) as caught:
            await node.read(resources.CONFERENCE)
    assert mend in one_line(caught.value)
    assert observed.requests == [("conference", code)] * 4


async def test_one_reset_costs_nothing_but_a_retry() -> None:
    talks = iter([reset])

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if talk := next(talks, None):
            await talk(reader, writer)
        else:
            writer.write(answer())

    async with listening(once) as port, loopback(port) as node:
        reading = await node.read(resources.CONFERENCE)
    assert (reading.rows, reading.requests) == ([], 2)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def empty(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer())

    async with listening(empty) as port, loopback(port) as node:
        assert (await node.read(resources.CONFERENCE)).requests == 1


async def test_a_refused_connection_names_the_url() -> None:
    async with listening(silence) as port:
        pass
    async with loopback(port) as node:
        with pytest.raises(errors.Unreachable, match=r"no connection to 127\.0\.0\.1: check pexip\.url"):
            await node.read(resources.CONFERENCE)


async def test_an_unknown_name_names_the_dns() -> None:
    async with ManagementNode(
        "https://manager.invalid", BasicAuthentication("monitor", SECRET), retry=QUICK
    ) as node:
        with pytest.raises(errors.Unreachable, match=r"manager\.invalid is not known: .*DNS"):
            await node.read(resources.CONFERENCE)


async def test_at_most_five_requests_are_open_at_once() -> None:
    open_now = 0
    most = 0

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.01)
        await Response(EMPTY)(scope, receive, send)
        open_now -= 1

    async with management_node(StandIn(), transport=httpx.ASGITransport(slow)) as node:
        await asyncio.gather(*(node.read(resource) for resource in resources.STATUS * 3))
    assert most == 5


async def test_a_fault_of_one_resource_leaves_the_others() -> None:
    stand_in = StandIn(conference=conferences(3))
    async with management_node(stand_in) as node:
        results = await asyncio.gather(
            node.read(resources.ALARM), node.read(resources.CONFERENCE), return_exceptions=True
        )
    assert isinstance(results[0], errors.NotFound)
    assert not isinstance(results[1], BaseException)


async def test_what_is_asked_of_the_node() -> None:
    stand_in = StandIn(conference=[])
    async with management_node(stand_in) as node:
        await node.read(resources.CONFERENCE, filters={"name": "Møde & mere"}, page_size=7)
    (request,) = stand_in.requests
    assert request.method == "GET"
    assert request.url.path == "/api/admin/status/v1/conference/"
    assert dict(request.query_params) == {"limit": "7", "offset": "0", "name": "Møde & mere"}
    assert request.headers["accept"] == "application/json"
    assert request.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("http://manager.example", "https://"),
        ("http://10.0.0.1", "https://"),
        ("http://127.0.0.1.example", "https://"),
        ("manager.example", "is not a URL"),
        ("ftp://manager.example", "is not a URL"),
        ("https://", "is not a URL"),
        ("", "is not a URL"),
        ("https://manager.example:port", "is not a URL"),
        (f"https://monitor:{SECRET}@manager.example", "pexip.password"),
        ("https://manager.example/admin/", "after the host"),
        ("https://manager.example/?a=b", "after the host"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, mend: str) -> None:
    with pytest.raises(errors.PexipConfigurationError) as caught:
        ManagementNode(url, BasicAuthentication("monitor", SECRET))
    assert mend in one_line(caught.value)
    assert "pexip.url" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://manager.example",
        "https://manager.example:8443/",
        "http://localhost:8080",
        "http://[::1]:80",
        "http://127.0.0.2",
    ],
)
def test_a_url_that_can_be_used(url: str) -> None:
    assert SECRET not in repr(ManagementNode(url, BasicAuthentication("monitor", SECRET)))


def test_backoff_grows_to_its_cap_and_ends() -> None:
    retry = Retry()
    for attempt, longest in ((1, 0.5), (2, 1.0), (3, 2.0)):
        delays = [retry.delay(attempt) for _ in range(50)]
        assert all(delay is not None and 0 <= delay <= longest for delay in delays)
        assert len(set(delays)) > 10
    assert retry.delay(4) is None
    assert Retry(attempts=99).delay(50) is not None
    assert (Retry(attempts=99).delay(50) or 0) <= 8.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 60.0),
        ("Wed, 21 Oct 2026 07:28:00", 60.0),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, datetime(2026, 10, 21, 7, 27, tzinfo=UTC)) == seconds
