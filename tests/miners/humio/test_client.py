"""What Humio's answers mean, whom the client trusts, and what it says when it cannot be set up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from miners.humio.client import HumioClient, Verdict, verdict
from simulator.humio import running
from tests.certificates import self_signed
from tests.databases import free_port
from vdx.settings import HumioSettings, SettingsError

TOKEN = "0123-secret-4567"


def settings(folder: Path, **values: Any) -> HumioSettings:
    token = folder / "token"
    if not token.exists():
        token.write_text(TOKEN)
    return HumioSettings(**{"url": "http://127.0.0.1:1", "token_file": token, **values})


@pytest.mark.parametrize(
    ("statuses", "wanted"),
    [
        ([200], Verdict.TAKEN),
        ([201, 204, 301, 302, 304, 408, 429, 500, 502, 503, 504], Verdict.AGAIN),
        ([401, 403, 404, 405, 407], Verdict.REFUSED),
        ([400, 413, 415, 422], Verdict.POISON),
    ],
)
def test_a_status_means_what_humio_says_it_means(statuses: list[int], wanted: Verdict) -> None:
    assert {verdict(status)[0] for status in statuses} == {wanted}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": ""}, "humio.url is not set"),
        ({"url": "http://humio.example.org"}, "write https://"),
        ({"url": "https://user:hidden@humio.example.org"}, "without user name"),
        ({"url": "nonsense"}, "not a URL"),
        ({"token_file": None}, "humio.token_file is not set"),
        ({"token_file": Path("/nowhere/token")}, "humio.token_file: cannot read"),
        ({"ca_file": Path("/nowhere/ca.pem")}, "humio.ca_file"),
    ],
)
def test_settings_that_cannot_work_are_told_with_their_mend(
    tmp_path: Path, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError) as told:
        HumioClient(settings(tmp_path, **values))
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize("content", ["two words", "line\nline", "tøken"])
def test_a_file_that_holds_no_token_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    with pytest.raises(SettingsError, match=r"humio\.token_file") as told:
        HumioClient(settings(tmp_path))
    assert content.split(maxsplit=1)[0] not in str(told.value).replace(str(tmp_path), "")


async def test_nobody_there_is_a_fault_that_passes(tmp_path: Path) -> None:
    client = HumioClient(settings(tmp_path, url=f"http://127.0.0.1:{free_port()}"))
    answer = await client.send(b"[]")
    await client.close()
    assert (answer.verdict, answer.code) == (Verdict.AGAIN, "network")
    assert TOKEN not in repr(answer)


async def test_a_certificate_that_nobody_vouches_for_gets_no_token(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, "humio", datetime.now(UTC) + timedelta(days=30))
    with running(TOKEN, certificate=certificate) as humio:
        for ca_file, verify, code in ((None, True, "tls"), (certificate, True, "200"), (None, False, "200")):
            client = HumioClient(settings(tmp_path, url=humio.url, ca_file=ca_file, verify=verify))
            answer = await client.send(b"[]")
            await client.close()
            assert answer.code == code
        assert humio.requests.total() == 2
