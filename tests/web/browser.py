"""Chromium, and someone in front of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
FLAGS = (
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "disable-dev-shm-usage",
)


class Reader:
    """Someone in front of the page."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome

    def run(self, script: str) -> Any:
        return self.chrome.execute_script(f"return {script}")

    def text(self, selector: str) -> str:
        return str(self.run(f"document.querySelector({selector!r}).textContent.trim()"))

    def wait(self, script: str, seconds: float = 5) -> None:
        WebDriverWait(self.chrome, seconds, 0.05).until(lambda _: self.run(script), script)

    def open(self, address: str) -> None:
        self.chrome.get(address)
        self.wait("document.title !== 'VDX Watch'")

    def press(self, *keys: str) -> None:
        ActionChains(self.chrome).send_keys(*keys).perform()

    def focused(self) -> str:
        return str(self.run("document.activeElement.id"))

    def screen(self, width: int, height: int, *, dark: bool = False) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What Chromium has logged of a kind since it was last asked."""
        return list(self.chrome.get_log(kind))  # type: ignore[no-untyped-call]

    def complaints(self) -> list[str]:
        """What axe-core finds wrong on the page."""
        self.chrome.execute_script(AXE.read_text(encoding="utf-8"))
        result = self.chrome.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
        return [
            f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    if BROWSER is None or DRIVER is None:
        pytest.fail("install the Debian packages chromium and chromium-driver", pytrace=False)
    options = ChromeOptions()
    options.binary_location = BROWSER
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def reader(chrome: Chrome) -> Iterator[Reader]:
    someone = Reader(chrome)
    someone.screen(1920, 1080)
    yield someone
    chrome.get("about:blank")
