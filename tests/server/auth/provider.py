"""An OpenID Connect provider as a process of its own: it publishes keys, rotates them, signs tokens.

Run as a module, it prints its port. `Provider` is its remote control.
"""

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from tests.support.checkout import ROOT
from tests.support.patience import PATIENCE_SECONDS

ISSUER = "https://login.example.com/"
AUDIENCE = "joblens"
# Neither by a proxy nor with certificates, whose reading takes a while each time.
PLAINLY: Any = {"trust_env": False, "verify": False, "timeout": PATIENCE_SECONDS}
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


def _ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"", body])


# How it may fail, byte for byte.
FAILURES = {
    "error": b"HTTP/1.1 500 Internal Server Error\r\n\r\n",
    "nothing": b"",
    "no keys": _ok(b'{"keys": []}'),
    "keys that are a number": _ok(b'{"keys": 5}'),
    "kinds that are lists": _ok(b'{"keys": [{"kty": ["RSA"]}, {"kty": {}}]}'),
    "no object": _ok(b"[]"),
    "no JSON": _ok(b"<html>"),
    "a byte order mark": _ok(b'\xef\xbb\xbf{"keys": []}'),
    "another charset": _ok('{"keys": []}'.encode("utf-16"), b"content-type: text/json; charset=x"),
    "gzip": _ok(gzip.compress(b'{"keys": []}'), b"content-encoding: gzip"),
    "deep": _ok(b'{"keys": [' + b"[" * 500_000),
    "no HTTP": b"\x16\x03\x01 not this\r\n\r\n",
    "no status": b"HTTP/1.1 abc\r\n\r\n",
    "a long line": b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n",
    "a long header": _ok(b"{}", b"x: " + b"x" * 100_000),
    "many headers": _ok(b"{}", *(b"x: y" for _ in range(200))),
    "too short": _ok(b'{"keys": [', b"content-length: 1000"),
    "no chunks": _ok(b"zz\r\n{}", b"transfer-encoding: chunked"),
    "half a chunk": _ok(b"100\r\n{}", b"transfer-encoding: chunked"),
    "too long": _ok(b" " * 2_000_000),
    "a redirect to nowhere": b"HTTP/1.1 302 Found\r\nlocation: http://[::\r\n\r\n",
    "a redirect to a file": b"HTTP/1.1 307 x\r\nlocation: file:///etc/passwd\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "continue for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000,
    # The last one, for it has a key, if one that fits no token.
    "a deep key": _ok(b'{"keys": [{"kty": "RSA", "n": ' + b"[" * 900 + b"]" * 900 + b"}]}"),
}


class Provider:
    """A running provider."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.jwks_url = f"{self.base}/jwks"

    def token(self, *, algorithm: str = "RS256", header: Any = None, **claims: Any) -> str:
        """Get a token, good but for `claims`; a claim that is None is left out."""
        body = {"algorithm": algorithm, "header": header or {}, "claims": claims}
        return str(self._ask("sign", body)["token"])

    def rotate(self) -> None:
        """Publish new keys, sign by them alone, and publish the old ones no more."""
        self._ask("rotate")

    def fail(self, how: str) -> None:
        """From now on answer who asks for the keys with one of FAILURES, a `drip`, a `redirect`, or well (``)."""
        self._ask("fail", {"how": how})

    def published(self) -> list[dict[str, Any]]:
        """Get the keys, as anybody may."""
        answer = httpx.get(self.jwks_url, **PLAINLY)
        return list(answer.json()["keys"])

    @property
    def asked(self) -> int:
        """How often the keys were asked for."""
        return int(self._ask("asked")["asked"])

    def _ask(self, path: str, body: Any = None) -> Any:
        text = json.dumps(body)
        return httpx.post(f"{self.base}/{path}", content=text, **PLAINLY).json()


@contextmanager
def running_provider() -> Iterator[Provider]:
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Provider(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


class _Keys:
    """What the process holds."""

    def __init__(self) -> None:
        self.generation = 0
        self.asked = 0
        self.failure = ""
        self.rotate()

    def rotate(self) -> None:
        self.generation += 1
        rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private: dict[str, Any] = {
            "RS256": rsa_key,
            "PS256": rsa_key,
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }

    def jwks(self) -> dict[str, Any]:
        keys = [
            # One that any algorithm of its kind may use, and one that says which.
            self._public("RS256", "rsa"),
            self._public("ES256", "ES256") | {"alg": "ES256", "use": "sig"},
            self._public("EdDSA", "EdDSA"),
            # What is not for this: a shared secret, a key to encrypt with, a kind of the future.
            {"kty": "oct", "kid": "secret", "k": "c2VjcmV0" * 8},
            self._public("RS256", "encryption") | {"use": "enc"},
            {"kty": "PQC", "kid": "future"},
        ]
        return {"keys": keys}

    def _public(self, algorithm: str, name: str) -> dict[str, Any]:
        public = self.private[algorithm].public_key()
        jwk: dict[str, Any] = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
        jwk.pop("key_ops", None)
        return jwk | {"kid": self.kid(name)}

    def kid(self, name: str) -> str:
        return f"{name} {self.generation}"

    def sign(self, algorithm: str, header: dict[str, Any], changes: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "exp": now + 600,
            "iat": now,
            "sub": "someone",
            "org": "00000000-0000-0000-0000-000000000001",
            "roles": ["admin"],
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        kid = self.kid("rsa" if algorithm in {"RS256", "PS256"} else algorithm)
        named = {"kid": kid, **header}
        if named["kid"] is None:
            del named["kid"]
        # Not jwt.encode(): it would not write claims that are wrong.
        text = json.dumps(claims).encode()
        return jwt.PyJWS().encode(text, self.private[algorithm], algorithm, named)


class _Handler(BaseHTTPRequestHandler):
    keys = _Keys() if __name__ == "__main__" else None

    def do_GET(self) -> None:
        assert self.keys is not None
        self.keys.asked += 1
        if self.keys.failure == "drip":
            self.wfile.write(_ok(b""))
            with suppress(OSError):
                while True:
                    self.wfile.write(b" ")
                    time.sleep(0.01)
        elif self.keys.failure in FAILURES:
            self.wfile.write(FAILURES[self.keys.failure])
            self.close_connection = True
        elif self.keys.failure == "redirect" and self.path != "/elsewhere":
            self.send_response(302)
            self.send_header("location", "/elsewhere")
            self.end_headers()
        else:
            self._answer(self.keys.jwks())

    def do_POST(self) -> None:
        assert self.keys is not None
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length) or b"null")
        answer: dict[str, Any] = {}
        match self.path:
            case "/sign":
                answer["token"] = self.keys.sign(body["algorithm"], body["header"], body["claims"])
            case "/rotate":
                self.keys.rotate()
            case "/fail":
                self.keys.failure = body["how"]
            case "/asked":
                answer["asked"] = self.keys.asked
        self._answer(answer)

    def _answer(self, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
