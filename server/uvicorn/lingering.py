"""Close connections so that the last data arrives, even if the client is still sending."""

import asyncio
import math
from typing import Any

# How long a client may take to read the last data and close its side.
LINGERING_SECONDS = 10.0
# How long it may read nothing of the data that is left.
STALLED_SECONDS = 60.0


class LingeringTransport:
    """A transport that closes in two steps: it sends EOF first, and closes the socket later.

    Closing a socket with unread data resets it, and sent data may be lost. In between, protocols
    see a closing transport, and discard what they receive. Once `ending` is set (the process shuts
    down), sockets are closed at once.
    """

    def __init__(self, transport: asyncio.Transport, ending: asyncio.Event) -> None:
        self._transport = transport
        self._ending = ending
        self._has_ended = False

    def __getattr__(self, name: str) -> Any:
        """Delegate to the transport."""
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return whether nothing more can be sent."""
        return self._has_ended or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send data, unless EOF was sent."""
        if not self._has_ended:
            self._transport.write(data)

    def close(self) -> None:
        """Send EOF; close the socket after LINGERING_SECONDS unless the client does."""
        if self._ending.is_set():
            self._transport.close()
        elif not self.is_closing():
            self._has_ended = True
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._transport.resume_reading()
            asyncio.get_running_loop().call_later(LINGERING_SECONDS, self._close_socket)

    def _close_socket(self, before: float = math.inf) -> None:
        """Close the socket once all is sent; abort if the client reads nothing."""
        self._transport.close()
        unread = self._transport.get_write_buffer_size()
        if unread >= before:
            self._transport.abort()
        elif unread:
            asyncio.get_running_loop().call_later(STALLED_SECONDS, self._close_socket, unread)
