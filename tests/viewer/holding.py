"""Holding: what is being read is kept, whatever comes; the page holds as much as it promises and loses nothing by that."""

import shutil
import tempfile
from pathlib import Path

from selenium.webdriver.common.by import By

from browser import Logs, Page, numbered, until

LIMIT = 1_000_000
# A page of older lines, or what is under way when the stream is held.
MORE = 40_000
# Lines are dropped up to a place that a cursor names, of which there is one in 1 MiB or a little more.
BLOCKS = 2 * 2**20 // len("line 1234567")
logs = Logs(numbered(1, 400_000))


def saved(meanwhile=lambda: None):
    """The first and the last line that the page holds; it holds all between them once, and not too many."""
    folder = tempfile.mkdtemp()
    page.cdp("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": folder})
    page.named("button", "Download").click()
    meanwhile()
    [file] = until("the lines are saved", lambda: [file for file in Path(folder).iterdir() if file.suffix == ".txt"], 60)
    lines = file.read_text().splitlines()
    shutil.rmtree(folder)
    # A stream that is held may stop in the middle of a line.
    first, last = int(lines[0].split()[1]), int(lines[-2].split()[1]) + 1
    wrong = [(want, line) for want, line in enumerate(lines[:-1], first) if line != f"line {want}"]
    assert not wrong and f"line {last}".startswith(lines[-1]), wrong[:3]
    assert last - first < LIMIT + BLOCKS, (first, last)
    return first, last


def grow(first, last, step=50_000):
    for start in range(first, last, step):
        logs.append(numbered(start, min(last, start + step - 1)))


# Paused: what is shown stays, and the stream is held once the page is full.
page = Page(logs.address).open("app.log#lines=all")
page.shows("line 400000")
page.named("button", "Follow").click()
shown = page.lines
grow(400_001, 1_600_000)
until("the stream is held", lambda: "Full" in page.status, 60)
assert page.lines == shown, page.lines[:3]
label = page.driver.find_element(By.ID, "new").accessible_name
count = int(label.split()[0])
assert label.endswith("new lines or more") and 600_000 <= count <= 600_000 + MORE, label
assert saved() == (1, 400_000)

# The end is followed again behind the last line that came.
page.press("G")
page.shows("line 1600000", 60)
until("it is live", lambda: "Live" in page.status)
first, last = saved()
assert last == 1_600_000 and last - first > LIMIT - 100, (first, last)

# Scrolled up while lines come: the same.
page.scroll_to(page.scroll // 2)
until("it does not follow", lambda: not page.is_pressed("Follow"))
page.drawn()
shown = page.lines
grow(1_600_001, 1_700_000)
until("the stream is held", lambda: "Full" in page.status, 60)
page.drawn()
assert page.lines == shown, (page.lines[0], shown[0])
assert saved()[0] == first

# Loading older lines keeps the limit: the newest ones are given up, and read again later.
for count in range(20):
    top = page.lines[0]
    page.press("g")
    until("older lines came", lambda: page.lines[0] != top)
    page.js("return new Promise((resolve) => setTimeout(resolve, 200))")
first_then, last = saved()
assert first_then < first - 30_000 and last < 1_600_000, (first_then, first, last)
page.press("G")
page.shows("line 1700000", 60)
until("it is live", lambda: "Live" in page.status)
first, last = saved()
assert last == 1_700_000 and last - first > LIMIT - 100, (first, last)

# What is saved has no hole, however much comes meanwhile.
# The page takes longer breaths while it saves.
page.js("const real = setTimeout; window.setTimeout = (act, delay) => real(act, delay ?? 100)")
first, last = saved(lambda: grow(1_700_001, 2_000_000))
assert last == 1_700_000, (first, last)
page.shows("line 2000000", 60)
until("it is live", lambda: "Live" in page.status)
page.close()
logs.close()
