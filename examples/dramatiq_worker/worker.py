"""What the `dramatiq` command loads: the broker of BROKER_URL, then the actors."""

import os

import dramatiq
from dramatiq.middleware import AsyncIO

from examples.dramatiq_worker.recording import CloseLedger


def make_broker(url: str) -> dramatiq.Broker:
    """Make a broker for a redis:// or an amqp:// URL."""
    if url.startswith("redis"):
        from dramatiq.brokers.redis import RedisBroker  # noqa: PLC0415 - only one may be installed

        return RedisBroker(url=url)  # type: ignore[no-untyped-call]
    from dramatiq.brokers.rabbitmq import RabbitmqBroker  # noqa: PLC0415

    return RabbitmqBroker(url=url)


broker = make_broker(os.environ["BROKER_URL"])
broker.add_middleware(AsyncIO())
broker.add_middleware(CloseLedger())
dramatiq.set_broker(broker)

# Actors belong to the broker that is set when they are declared.
from examples.dramatiq_worker import tasks  # noqa: E402

__all__ = ["broker", "tasks"]
