"""What benchmarks check: that contestants give one answer, and that nothing fell back."""

from pathlib import Path

import pytest

from benchmarks.answers import are_equal, data_of, of_postgraphile
from benchmarks.servers import JOBLENS, Server, check_no_fallback

JOB = b'{"data": {"jobs": [{"at": "2026-01-02T03:04:05%s", "waitSeconds": %s, "n": %s}]}}'
ANSWER = JOB % (b".120000Z", b"1.5", b"1")


@pytest.mark.parametrize(
    ("answer", "is_equal"),
    [
        (JOB % (b".12+00:00", b"1.5", b"1"), True),
        (JOB % (b".12Z", b"2.5", b"1"), True),
        (JOB % (b".13Z", b"1.5", b"1"), False),
        (JOB % (b".12+01:00", b"1.5", b"1"), False),
        (JOB % (b".12Z", b"1000", b"1"), False),
        (JOB % (b".12Z", b"null", b"1"), False),
        (JOB % (b".12Z", b"1.5", b"2"), False),
        (b'{"data": {"jobs": []}}', False),
        (b'{"data": {"jobs": null}}', False),
        (b'{"data": {}}', False),
    ],
)
def test_equal_answers(answer: bytes, is_equal: bool) -> None:
    assert are_equal(data_of(ANSWER), data_of(answer)) is is_equal
    assert are_equal(data_of(answer), data_of(ANSWER)) is is_equal


def test_errors() -> None:
    with pytest.raises(RuntimeError, match="no such field"):
        data_of(b'{"data": null, "errors": [{"message": "no such field"}]}')


def test_answers_of_postgraphile() -> None:
    event = {"jobId": "a", "seq": 1, "prevStatus": None, "nextStatus": "dead_letter"}
    answer = {"jobs": {"nodes": [{"status": "failed", "events": {"nodes": [event]}}]}}
    converted = {"id": "a:1", "prevStatus": None, "nextStatus": "DEAD_LETTER"}
    assert of_postgraphile(answer) == {
        "jobs": {"nodes": [{"status": "FAILED", "events": {"nodes": [converted]}}]}
    }


def test_fallbacks(tmp_path: Path) -> None:
    output = tmp_path / "output"
    server = Server(JOBLENS, 1, 1, output)
    output.write_text('{"event":"request","level":"info"}\n')
    check_no_fallback(server)
    line = '{"reason":"introspection","event":"operation fell back","level":"warning"}\n'
    output.write_text(f"{output.read_text()}{line}{line.replace('introspection', 'other')}")
    with pytest.raises(RuntimeError, match=r"2 operations fell back.*introspection"):
        check_no_fallback(server)
