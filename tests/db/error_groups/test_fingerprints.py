"""Which errors are of one group: messages as Python, Node, the JVM, Go, Ruby and others write them."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.error_groups.fingerprints import MAX_MESSAGE, common_message, fingerprint_of

# The messages of a row belong together; those of different rows stay apart.
KINDS: list[list[str]] = [
    # Python
    ["KeyError: 'user_id'", "KeyError: 'email'"],
    [
        "ValueError: invalid literal for int() with base 10: 'abc'",
        "ValueError: invalid literal for int() with base 10: ''",
    ],
    ["TypeError: unsupported operand type(s) for +: 'int' and 'str'"],
    ["ConnectionRefusedError: [Errno 111] Connection refused"],
    ["ConnectionResetError: [Errno 104] Connection reset by peer"],
    [
        "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/a-1/report.csv'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/srv/b.csv'",
    ],
    ["ModuleNotFoundError: No module named 'pandas'"],
    ["AttributeError: 'NoneType' object has no attribute 'get'"],
    ["IndexError: list index out of range"],
    ["MemoryError"],
    [
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 12: invalid start byte",
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0x80 in position 0: invalid start byte",
    ],
    [
        "HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url: /v1/a",
        "HTTPSConnectionPool(host='eu.example.com', port=8443): Max retries exceeded with url: /v2/b/7",
    ],
    [
        'Traceback (most recent call last):\n  File "a.py", line 3, in run\nZeroDivisionError: division by zero',
        'Traceback (most recent call last):\n  File "b.py", line 71, in go\nZeroDivisionError: division by zero\n',
        "ZeroDivisionError: division by zero",
    ],
    # Node
    [
        "TypeError: Cannot read properties of undefined (reading 'map')",
        "TypeError: Cannot read properties of undefined (reading 'length')",
    ],
    ["TypeError: Cannot read properties of null (reading 'map')"],
    ["Error: connect ECONNREFUSED 127.0.0.1:6379", "Error: connect ECONNREFUSED ::1:6379"],
    ["Error: connect ETIMEDOUT 10.0.12.7:5432", "Error: connect ETIMEDOUT 10.0.3.9:5432"],
    [
        "Error: getaddrinfo ENOTFOUND redis.prod.internal",
        "Error: getaddrinfo ENOTFOUND cache-2.prod.internal",
    ],
    ["Error: ENOENT: no such file or directory, open '/app/x.js'"],
    [
        "SyntaxError: Unexpected token < in JSON at position 0",
        "SyntaxError: Unexpected token < in JSON at position 311",
    ],
    ["Error: Request failed with status code 404"],
    ["Error: Request failed with status code 502"],
    ["RangeError: Maximum call stack size exceeded"],
    # JVM
    [
        'java.lang.NullPointerException: Cannot invoke "String.length()" because "<local1>" is null',
        'java.lang.NullPointerException: Cannot invoke "A.b()" because "this.c" is null',
    ],
    ["java.lang.OutOfMemoryError: Java heap space"],
    ["java.lang.OutOfMemoryError: GC overhead limit exceeded"],
    ["java.net.SocketTimeoutException: Read timed out"],
    ["java.net.SocketTimeoutException: connect timed out"],
    ["java.sql.SQLException: ORA-00942: table or view does not exist"],
    ["java.sql.SQLException: ORA-01017: invalid username/password; logon denied"],
    [
        "Row was updated or deleted by another transaction : [com.acme.Order#8812]",
        "Row was updated or deleted by another transaction : [com.acme.Order#17]",
    ],
    ["Row was updated or deleted by another transaction : [com.acme.Invoice#8812]"],
    # Go
    [
        "panic: runtime error: index out of range [5] with length 3",
        "panic: runtime error: index out of range [12] with length 12",
    ],
    ["panic: runtime error: invalid memory address or nil pointer dereference"],
    [
        "dial tcp 10.1.2.3:5432: connect: connection refused",
        "dial tcp [2001:db8::17]:5432: connect: connection refused",
    ],
    [
        "dial tcp: lookup db.internal on 10.96.0.10:53: no such host",
        "dial tcp: lookup api.example.com on 10.96.0.10:53: no such host",
    ],
    ["context deadline exceeded"],
    [
        "read tcp 10.0.0.5:48122->10.0.0.9:443: i/o timeout",
        "read tcp 10.0.0.6:48997->10.0.0.9:443: i/o timeout",
    ],
    [
        "context deadline exceeded (timeout after 1m30s)",
        "context deadline exceeded (timeout after 250ms)",
        "context deadline exceeded (timeout after 1h0m0.5s)",
    ],
    # Ruby
    [
        "NoMethodError: undefined method `name' for nil:NilClass",
        "NoMethodError: undefined method `email' for nil:NilClass",
    ],
    [
        "ActiveRecord::RecordNotFound: Couldn't find User with 'id'=123",
        "ActiveRecord::RecordNotFound: Couldn't find User with 'id'=7",
    ],
    ["ActiveRecord::RecordNotFound: Couldn't find Order with 'id'=123"],
    ["Net::ReadTimeout with #<TCPSocket:(closed)>"],
    # PostgreSQL
    [
        'duplicate key value violates unique constraint "users_email_key"\n'
        "DETAIL:  Key (email)=(a@example.com) already exists.",
        'duplicate key value violates unique constraint "orders_pkey"',
    ],
    ["could not serialize access due to concurrent update (SQLSTATE 40001)"],
    ["deadlock detected (SQLSTATE 40P01)"],
    ["canceling statement due to statement timeout"],
    ["canceling statement due to lock timeout"],
    [
        'relation "jobs" does not exist at character 15',
        'relation "users" does not exist at character 8',
    ],
    # HTTP
    ["HTTP 404 Not Found"],
    ["HTTP 500: Internal Server Error"],
    ["503 Service Unavailable after 7 tries", "503 Service Unavailable after 12 tries"],
    ["429 Client Error: Too Many Requests for url: https://api.example.com/v1/a"],
    ["422 Client Error: Unprocessable Entity for url: https://api.example.com/v1/a"],
    ["404 rows were locked", "17 rows were locked"],
    [
        "Server responded with status 429 (retry after 60 seconds)",
        "Server responded with status 429 (retry after 2.5 seconds)",
    ],
    [
        "GET https://api.example.com/orders/17?page=2 failed: connection closed",
        "GET http://user:secret@10.0.0.1:8080/ failed: connection closed",
    ],
    # Processes, timeouts with ids, and others
    ["Process exited with code 137"],
    ["Process exited with code 1"],
    ["worker 17 was killed by signal 9", "worker 3 was killed by signal 9"],
    ["worker 17 was killed by signal 11"],
    [
        "Timed out waiting for job 8c0e6d5c-6a5c-4a2b-9d0a-0f1f7a1c2b3d after 30000 ms",
        "Timed out waiting for job 01890b5c-7a33-7cc1-8f10-a1b2c3d4e5f6 after 5 ms",
    ],
    [
        "Lease of run_01HZX3K8Q4T9 expired at 2026-11-26T12:00:00.123Z",
        "Lease of run_01J0A7M2B5C8 expired at 2026-01-01 00:00:00",
    ],
    [
        "Failed to send mail to alice@example.com: mailbox full",
        "Failed to send mail to bob.b+x@mail.example.org: mailbox full",
    ],
    [
        'E11000 duplicate key error collection: shop.orders index: sku dup key: { sku: "A-1" }',
        'E11000 duplicate key error collection: shop.orders index: sku dup key: { sku: "Z" }',
    ],
    [
        "can't open /var/lib/app/uploads/2026/cat.png: Permission denied",
        "can't open C:\\Users\\bob\\data.txt: Permission denied",
    ],
    [
        "S3 object not found: s3://bucket/reports/2026/11/26/a.csv",
        "S3 object not found: s3://other/x",
    ],
    [
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 not found",
        "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904 not found",
    ],
    ["Quota exceeded: 12.5% of 100 GB", "Quota exceeded: 99% of 2,048 GB"],
    ["image at 9fceb02 has no tag", "image at 4b825dc642cb has no tag"],
    ["card of cus_NffrFeUfNV2Hib declined", "card of cus_9s6XKzkNRiz8i3 declined"],
    ["card of acct_NffrFeUfNV2Hib declined"],
    [
        "the certificate expired on Thu, 26 Nov 2026 10:11:12 GMT",
        "the certificate expired on 2026-11-26 10:11:12.5+00",
        "the certificate expired on Thu Nov 26 10:11:12 UTC 2026",
        "the certificate expired on Dec  1 23:59:59",
        "the certificate expired on March 3, 2027",
        "the certificate expired on 26/Nov/2026:10:11:12 +0100",
    ],
    ["no answer from 00:1B:44:11:3A:B7", "no answer from a0-bb-cc-dd-ee-ff"],
    ["may 5 items fail? 12 did", "may 7 items fail? 3 did"],
    ["It's broken, and it's late"],
    ["login with password=hunter2 was refused", "login with password=swordfish was refused"],
    [
        "Authorization: Bearer aaaa.bbbb.cccc was rejected",
        "Authorization: Bearer dddd.eeee was rejected",
    ],
    ["invoice INV-10023 is paid", "invoice INV-10024 is paid"],
    ["INV-10023: is paid", "INV-98: is paid"],
    ["seat A-1 is taken", "seat F-12 is taken"],
    ["PLS-00201: identifier must be declared"],
    ["PLS-00302: component must be declared"],
    ["SQL Error: SQLCODE=-204, SQLSTATE=42704", "SQL Error: SQLCODE=-204, SQLSTATE=42704"],
    ["SQL Error: SQLCODE=-551, SQLSTATE=42501"],
    [
        "a body of 900kB is too large",
        "a body of 1.2 MB is too large",
        "a body of 2 GiB is too large",
    ],
    ["locked, retry in 1 second", "locked, retry in 30 seconds", "locked, retry in 5 minutes"],
    ["pod web-7d4b9c6f5-x2x9z was evicted", "pod web-5c9d8b7f4-k8s2p was evicted"],
    ["pod mail-7d4b9c6f5-x2x9z was evicted", "pod mail-28391040-bxkqz was evicted"],
    ["no such run: 5f3a", "no such run: a1b2c"],
    ["weight 1e10 is out of range", "weight 2.5e3 is out of range"],
    ["client v1.2.3 is too old", "client v2.0 is too old"],
]


@pytest.mark.parametrize("messages", KINDS, ids=lambda messages: messages[0][:40])
def test_these_belong_together(messages: list[str]) -> None:
    assert len({common_message(message) for message in messages}) == 1


def test_others_stay_apart() -> None:
    assert len(KINDS) >= 60
    firsts = [common_message(messages[0]) for messages in KINDS]
    for (n, first), (m, second) in combinations(enumerate(firsts), 2):
        assert first != second, (KINDS[n], KINDS[m])


def test_the_status_of_an_answer_stays() -> None:
    messages = ("429 Too Many Requests: 9 calls", "410 Gone: 7 left", "upstream: 502 - bad gateway")
    common = [common_message(message) for message in messages]
    number = "<number>"
    assert common == [
        f"429 Too Many Requests: {number} calls",
        f"410 Gone: {number} left",
        "upstream: 502 - bad gateway",
    ]


def test_the_code_is_part_of_it() -> None:
    timeout, other = fingerprint_of("TIMEOUT", "after 3 s"), fingerprint_of("QUOTA", "after 3 s")
    assert timeout is not None
    assert other is not None
    assert timeout != other
    assert timeout == fingerprint_of("TIMEOUT", "after 12 s")
    assert timeout.id != other.id
    assert (timeout.code, timeout.message) == ("TIMEOUT", "after <number> s")


def test_without_an_error_there_is_none() -> None:
    assert fingerprint_of(None, None) is None
    # Each job that the index of jobs without a group has gets one.
    for error in (("E", None), (None, ""), ("", None)):
        found = fingerprint_of(*error)
        assert found is not None
        assert found.message == ""


@given(st.text(max_size=200), st.integers(0, 10**12))
def test_any_text_has_one(text: str, number: int) -> None:
    found = common_message(text)
    assert len(found) <= MAX_MESSAGE
    # The number of a case makes no difference.
    assert common_message(f"{number} tries: {text}") == common_message(f"7 tries: {text}")


@given(st.text("'\"`a0-9:/. ", max_size=3_000))
def test_hostile_text_ends_soon(text: str) -> None:
    common_message(text)


@pytest.mark.parametrize("secret", ["hunter2", "p4ss,word", "swordfish"])
def test_secrets_are_no_part_of_it(secret: str) -> None:
    for message in (
        f"cannot reach https://user:{secret}@example.com/x",
        f"cannot log in: password={secret}",
        f'refused {{"token": "{secret}"}}',
    ):
        assert secret not in common_message(message)


def test_a_web_token_is_no_part_of_it() -> None:
    parts = "eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJhbGljZSJ9", "dozjgNryP4J3j-VmNHl0w5N_XgL"
    assert common_message(f"{'.'.join(parts)} has expired") == "<text> has expired"
