"""Beside: a second log is shown beside the first, with its name; keys and bars are about the one that was touched; the link
has both."""

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, numbered, until

logs = Logs(numbered(1, 3000))
logs.append("".join(f"other {number}\n" for number in range(1, 2001)), "nginx/other.log")
page = Page(logs.address).open("app.log")
page.shows("line 3000")
page.named("button", "Beside").click()
page.driver.find_element(By.ID, "find-log").send_keys("other", Keys.ENTER)


def panes():
    return page.driver.find_elements(By.CSS_SELECTOR, "[role=log]")


def lines(index):
    return page.js("return document.querySelectorAll('[role=log]')[arguments[0]].innerText", index).split("\n")


until("both are shown", lambda: len(panes()) == 2 and lines(1)[-1] == "other 2000" and lines(0)[-1] == "line 3000")
assert [pane.accessible_name for pane in panes()] == ["Log app.log", "Log nginx/other.log"]
titles = [title.text for title in page.driver.find_elements(By.CSS_SELECTOR, ".title")]
assert titles == ["app.log", "nginx/other.log"], titles
assert page.js("return document.documentElement.scrollWidth") == 1200
boxes = [pane.rect for pane in panes()]
assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] and min(box["width"] for box in boxes) > 300, boxes

# What comes arrives in each.
logs.append("line new\n")
logs.append("other new\n", "nginx/other.log")
until("each follows", lambda: lines(0)[-1] == "line new" and lines(1)[-1] == "other new")

# Keys are about the pane that was touched.
panes()[1].click()
page.press("g")
until("the second one is at its first line", lambda: lines(1)[0] == "other 1001")
assert lines(0)[-1] == "line new"
until("the bar says so", lambda: not page.js("return document.getElementById('follow').ariaPressed === 'true'"))
panes()[0].click()
until("the first one still follows", lambda: page.js("return document.getElementById('follow').ariaPressed === 'true'"))

# A search is about both.
page.search("new")
until("it is marked in both", lambda: (panes()[1].click(), page.press("G"), page.js("return [...document.querySelectorAll('[role=log]')].map((pane) => pane.querySelectorAll('mark').length)"))[2] == [1, 1])

address = page.driver.current_url
assert "beside=nginx%2Fother.log" in address, address
page.close()
page = Page(logs.address)
page.driver.get(address)
until("a link shows both", lambda: len(panes()) == 2 and "other new" in lines(1) and "line new" in lines(0))
page.named("button", "Beside").click()
until("one is left", lambda: len(panes()) == 1)
assert lines(0)[-1] == "line new" and "beside" not in page.driver.current_url
page.close()
logs.close()
