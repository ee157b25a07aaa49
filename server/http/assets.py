"""The scripts, styles and fonts of a built page. Their names change with their content."""

import asyncio
import gzip
import os
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_IMMUTABLE = "public, max-age=31536000, immutable"
# Fonts and pictures are compressed already.
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml")


class Assets(StaticFiles):
    """Serves the files of a folder, compressed. Each one is compressed once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._compressed: dict[tuple[str, float], bytes] = {}

    async def check_config(self) -> None:
        """Accept that there is no folder: the page is not built, and each file is unknown."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Respond with a file, compressed if it can be and the client accepts that."""
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or not _is_compressible(response):
            return response
        response.headers.add_vary_header("Accept-Encoding")
        if "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            return response
        # In a thread, so that other requests do not wait for it.
        body = await asyncio.to_thread(self._compress, response.path)
        return _gzipped(response, body)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Make the response of a file, which may be kept for ever."""
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = _IMMUTABLE
        return response

    def _compress(self, path: str | os.PathLike[str]) -> bytes:
        file = Path(path)
        # The time: a page may be built again while it is being served.
        key = (str(file), file.stat().st_mtime)
        if key not in self._compressed:
            self._compressed[key] = gzip.compress(file.read_bytes(), mtime=0)
        return self._compressed[key]


def _is_compressible(response: Response) -> bool:
    return (response.media_type or "").startswith(_COMPRESSIBLE)


def _gzipped(response: FileResponse, body: bytes) -> Response:
    headers = {
        **response.headers,
        "content-encoding": "gzip",
        "content-length": str(len(body)),
        # Weak: the bytes are not those of the file.
        "etag": f"W/{response.headers['etag']}",
    }
    # Ranges would be those of the file.
    headers.pop("accept-ranges", None)
    return Response(body, headers=headers)
