"""What is measured inside of the browser."""

from dataclasses import dataclass
from statistics import quantiles

from playwright.async_api import CDPSession, Page

from benchmarks.dashboard_tasks import Tasks, tasks_of
from tests.e2e.dashboard.visits import settled

FIRST_PAINT = """() => new Promise(resolve => {
  const take = list => {
    const found = list.find(entry => entry.name === 'first-contentful-paint');
    if (found) resolve(found.startTime);
  };
  take(performance.getEntriesByType('paint'));
  new PerformanceObserver(list => take(list.getEntries())).observe({type: 'paint', buffered: true});
})"""
# From the click on the link until the first row is painted.
ROWS = """() => new Promise(resolve => {
  const started = performance.now();
  document.querySelector('nav a[href$="/jobs"]').click();
  const look = () => document.querySelector('tr[data-id]')
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)))
    : requestAnimationFrame(look);
  look();
})"""
SCROLL = """seconds => new Promise(resolve => {
  const frames = [];
  const started = performance.now();
  let last = started;
  const step = now => {
    frames.push(now - last);
    last = now;
    window.scrollBy(0, Math.sin((now - started) / 700) > -0.2 ? 160 : -160);
    if (now - started < seconds * 1000) requestAnimationFrame(step);
    else resolve(frames.slice(2));
  };
  requestAnimationFrame(step);
})"""
WATCH = """selector => {
  window.joblensPaints = [];
  const known = new Set([...document.querySelectorAll(selector)].map(t => t.dateTime));
  new MutationObserver(() => {
    const now = Date.now();
    for (const {dateTime} of document.querySelectorAll(selector)) {
      if (known.has(dateTime)) continue;
      known.add(dateTime);
      joblensPaints.push(now - Date.parse(dateTime));
    }
  }).observe(document.querySelector('main'), {childList: true, subtree: true, attributes: true});
}"""
# When the first row of a payload is painted.
TREE = """window.joblensTree = new Promise(resolve => {
  const look = () => document.querySelector('[role=treeitem]')
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
    : requestAnimationFrame(look);
  look();
})"""
# From the last byte of the largest answer.
SHOWN = """async () => {
  const shown = await joblensTree;
  const all = performance.getEntriesByType('resource').filter(({name}) => /graphql$/.test(name));
  return shown - all.reduce((a, b) => a.decodedBodySize > b.decodedBodySize ? a : b).responseEnd;
}"""
# From the change of the text until what was found is painted.
FIND = """text => new Promise(resolve => {
  const input = document.querySelector('.json-find input');
  const started = performance.now();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, text);
  input.dispatchEvent(new Event('input', {bubbles: true}));
  const look = () => document.querySelector('.json-find [role=status]')?.textContent
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)))
    : requestAnimationFrame(look);
  look();
})"""
SCROLL_SECONDS = 10


class Painted(float):
    """The time of a first contentful paint, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of a scroll, in milliseconds; the rows that were loaded and in the document."""

    loaded: int
    in_document: int
    p95: float
    longest: float
    tasks: Tasks
    heap: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page did while events came: times in milliseconds, `busy` of the time."""

    tasks: Tasks
    busy: float
    paint_p95: float


async def measure_paint(page: Page, base: str) -> float:
    """Open the overview, and let it end what it began: the next one is measured alone."""
    await page.goto(base)
    first_paint = float(await page.evaluate(FIRST_PAINT))
    await settled(page)
    return first_paint


async def measure_rows(page: Page, base: str) -> float:
    """Go from the overview to the list, and wait for its rows."""
    await page.goto(base)
    await settled(page)
    return float(await page.evaluate(ROWS))


async def measure_scroll(page: Page, base: str, rows: int) -> Frames:
    """Load so many rows of the list, and scroll through them."""
    await page.goto(f"{base}jobs")
    await page.locator("tr[data-id]").first.wait_for()
    loaded = 0
    while loaded < rows:
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        await page.wait_for_timeout(30)
        last = page.locator("tr[data-id]").last
        loaded = int(await last.get_attribute("aria-rowindex") or 0) - 1
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 3)")
    await page.wait_for_timeout(500)
    async with tasks_of(page) as tasks:
        frames = [float(each) for each in await page.evaluate(SCROLL, SCROLL_SECONDS)]
    in_document = await page.locator("tr[data-id]").count()
    p95 = quantiles(frames, n=20)[-1]
    return Frames(loaded, in_document, p95, max(frames), tasks, await heap_bytes(page))


async def measure_payload(page: Page, url: str, text: str) -> tuple[float, float]:
    """Open a job: from its answer to the tree of its payload, and from a text to what is found."""
    await page.goto(url)
    shown = float(await page.evaluate(SHOWN))
    await settled(page)
    return shown, float(await page.evaluate(FIND, text))


async def measure_events(page: Page, times: str, seconds: int) -> Seen:
    """Watch the page while events come, whose times are in the elements of this selector."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await page.evaluate(WATCH, times)
    async with tasks_of(page) as tasks:
        before = await _task_seconds(session)
        await page.wait_for_timeout(seconds * 1_000)
        busy = (await _task_seconds(session) - before) / seconds
    paints = await page.evaluate("joblensPaints")
    return Seen(tasks, busy, quantiles(paints, n=20)[-1])


async def _task_seconds(session: CDPSession) -> float:
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")


async def heap_bytes(page: Page) -> int:
    """Count the bytes of the page's JavaScript that are in use, after a collection."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    return int((await session.send("Runtime.getHeapUsage"))["usedSize"])
