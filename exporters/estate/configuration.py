"""The Prometheus configuration that scrapes the estate, as text (https://prometheus.io/docs/prometheus/2.42/
configuration/configuration). It is JSON, which is valid YAML."""

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from exporters.estate.target import Job

FILE: Final = "prometheus.yml"
TARGETS: Final = "targets"
_HEAD: Final = "# Written by `vdx scrape-configuration` from vdx.toml; it is overwritten.\n"


def configuration(jobs: Sequence[Job]) -> str:
    """prometheus.yml with the targets in it, for a look or to paste."""
    return _text(scrape_configs(jobs))


def scrape_configs(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """What stands under scrape_configs in prometheus.yml, with the targets in it."""
    return [_scrape(job) | {"static_configs": [_group(job)]} for job in jobs]


def files(jobs: Sequence[Job]) -> Mapping[PurePosixPath, str]:
    """The same as files: prometheus.yml, and the targets of each job, which Prometheus reads again by itself.

    The targets come first, so that prometheus.yml never names a file that is not there.
    """
    targets = {PurePosixPath(TARGETS, f"{job.name}.json"): job for job in jobs}
    scrapes = [_scrape(job) | {"file_sd_configs": [{"files": [str(path)]}]} for path, job in targets.items()]
    texts = {path: json.dumps([_group(job)], indent=2) + "\n" for path, job in targets.items()}
    return texts | {PurePosixPath(FILE): _text(scrapes)}


def _text(scrapes: Sequence[dict[str, Any]]) -> str:
    return _HEAD + json.dumps({"scrape_configs": scrapes}, indent=2) + "\n"


def _group(job: Job) -> dict[str, Any]:
    """The targets, with the labels that dashboards and alerts know them by."""
    site = {"site": job.site} if job.site else {}
    return {"targets": list(job.targets), "labels": {"job": job.kind, **site}}


def _scrape(job: Job) -> dict[str, Any]:
    scrape: dict[str, Any] = {
        "job_name": job.name,
        "scrape_interval": f"{job.interval_seconds}s",
        "scrape_timeout": f"{job.timeout_seconds}s",
        "scheme": job.scheme,
        "metrics_path": job.path,
    }
    if job.ca_file is not None:
        scrape["tls_config"] = {"ca_file": str(job.ca_file.absolute())}
    elif job.scheme == "https" and not job.verify:
        scrape["tls_config"] = {"insecure_skip_verify": True}
    if job.password_file is not None:
        scrape["basic_auth"] = {
            "username": job.username,
            "password_file": str(job.password_file.absolute()),
        }
    if job.token_file is not None:
        scrape["authorization"] = {"credentials_file": str(job.token_file.absolute())}
    if job.exporter:
        scrape["relabel_configs"] = [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": job.exporter},
        ]
        if job.module:
            scrape["params"] = {"module": [job.module]}
    return scrape
