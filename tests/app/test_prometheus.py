"""The configuration for the Prometheus beside `vdx up`."""

import json
import subprocess
from pathlib import Path

import pytest

from app.prometheus import configuration
from vdx.settings import ServerSettings


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:9870", "127.0.0.1:9870"),
        ("http://0.0.0.0:9870", "127.0.0.1:9870"),
        ("http://[::]:9870", "[::1]:9870"),
        ("http://[::1]:9870", "[::1]:9870"),
        ("https://10.0.0.7:443", "10.0.0.7:443"),
    ],
)
def test_it_scrapes_what_the_exporter_listens_on(url: str, target: str, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("geheim")
    settings = ServerSettings(username="prometheus", password_file=password)
    text = configuration(url, settings, 30)
    (job,) = json.loads(text)["scrape_configs"]
    assert job["static_configs"] == [{"targets": [target]}]
    assert job["scheme"] == url.partition(":")[0]
    assert "geheim" not in text
    file = tmp_path / "prometheus.yml"
    file.write_text(text)
    checked = subprocess.run(
        ["promtool", "check", "config", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
