"""Rare matches: a filter that shows few lines of a large log loads some pages of it, then asks; it can be stopped."""

import re
import urllib.request

from selenium.webdriver.common.by import By

from browser import Logs, Page, until

LINE = 100
logs = Logs("".join(f"line {number} {'needle' if number in (1000, 399_500) else 'hay'}".ljust(LINE - 1) + "\n" for number in range(1, 400_001)))
page = Page(logs.address).open("app.log#q=needle&filter=1")
page.shows("line 399500")
until("it is live", lambda: "Live" in page.status)


def sent():
    """How many lines the server has sent."""
    metrics = urllib.request.urlopen(f"{logs.address}-/metrics", timeout=20).read().decode()
    [value] = [line.split()[1] for line in metrics.splitlines() if line.startswith("wstail_sent_bytes_total ")]
    return float(value) / LINE


def offer():
    return page.js("return document.getElementById('top').hidden") is False and page.has("button", "Search older lines")


page.press("g")
button = until("it rests", offer)
assert "21000 lines are searched" in page.driver.find_element(By.ID, "note").text
assert 21_000 <= sent() < 22_000, sent()
page.js("return new Promise((resolve) => setTimeout(resolve, 1000))")
assert offer() and sent() < 22_000, "it goes on by itself"

button.click()
until("it can be stopped", lambda: page.has("button", "Stop")).click()
until("it rests", offer)
searched = int(re.match(r"\d+", page.driver.find_element(By.ID, "note").text)[0])
assert 21_000 < searched < 221_000 and sent() < searched + 3_000, (searched, sent())

for _ in range(2):
    until("it rests", offer).click()
    until("it goes on", lambda: not offer())
until("the first match is found", lambda: page.lines[0].startswith("line 1000 needle"), 60)
until("the beginning is reached", lambda: sent() >= 400_000)
assert len(page.lines) == 2 and not offer()
page.close()
logs.close()
