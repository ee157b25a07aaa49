"""The recorder of the programs of this folder, as the tests' environment says."""

import os

from joblens_client import Recorder


def hide(type_: str, payload):
    return "hidden" if type_.endswith("secret") else payload


recorder = Recorder(
    os.environ["JOBLENS_URL"],
    "a token",
    os.environ["JOBLENS_SOURCE"],
    args=True,
    hide=hide,
    spool_dir=os.environ["SPOOL_DIR"],
)
REDIS = os.environ["REDIS_SOCKET"]
