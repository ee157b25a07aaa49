"""The end of a connection: what was sent last arrives, even if the client still sends."""

import asyncio
import math
from typing import Any

# How long a client may take to read the end, and to close its side.
LINGERING_SECONDS = 10.0
# How long it may read nothing of what is left.
STALLED_SECONDS = 60.0


class LingeringTransport:
    """A transport that closes in two steps: it sends its end first, and later closes the socket.

    Closing a socket with unread data resets it, and what was sent may be lost. In between,
    protocols see a transport that is closing, and discard what they receive. Once the process
    ends (`ending`), there is no time for that.
    """

    def __init__(self, transport: asyncio.Transport, ending: asyncio.Event) -> None:
        self._transport = transport
        self._ending = ending
        self._has_ended = False

    def __getattr__(self, name: str) -> Any:
        """Get what is the transport's own."""
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Say whether nothing can be sent any more."""
        return self._has_ended or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send data, unless the end was sent."""
        if not self._has_ended:
            self._transport.write(data)

    def close(self) -> None:
        """Send the end; the client closes the socket, or after a while we do."""
        if self._ending.is_set():
            self._transport.close()
        elif not self.is_closing():
            self._has_ended = True
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._transport.resume_reading()
            asyncio.get_running_loop().call_later(LINGERING_SECONDS, self._close_socket)

    def _close_socket(self, before: float = math.inf) -> None:
        """Close the socket once all is sent; abort if a client reads nothing of it."""
        self._transport.close()
        unread = self._transport.get_write_buffer_size()
        if unread >= before:
            self._transport.abort()
        elif unread:
            asyncio.get_running_loop().call_later(STALLED_SECONDS, self._close_socket, unread)
