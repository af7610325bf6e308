"""Scale: few nodes, a small heap and quick clicks under 200,000 lines; older lines come as one scrolls up."""

import statistics
import threading
import time

from browser import Keys, Logs, Page, numbered, until

LINES = 200_000
logs = Logs(numbered(1, 10_000))
page = Page(logs.address).open("app.log#lines=100")
page.shows("line 10000")

# Older lines, as far back as the file goes; the view holds still.
page.pane.send_keys(Keys.HOME)
until("older lines were loaded", lambda: page.js("return document.querySelector('[role=log]').scrollHeight") > 2000 * 18)
assert "line 9901" in page.lines[:3], page.lines[:3]
for _ in range(8):
    if "line 1" in page.lines:
        break
    height = page.js("return document.querySelector('[role=log]').scrollHeight")
    page.pane.send_keys(Keys.HOME)
    until(
        "more were loaded, or the first is there",
        lambda: page.js("return document.querySelector('[role=log]').scrollHeight") > height or "line 1" in page.lines,
    )
until("the file's first line is reached", lambda: (page.pane.send_keys(Keys.HOME), page.lines[0] == "line 1")[1])
assert page.js("return document.querySelector('[role=log]').scrollHeight") == 10_000 * 18
page.press("G")
page.shows("line 10000")

# 50,000 lines a second.
page.js(
    """
    window.late = [];
    document.getElementById("name").addEventListener("click", () => {
      const clicked = performance.now();
      requestAnimationFrame(() => setTimeout(() => window.late.push(performance.now() - clicked)));
    });
    """
)
text = [("".join(f"{number} {'x' * 100}\n" for number in range(start, start + 2_500))) for start in range(0, LINES, 2_500)]


def pump():
    began = time.monotonic()
    for index, part in enumerate(text):
        logs.append(part)
        time.sleep(max(0, began + (index + 1) / 20 - time.monotonic()))


writer = threading.Thread(target=pump)
writer.start()
nodes = []
while writer.is_alive():
    page.js("document.getElementById('name').click()")
    nodes.append(page.js("return document.querySelectorAll('*').length"))
    time.sleep(0.05)
writer.join()
page.shows(f"{LINES - 1} x")
late = page.js("return window.late")
page.cdp("HeapProfiler.collectGarbage")
page.cdp("Performance.enable")
heap = next(metric["value"] for metric in page.cdp("Performance.getMetrics")["metrics"] if metric["name"] == "JSHeapUsedSize")
print(f"nodes {max(nodes)}, click to paint {statistics.median(late):.0f} ms, heap {heap / 1e6:.1f} MB")
assert len(late) >= 5 and statistics.median(late) < 100, late
assert max(nodes) < 5_000 and heap < 200e6

# The scroll bar leads everywhere.
assert page.js("return document.querySelector('[role=log]').scrollHeight") == 210_000 * 18
page.scroll_to(105_000 * 18)
until("the middle is shown", lambda: page.lines[0].startswith("95000 "))
page.close()

# Of more than a million lines the oldest are dropped, which is said, and come again when they are wished for.
logs.append(numbered(1, 1_000_000), "many.log")
page = Page(logs.address).open("many.log#lines=1000000")
page.shows("line 1000000")
logs.append(numbered(1_000_001, 1_300_000), "many.log")
page.shows("line 1300000")
dropped = page.js("return document.getElementById('held').textContent")
assert 100_000 < int(dropped.split()[0]) <= 300_000, dropped
page.press("g")
until("older lines came", lambda: page.js("return document.getElementById('held').textContent") != dropped)
page.close()
logs.close()
