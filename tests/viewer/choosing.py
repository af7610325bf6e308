"""Choosing: the logs are listed, newest first, found by name and refreshed; a link shows the same thing."""

import os

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, numbered, until

logs = Logs(numbered(1, 50))
logs.append("x" * 12_300, "nginx/access.log")
logs.append("<img src=x onerror=alert(1)>\n", "<b>&\u00e4 %41.log")
for age, name in [(0, "app.log"), (7_300, "nginx/access.log"), (90_000, "<b>&\u00e4 %41.log")]:
    stat = logs.path(name).stat()
    os.utime(logs.path(name), (stat.st_atime - age, stat.st_mtime - age))
page = Page(logs.address).open()


def links():
    return [link.accessible_name for link in page.driver.find_elements(By.CSS_SELECTOR, "nav a")]


until("three logs are listed", lambda: len(links()) == 3)
assert links()[0].startswith("app.log") and "now" in links()[0], links()
assert "<b>&\u00e4 %41.log" in links()[1] and "1 d" in links()[1], links()
assert all(part in links()[2] for part in ["nginx/access.log", "12.3 KB", "2 h"]), links()
assert page.driver.find_element(By.CSS_SELECTOR, "nav .folder").text == "nginx/", "a directory stands above its logs"

logs.append("new\n", "fresh.log")
until("a new log is listed by itself", lambda: len(links()) == 4)

# Arrow keys lead from the field to the logs and back, and Enter opens the first that is found.
field = page.driver.find_element(By.ID, "find-log")
field.send_keys(Keys.ARROW_DOWN, "")
assert page.js("return document.activeElement.dataset.log") == "fresh.log"
page.press(Keys.ARROW_DOWN)
assert page.js("return document.activeElement.dataset.log") == "app.log"
page.press(Keys.ARROW_UP, Keys.ARROW_UP)
assert page.js("return document.activeElement.id") == "find-log"
page.press("nginx", Keys.ENTER)
page.shows("xxx")
page.driver.back()
until("the list is there", lambda: page.driver.current_url == logs.address)
field.clear()

page.driver.find_element(By.ID, "find-log").send_keys("nginx")
until("logs are found by name", lambda: len(links()) == 1)
page.driver.find_element(By.ID, "find-log").clear()
page.driver.find_element(By.ID, "find-log").send_keys("%41")
until("a log with an odd name is found", lambda: len(links()) == 1)
page.named("link", "%41.log").click()
page.shows("<img src=x onerror=alert(1)>")
assert page.driver.current_url.startswith(logs.address + "%3Cb%3E"), page.driver.current_url
assert "%41.log" in page.driver.title

page.driver.find_element(By.ID, "find-log").clear()
page.driver.find_element(By.ID, "find-log").send_keys("app")
until("one log is found", lambda: len(links()) == 1)
page.named("link", "app.log").click()
page.shows("line 50")
assert "onerror" not in page.text, "another log's lines are cleared"
page.driver.back()
page.shows("onerror")

page.driver.forward()
page.shows("line 50")
page.search("line 4")
page.named("button", "Filter").click()
page.named("button", "Wrap").click()
until("only matches are shown", lambda: len(page.lines) == 11)
address = page.driver.current_url
page.close()

page = Page(logs.address)
page.driver.get(address)
until("a link shows the same", lambda: page.text.startswith("line 4") and len(page.lines) == 11)
assert page.is_pressed("Wrap") and page.is_pressed("Filter")

page.open("/app.log#token=x")
page.shows("line 50")
assert page.driver.current_url.endswith("//app.log"), page.driver.current_url

page.open("missing.log")
until("it is said that there is no such log", lambda: "no such log" in page.status)
logs.append("at last\n", "missing.log")
page.shows("at last")
page.close(expected=["missing.log"])
logs.close()
