"""What the log must not hold never comes out of it, and ordinary lines stay as they are."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vdx.own_log import known_secrets
from vdx.own_log.redaction import redact
from vdx.settings import load, read_secret


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets of a test are not known to the others."""
    monkeypatch.setattr(known_secrets, "_known", set())
    monkeypatch.setattr(known_secrets, "_pattern", None)


SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=4, max_size=40)
ADVERSE = st.text("*ab1@ .:=/", min_size=4, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(SECRETS, ADVERSE), st.one_of(st.text(), st.text("*ab1@ .:=/")), st.text("*ab1@ .:=/"))
def test_a_registered_secret_never_comes_out(secret: str, before: str, after: str) -> None:
    known_secrets.register(secret)
    stripped = secret.strip()
    out = redact(f"{before}{secret}{after}{secret!r}{json.dumps(secret)}{quote(secret, safe='')}")
    if len(stripped) >= known_secrets.SHORTEST:
        assert stripped not in out


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': ***"),
        ("sent bearer eyJhbGciOiJFUzI1NiJ9.x to it", "sent bearer *** to it"),
        ("password=hunter2, user=vdx", "password=***, user=vdx"),
        ('{"password": "with space", "a": 1}', '{"password": ***, "a": 1}'),
        ("GET /x?access_token=abc&page=2", "GET /x?access_token=***&page=2"),
        ("GET /x?api_key=abc", "GET /x?api_key=***"),
        ("mysql+pymysql://vdx:pass@db/vdx refused", "mysql+pymysql://***@db/vdx refused"),
        ("mail to anna.b+c@example.org bounced", "mail to *** bounced"),
        ("sip:room.1@vdx.example left", "sip:*** left"),
        ("called +4512345678", "called ***"),
        ("called 12345678 twice", "called *** twice"),
        ("called 12 34 56 78", "called ***"),
        ("called +45 12 34 56 78", "called ***"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_masked(line: str, out: str) -> None:
    assert redact(line) == out


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-24 13:08:42Z INFO    metrics: http://127.0.0.1:9870/metrics",
        "humio.token_file: cannot read /etc/vdx-watch/token: Permission denied; check the path",
        "pexip.password_file is not set; name a file that holds the password of pexip.username",
        "55,000,000 rows in 12.345678901 s, 1234567 bytes",
        "organisations: 12 added, 3 renamed",
        "15:08:30  licences 935 of 1,500 (62%)",
        "device fw-1 at 10.0.0.1:161 does not answer",
        "revision 3fa9c1d2e4b5 of 2026-11-24T13:08:42.123456Z",
    ],
)
def test_an_ordinary_line_stays_as_it_is(line: str) -> None:
    assert redact(line) == line


def test_secrets_of_files_and_settings_are_known_once_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("of-the-file-1\n")
    (tmp_path / "vdx.toml").write_text(
        '[pexip]\npassword = "of-the-settings-2"\n[database]\nurl = "mysql+pymysql://vdx:of%2Fthe-url-3@db/vdx"\n'
        '[snmp.credentials.network]\ncommunity = "of-the-table-4"\n'
    )
    monkeypatch.setenv("VDX_ORGANISATIONS__URL", "mysql+pymysql://vdx:of-the-variable-5@db/vdx")
    read_secret("x", file)
    load(tmp_path / "vdx.toml")
    words = ("of-the-file-1", "of-the-settings-2", "of/the-url-3", "of-the-table-4", "of-the-variable-5")
    assert redact(" ".join(words)) == " ".join(["***"] * 5)


def test_a_private_key_is_masked_line_by_line() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByq\nGSM49AgEGCCqG==\n-----END PRIVATE KEY-----"
    known_secrets.register(key)
    assert redact("x MIGHAgEAMBMGByq y GSM49AgEGCCqG== z") == "x *** y *** z"
