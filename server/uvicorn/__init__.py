"""Subclasses of uvicorn's protocols, and all that depends on its internals.

Written for uvicorn 0.40 to 0.54, to which pyproject.toml bounds it. What they rely on:

- `httptools_impl.HttpToolsProtocol`: `parser`, `cycle`, `pipeline`, `flow`, `headers`, `url`,
  `app_state`, `default_headers`, `timeout_keep_alive_task`, `_unset_keepalive_if_required`,
  `_start_asgi_task`, `handle_websocket_upgrade`, `on_response_complete`, parser callbacks.
- `httptools_impl.RequestResponseCycle`: `scope`, `disconnected`, `message_event`, `more_body`,
  `keep_alive`, `response_started`, `response_complete`, `waiting_for_100_continue`,
  `chunked_encoding`, `expected_content_length`.
- `flow_control.FlowControl`: `pause_reading`, `resume_reading`.
- `websockets_sansio_impl.WebSocketsSansIOProtocol`: `conn`, `queue`, `frames`, `writable`,
  `read_paused`, `close_sent`, `close_timer`, `close_timeout`, `handshake_initiated`,
  `handshake_complete`, `curr_msg_data_type`, `keepalive_timeout`, `run_asgi`, and its handlers of
  frames.

The tests that fail when these change are listed in CONTRIBUTING.md.
"""
