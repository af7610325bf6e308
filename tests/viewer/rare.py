"""Finding all of it: what is held is searched at once and the rest by the server, which sends only what matches; hits come as
they are found, open in their context, and Back leads to where one was."""

import urllib.request

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, until

LINE = 100
HITS = [1000, *range(200_000, 200_040), 399_500]
logs = Logs("".join(f"line {number} {'Needle' if number in HITS else 'hay'}".ljust(LINE - 1) + "\n" for number in range(1, 400_001)))
logs.path().rename(logs.path("app.log.1"))
logs.append("".join(f"line {number} {'Needle' if number in HITS else 'hay'}".ljust(LINE - 1) + "\n" for number in range(400_001, 700_001)))
HITS.append(699_500)
logs.append("line 700001 Needle\n")
page = Page(logs.address).open("app.log#q=needle&filter=1")
page.shows("line 700001")
until("it is live", lambda: "Live" in page.status)


def sent():
    """How many lines the server has sent."""
    metrics = urllib.request.urlopen(f"{logs.address}-/metrics", timeout=20).read().decode()
    [value] = [line.split()[1] for line in metrics.splitlines() if line.startswith("wstail_sent_bytes_total ")]
    return float(value) / LINE


def scope():
    return page.js("return document.querySelector('.scope .said').textContent")


# A filter with few matches loads nothing that it does not show.
assert "1 in the 1,000 lines held" in scope(), scope()
page.press("g")
page.js("return new Promise((resolve) => setTimeout(resolve, 1000))")
assert sent() < 1_100, sent()
assert page.lines == ["line 700001 Needle"], page.lines

# It can be stopped.
search = page.named("button", "Search all 30 MB")
search.click()
until("how far it is, is shown", lambda: page.js("return document.querySelector('.bar').checkVisibility()"))
page.named("button", "Stop").click()
until("it stops", lambda: page.has("button", "Search all") or page.has("button", "Go on"))
(page.has("button", "Search all") or page.named("button", "Go on")).click()
until("the newest hits come first", lambda: "line 399500 Needle" in page.text, 60)
until("all is searched", lambda: "all is searched" in scope(), 60)
assert "1 in the 1,000 lines held, 42 older" in scope(), scope()
assert sent() < 1_300, sent()
page.press("g")
until("the first one is shown", lambda: page.lines[0].startswith("line 1000 Needle"))
assert page.driver.find_element(By.ID, "count").text == "43"

# A hit opens in its context, and Back leads to where one was.
row = next(row for row in page.driver.find_elements(By.CSS_SELECTOR, ".row") if "line 200007 " in row.text)
row.find_element(By.CSS_SELECTOR, ".gutter").click()
page.named("button", "Show in context").click()
until("the lines around it are shown", lambda: "line 200008 " in page.text and "line 200042 hay" in page.text)
assert "line 200007 Needle" in page.js("return document.querySelector('.row.current').textContent")
page.scroll_to(0)
until("those before it, too", lambda: "line 199990 hay" in page.text or page.scroll > 0)
assert "at=" in page.driver.current_url and "filter" not in page.driver.current_url
page.driver.back()
until("the filter is there again", lambda: "line 700001" in page.text and "hay" not in page.text)

# Nothing found is said, with what can be done.
page.search("nowhere")
until("it is said", lambda: "Nothing matches in the 1,000 lines held." in page.js("return document.querySelector('.empty').innerText"))
page.named("button", "Search all").click()
until("also of all", lambda: "Nothing matches in the whole log." in page.js("return document.querySelector('.empty').innerText"), 60)
page.named("button", "Clear").click()
page.shows("hay")

# Without a filter the next match is looked for on the server, too, and opened where it is.
page.search("needle")
until("it is counted", lambda: page.driver.find_element(By.ID, "count").text == "1")
page.pane.click()
page.press("N")
until("the one that is held", lambda: "700001" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"))
page.press("N")
until("the one before", lambda: "399500" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"), 60)
page.press("n")
until("and the next again", lambda: "700001" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"), 60)
# What is stopped while it connects is complained of by the browser.
page.close(expected=["closed before"])
logs.close()
