"""Linking: a line has a link that survives a rotation; lines are selected by the gutter; a place is there after a reload."""

from selenium import webdriver
from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, numbered, until

logs = Logs(numbered(1, 20_000), ["--rotate-wait=0.5"])
page = Page(logs.address).open("app.log")
permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": logs.address}
page.cdp("Browser.grantPermissions", permissions)
page.shows("line 20000")
assert "#" not in page.driver.current_url, "whoever follows is at no place"


def clipboard():
    return page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])")


def gutter(line):
    [row] = [row for row in page.driver.find_elements(By.CSS_SELECTOR, ".row") if row.text.strip() == f"line {line}"]
    return row.find_element(By.CSS_SELECTOR, ".gutter")


def picked():
    return page.js("return [...document.querySelectorAll('.row.picked')].map((row) => row.textContent)")


# By the gutter: a click, Shift and a click, keys; copied as plain text.
page.scroll_to(500 * 18)
until("it is scrolled", lambda: page.lines[0] == "line 19501")
gutter(19_510).click()
until("a line is selected", lambda: picked() == ["line 19510"])
webdriver.ActionChains(page.driver).key_down(Keys.SHIFT).click(gutter(19_514)).key_up(Keys.SHIFT).perform()
until("five are", lambda: picked() == numbered(19_510, 19_514).split("\n")[:-1])
page.pane.send_keys(Keys.SHIFT, Keys.ARROW_DOWN)
until("six are", lambda: len(picked()) == 6)
page.pane.send_keys(Keys.CONTROL, "c")
until("they are copied", lambda: clipboard() == numbered(19_510, 19_515))
assert "6 selected" in page.driver.find_element(By.ID, "place").text
page.named("button", "Copy link").click()
link = until("a link is copied", lambda: "#at=" in clipboard() and clipboard())
assert link.endswith("&n=6"), link
page.pane.send_keys(Keys.ESCAPE)
until("none is", lambda: picked() == [])

# What is read stands in the address, for a reload.
page.scroll_to(700 * 18)
until("the place is written", lambda: page.lines[0] == "line 19701" and "at=" in page.driver.current_url and "n=" not in page.driver.current_url)
before = page.driver.current_url
page.scroll_to(720 * 18)
until("another place", lambda: page.driver.current_url != before)
page.driver.refresh()
until("it is there again", lambda: page.lines[0] == "line 19721", 20)
page.press("G")
page.shows("line 20000")
until("whoever follows is at no place", lambda: "at=" not in page.driver.current_url)
page.close()

# A rotation later the link leads to the same lines, and from there on to what was written since.
logs.path().rename(logs.path("app.log.1"))
logs.append(numbered(20_001, 20_100))
page = Page(logs.address)
page.driver.get(link)
page.shows("line 19510")
until("the lines are selected", lambda: picked() == numbered(19_510, 19_515).split("\n")[:-1])
page.scroll_to(10_000_000)
until("it reads on", lambda: "line 20100" in page.text)
assert page.js("return document.querySelector('[role=log]').scrollHeight") > 580 * 18
page.press("g")
until("older lines come", lambda: (page.press("g"), "line 17600" in page.text or page.scroll == 0)[1])
assert page.driver.find_element(By.ID, "follow").get_attribute("aria-pressed") == "false"

# A link with a search opens at the match.
page.open("app.log#q=line%2020050")
page.shows("line 20100")
page.press("n")
until("a match is shown", lambda: "line 20050" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"))
address = until("it stands in the address", lambda: "at=" in page.driver.current_url and page.driver.current_url)
page.close()
page = Page(logs.address)
page.driver.get(address)
until("it opens at the match", lambda: "line 20050" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"))
assert page.js("return document.querySelector('.row.current mark')?.textContent") == "line 20050"

# A place that is gone is said to be.
page.open("app.log#at=" + "A" * 40)
until("it is said", lambda: "could not be shown" in page.driver.find_element(By.ID, "top").text)
page.shows("line 20100")
page.close(expected=["WebSocket"])
logs.close()
