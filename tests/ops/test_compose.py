"""`compose.yaml` has settings that Joblens knows, commands that it has, and files that exist."""

import re
import subprocess
from typing import Any

import pytest

from server.settings import Settings
from tests.ops.conftest import OPS, documents
from tests.server.cli.conftest import command
from tests.support.checkout import ROOT

FILE = OPS / "compose.yaml"
(COMPOSE,) = documents(FILE)
SERVICES: dict[str, Any] = COMPOSE["services"]
OWN = [name for name, service in SERVICES.items() if service["image"] == "joblens"]


def environment(service: str) -> dict[str, str]:
    """The variables of a service, with the passwords that a user has to choose."""
    given = SERVICES[service].get("environment", {})
    return {name: re.sub(r"\$\{.*?\}", "chosen", value) for name, value in given.items()}


def test_its_services() -> None:
    assert set(SERVICES) == {"postgres", "migrate", "joblens", "prometheus", "grafana"}
    assert OWN == ["migrate", "joblens"]


@pytest.mark.parametrize("name", OWN)
def test_settings_of_a_service(name: str) -> None:
    given = environment(name)
    assert "@postgres/joblens" in given["JOBLENS_DATABASE_URL"]
    Settings.read(given)


@pytest.mark.parametrize("name", OWN)
def test_commands_of_a_service(name: str) -> None:
    subcommand = SERVICES[name]["command"][0]
    subprocess.run(command(subcommand, "--help"), check=True, capture_output=True)


def test_no_password_is_given() -> None:
    text = FILE.read_text()
    assert re.findall(r"PASSWORD: (.*)", text) == [
        "${POSTGRES_PASSWORD:?choose one}",
        "${GRAFANA_PASSWORD:?choose one}",
    ]


def test_ports_are_on_the_loopback_address() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_it_mounts_exists() -> None:
    volumes = [each for service in SERVICES.values() for each in service.get("volumes", [])]
    for volume in volumes:
        source = volume.partition(":")[0]
        if source.startswith("."):
            assert (OPS / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


def test_what_prometheus_scrapes() -> None:
    (read,) = documents(OPS / "prometheus" / "prometheus.yml")
    (scraped,) = read["scrape_configs"]
    port = environment("joblens")["JOBLENS_METRICS_PORT"]
    assert scraped["static_configs"] == [{"targets": [f"joblens:{port}"]}]


def test_what_it_builds_exists() -> None:
    build = COMPOSE["x-joblens"]["build"]
    context = (OPS / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
