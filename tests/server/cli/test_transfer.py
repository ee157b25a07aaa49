"""`joblens import` and `joblens export`."""

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from server.cli import import_source
from tests.server.cli.conftest import command, run, spawn

Record = dict[str, object]


def record(number: int = 1, **others: object) -> Record:
    created = f"2026-01-{number:02}T00:00:00Z"
    return {"type": "mail", "status": "queued", "created_at": created, **others}


def ndjson(*records: Record) -> bytes:
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


@pytest.fixture
def org() -> str:
    return str(uuid4())


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "jobs.ndjson"
        path.write_bytes(content)
        return path

    return write


Write = Callable[[bytes], Path]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_is_imported_is_exported(
    ledger: str, org: str, file: Write, pack: Callable[[bytes], bytes]
) -> None:
    path = file(pack(ndjson(record(1), record(2), record(3))))
    told = run("import", path, "--org", org)
    assert (told.exit_code, told.stdout) == (0, "")
    assert told.stderr.splitlines()[1:] == ["3 imported, 0 there already, 0 rejected"]
    again = run("import", path, "--org", org)
    assert again.stderr.splitlines()[1:] == ["0 imported, 3 there already, 0 rejected"]

    exported = run("export", "--org", org).stdout_bytes
    assert len(exported.splitlines()) == 3
    other = str(uuid4())
    from_input = spawn("import", "-", "--org", other, stdin=exported.decode())
    assert from_input.returncode == 0
    assert from_input.stderr.splitlines()[1].startswith("3 imported")
    assert run("export", "--org", other).stdout_bytes == exported


def test_jobs_that_came_further_are_brought_up_to_date(ledger: str, org: str, file: Write) -> None:
    identity: Record = {"id": str(uuid4())}
    started: Record = {"status": "running", "started_at": "2026-01-01T00:01:00Z"}
    run("import", file(ndjson(record(1, **identity), record(2))), "--org", org)
    newer = ndjson(record(1, **identity, **started), record(2))
    told = run("import", file(newer), "--org", org)
    assert told.exit_code == 0
    assert told.stderr.splitlines()[1:] == ["0 imported, 1 updated, 1 there already, 0 rejected"]
    other = ndjson(record(1, **identity, status="canceled", finished_at="2026-01-01T00:01:00Z"))
    told = run("import", file(other), "--org", org)
    assert told.exit_code == 1
    assert "line 1: id: the existing job has different events from event 2 on" in told.stderr


def test_without_org_it_is_the_one_of_the_settings(
    ledger: str, org: str, file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBLENS_ORG", org)
    run("import", file(ndjson(record())))
    assert run("export").stdout == run("export", "--org", org).stdout != ""


def test_export_narrows(ledger: str, org: str, file: Write) -> None:
    canceled = record(2, status="canceled", finished_at="2026-01-02T00:00:00Z")
    path = file(ndjson(record(1), canceled, record(3)))
    assert run("import", path, "--org", org).exit_code == 0

    def exported(*options: str) -> list[str]:
        lines = run("export", "--org", org, *options).stdout.splitlines()
        return [orjson.loads(line)["created_at"][:10] for line in lines]

    assert exported("--status", "canceled") == ["2026-01-02"]
    assert len(exported("--status", "canceled", "--status", "queued")) == 3
    assert exported("--since", "2026-01-02T01:00:00+01:00") == ["2026-01-02", "2026-01-03"]


@pytest.mark.parametrize(
    "option", [["--since", "2026-01-02T00:00:00"], ["--since", "May"], ["--status", "lost"]]
)
def test_export_of_something_impossible(option: list[str]) -> None:
    told = run("export", *option)
    assert told.exit_code == 2
    assert option[0] in told.stderr


def test_bad_lines_are_told_kept_and_stop_nothing(
    ledger: str, org: str, file: Write, tmp_path: Path
) -> None:
    good, bad = ndjson(record(1)), b"{bad\r\n"
    rejects = tmp_path / "rejects"
    path = file(bad + b"\n" + good + b'{"type": 1}\n' + bad * 30 + b"[no newline]")
    told = run("import", path, "--org", org, "--rejects", rejects)
    assert told.exit_code == 1
    errors = told.stderr.splitlines()[1:]
    assert errors[0].startswith("line 1: ")
    assert errors[1].startswith("line 4: ")
    assert errors[20:] == ["and 13 more", "1 imported, 0 there already, 33 rejected"]
    assert rejects.read_bytes() == bad + b'{"type": 1}\n' + bad * 30 + b"[no newline]\n"


def test_a_line_too_long_to_read_is_skipped(
    ledger: str, org: str, file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_source, "MAX_LINE_BYTES", 200)
    good, long = ndjson(record(1)), b"x" * 1000 + b"\n"
    rejects = tmp_path / "rejects"
    path = file(long + good + b"y" * 199 + b"\n" + long[:-1])
    told = run("import", path, "--org", org, "--rejects", rejects)
    assert told.exit_code == 1
    assert "1 imported, 0 there already, 3 rejected" in told.stderr
    assert "line 1: is longer than" in told.stderr
    assert "line 3: not well-formed" in told.stderr
    assert "line 4: is longer than" in told.stderr
    assert sorted(map(len, rejects.read_bytes().splitlines())) == [199, 1000, 1000]


def test_a_file_cut_short_keeps_what_came_before(ledger: str, org: str, file: Write) -> None:
    many = ndjson(*(record(1, idempotency_key=f"{uuid4()}") for _ in range(5_000)))
    told = run("import", file(gzip.compress(many)[:-2_000]), "--org", org)
    assert told.exit_code == 1
    assert "the import failed" in told.stderr
    assert len(run("export", "--org", org).stdout.splitlines()) >= 2_000

    told = run("import", file(gzip.compress(ndjson(record()))[:-9]), "--org", org)
    assert told.exit_code == 2


def test_files_that_cannot_be_used(ledger: str, file: Write, tmp_path: Path) -> None:
    missing = run("import", tmp_path / "none")
    assert (missing.exit_code, missing.stderr.count("\n")) == (2, 1)
    assert "No such file" in missing.stderr
    path = file(b"{}\n")
    assert run("import", path, "--rejects", tmp_path / "no" / "folder").exit_code == 2
    told = run("import", path, "--rejects", path)
    assert told.exit_code == 2
    assert path.read_bytes() == b"{}\n"


def test_a_reader_that_has_seen_enough_ends_the_export(ledger: str, org: str, file: Write) -> None:
    run("import", file(ndjson(*(record(1, payload="x" * 5_000 + str(i)) for i in range(200)))),
        "--org", org)  # fmt: skip
    pipe = subprocess.PIPE
    export = subprocess.Popen(command("export", "--org", org), stdout=pipe, stderr=pipe)
    assert export.stdout
    assert export.stderr
    assert export.stdout.readline().startswith(b"{")
    export.stdout.close()
    assert (export.wait(), export.stderr.read()) == (0, b"")
    export.stderr.close()
