"""FairQueue: turns by key, room for keys that hold none, and nothing lost however it is left."""

import asyncio
import random
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from db.fair_queue import FairQueue, Lease


class RefusedError(Exception):
    pass


def holds(slot: Lease) -> bool:
    return slot._settled.done()


def is_at_rest(queue: FairQueue, size: int) -> bool:
    return not queue._lines and queue._free == size


@pytest.mark.parametrize("size", [1, 2, 3, 4, 20])
async def test_another_key_is_before_all_that_one_key_waits_for(size: int) -> None:
    queue = FairQueue(size)
    greedy = [queue.request("greedy") for _ in range(95)]
    held = [slot for slot in greedy if holds(slot)]
    assert len(held) == size - size // 4
    modest = queue.request("modest")
    # Where nothing is left over, with the next one that is given back.
    assert holds(modest) == (size >= 4)
    held[0].release()
    assert holds(modest)
    assert sum(map(holds, greedy)) == len(held)
    for slot in [*greedy, modest]:
        slot.release()
    assert is_at_rest(queue, size)


@pytest.mark.parametrize("size", [1, 2, 7])
async def test_keys_come_to_hold_equally_many(size: int) -> None:
    queue = FairQueue(size)
    slots = [(key, queue.request(key)) for key in "abc" for _ in range(20)]
    for _ in range(30):
        # The one that was held longest.
        place = next(n for n, (_, slot) in enumerate(slots) if holds(slot))
        key, slot = slots.pop(place)
        slot.release()
        # It asks for another.
        slots.append((key, queue.request(key)))
    held = Counter(key for key, slot in slots if holds(slot))
    assert max(held.values()) - min(held[key] for key in "abc") <= 1
    for _, slot in slots:
        slot.release()
    assert is_at_rest(queue, size)


async def test_many_keys_come_in_their_order() -> None:
    queue = FairQueue(1)
    first = queue.request(0)
    slots = [queue.request(key) for key in range(50) for _ in range(2)]
    first.release()
    order = []
    while any(map(holds, slots)):
        (number,) = [n for n, slot in enumerate(slots) if holds(slot)]
        order.append(number // 2)
        slots[number].release()
        slots[number] = Lease(queue, "done")
    # The one that had its turn before is the last of each round.
    assert order == [*range(1, 50), 0, *range(1, 50), 0]


async def test_who_waits_too_long_or_is_refused_leaves_at_once() -> None:
    queue = FairQueue(1)
    held = queue.request("held")
    with pytest.raises(TimeoutError):
        await queue.request("late").wait(0)
    refused = queue.request("refused")
    waiting = asyncio.create_task(refused.wait(60))
    await asyncio.sleep(0)
    refused.refuse(RefusedError())
    assert queue.waiting == 0
    with pytest.raises(RefusedError):
        await waiting
    cancelled = asyncio.create_task(queue.request("cancelled").wait(60))
    await asyncio.sleep(0)
    assert queue.waiting == 1
    cancelled.cancel()
    await asyncio.wait({cancelled})
    assert queue.waiting == 0
    # One that is held is not refused any more.
    held.refuse(RefusedError())
    await held.wait()
    held.release()
    held.release()
    assert is_at_rest(queue, 1)


async def test_a_slot_that_comes_as_its_task_is_cancelled_goes_on() -> None:
    queue = FairQueue(1)
    held = queue.request("a")
    waiting = asyncio.create_task(queue.request("b").wait())
    await asyncio.sleep(0)
    next_one = queue.request("c")
    held.release()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    await next_one.wait()
    next_one.release()
    assert is_at_rest(queue, 1)


@pytest.mark.parametrize("size", [1, 2, 5, 20])
@pytest.mark.parametrize("seed", range(5))
async def test_nothing_is_lost_among_random_cancellations(size: int, seed: int) -> None:
    chance = random.Random(seed)
    queue = FairQueue(size)
    at_once = 0

    async def use(key: int) -> None:
        nonlocal at_once
        with suppress(TimeoutError):
            async with queue.slot(key):
                at_once += 1
                try:
                    assert at_once <= size
                    for _ in range(chance.randrange(4)):
                        await asyncio.sleep(0)
                finally:
                    at_once -= 1

    tasks: set[asyncio.Task[None]] = set()
    for _ in range(3_000):
        if chance.random() < 0.5:
            tasks.add(asyncio.create_task(use(chance.randrange(6))))
        elif tasks:
            chance.choice(sorted(tasks, key=id)).cancel()
        if chance.random() < 0.7:
            await asyncio.sleep(0)
        ended = {task for task in tasks if task.done()}
        tasks -= ended
        assert not any(task.exception() for task in ended if not task.cancelled())
    await asyncio.gather(*tasks, return_exceptions=True)
    assert is_at_rest(queue, size)


class Turns(RuleBasedStateMachine):
    """Whatever is asked for, given back and called off, the slots go where they should."""

    @rule(size=st.integers(1, 9))
    @precondition(lambda self: not hasattr(self, "queue"))
    def begin(self, size: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.size = size
        self.queue = FairQueue(size)
        self.slots: list[tuple[int, Lease]] = []

    @rule(key=st.integers(0, 3), count=st.integers(1, 5))
    @precondition(lambda self: hasattr(self, "queue"))
    def request(self, key: int, count: int) -> None:
        async def request() -> None:
            self.slots += [(key, self.queue.request(key)) for _ in range(count)]

        self.loop.run_until_complete(request())

    @rule(data=st.data())
    @precondition(lambda self: getattr(self, "slots", None))
    def release(self, data: st.DataObject) -> None:
        _, slot = self.slots.pop(data.draw(st.integers(0, len(self.slots) - 1)))
        slot.release()

    @rule(data=st.data())
    @precondition(lambda self: getattr(self, "slots", None))
    def refuse(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.slots) - 1))
        _, slot = self.slots[number]
        if not holds(slot):
            self.slots.pop(number)
        slot.refuse(RefusedError())

    @invariant()
    def slots_go_where_they_should(self) -> None:
        if not hasattr(self, "queue"):
            return
        held = Counter(key for key, slot in self.slots if holds(slot))
        waiting = {key for key, slot in self.slots if not holds(slot)}
        free = self.size - held.total()
        assert 0 <= free == self.queue._free
        if free:
            # Of those that hold none, none waits; of the others only for what is kept for those.
            assert all(held[key] for key in waiting)
            assert not waiting or free <= self.size // 4
        for key in waiting:
            # Within a key, first come, first served.
            of_key = [holds(slot) for whose, slot in self.slots if whose == key]
            assert of_key == sorted(of_key, reverse=True)

    def teardown(self) -> None:
        if hasattr(self, "queue"):
            for _, slot in self.slots:
                slot.release()
            assert is_at_rest(self.queue, self.size)
            self.loop.close()


TestTurns = Turns.TestCase
