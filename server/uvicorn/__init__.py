"""Subclasses of uvicorn's protocols, and everything else that depends on its internals.

pyproject.toml bounds uvicorn and websockets to the versions that these modules were written for.
What they rely on:

- `httptools_impl.HttpToolsProtocol`: `app_state`, `client`, `cycle`, `flow`, `headers`, `loop`,
  `parser`, `pipeline`, `server_state`, `timeout_keep_alive_task`, `transport`, `url`,
  `_should_upgrade`, `_start_asgi_task`, `_unset_keepalive_if_required`, and its callbacks.
- `httptools_impl.RequestResponseCycle`: `chunked_encoding`, `disconnected`,
  `expected_content_length`, `keep_alive`, `message_event`, `more_body`, `response_complete`,
  `response_started`, `scope`, `waiting_for_100_continue`.
- `flow_control.FlowControl`: `pause_reading`, `resume_reading`.
- `websockets_sansio_impl.WebSocketsSansIOProtocol`: `app_state`, `client`, `close_sent`,
  `close_timeout`, `close_timer`, `config`, `conn`, `curr_msg_data_type`, `default_headers`,
  `disconnected`, `frames`, `handshake_complete`, `handshake_initiated`, `keepalive_timeout`,
  `queue`, `read_paused`, `run_asgi`, `scope`, `writable`, and its handlers of frames.
- `websockets.server.ServerProtocol`: `close_sent`, `data_to_send`, `fail`, `reject`,
  `send_response`, `state`.
- `uvicorn.Server`: `startup`, `handle_exit`; `uvicorn.supervisors.Multiprocess`:
  `keep_subprocess_alive`, `processes` (in server/cli/uvicorn_server.py).

CONTRIBUTING.md lists the tests that fail if these change.
"""

UVICORN_VERSIONS = ">=0.54,<0.55"
WEBSOCKETS_VERSIONS = ">=17.4,<18"
