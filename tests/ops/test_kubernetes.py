"""The Kubernetes example is valid, and its probes and settings are those of Joblens."""

import subprocess
from typing import Any

import pytest

from server.settings import Settings
from tests.ops.conftest import OPS, PROGRAMS, documents
from tests.support.service import Service

FILE = OPS / "kubernetes" / "joblens.yaml"
OBJECTS = {f"{each['kind']}": each for each in documents(FILE)}
VERSIONS = ("1.32", "1.36")


def container(kind: str) -> Any:
    (found,) = OBJECTS[kind]["spec"]["template"]["spec"]["containers"]
    return found


def test_its_objects() -> None:
    assert list(OBJECTS) == ["Job", "Deployment", "Service", "PodDisruptionBudget"]


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_valid(version: str) -> None:
    validate = [str(PROGRAMS / "kubernetes-validate"), "--strict", "-k", version, str(FILE)]
    done = subprocess.run(validate, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["Job", "Deployment"])
def test_settings(kind: str) -> None:
    given = {
        each["name"]: each.get("value", "postgresql://db/joblens")
        for each in container(kind)["env"]
    }
    assert "JOBLENS_DATABASE_URL" in given
    Settings.read(given)


def test_commands() -> None:
    assert container("Job")["args"] == ["migrate"]
    assert container("Deployment")["args"] == ["serve"]


async def test_probes_are_answered(service: Service) -> None:
    found = container("Deployment")
    ports = {each["name"]: each["containerPort"] for each in found["ports"]}
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = found[name]["httpGet"]
        assert ports[probe["port"]] == 8000
        assert (await service.client.get(probe["path"])).status_code == 200


def test_labels_select_the_pods() -> None:
    labels = OBJECTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert OBJECTS[kind]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert OBJECTS["Service"]["spec"]["selector"].items() <= labels.items()
    assert not OBJECTS["Service"]["spec"]["selector"].items() <= (
        OBJECTS["Job"]["spec"]["template"]["metadata"]["labels"].items()
    )


@pytest.mark.parametrize("kind", ["Job", "Deployment"])
def test_a_container_is_confined(kind: str) -> None:
    security = container(kind)["securityContext"]
    assert not security["allowPrivilegeEscalation"]
    assert security["readOnlyRootFilesystem"]
    assert OBJECTS[kind]["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"]
