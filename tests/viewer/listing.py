"""The list of many logs: it arrives over a slow link, an unchanged one is not sent again, and nobody's is not asked for."""

from selenium.webdriver.common.by import By

from browser import Logs, Page, until

logs = Logs("one\n")
FILES = 12_000
for number in range(FILES):
    logs.path(f"many-logs-of-a-service-with-a-long-name-{number:05}.log").touch()
RATE = 75_000


def note():
    return page.driver.find_element(By.ID, "list-note").text


def asked():
    return page.js("return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/-/files')).map((entry) => entry.responseStatus)")


page = Page(logs.address)
page.cdp("Network.enable")
slow = {"offline": False, "latency": 100, "downloadThroughput": RATE, "uploadThroughput": RATE}
page.cdp("Network.emulateNetworkConditions", slow)
page.open()
until("the list is under way", lambda: note() == "Loading the list…")
until("the list arrives", lambda: note().startswith(f"{FILES - 199} more"), 60)
page.cdp("Network.emulateNetworkConditions", {**slow, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
page.open()
until("the list arrives", lambda: note().startswith(f"{FILES - 199} more"), 60)
until("it is asked for again, and not sent", lambda: 304 in asked(), 60)
assert note().startswith(f"{FILES - 199} more"), note()
logs.append("two\n", "new.log")
until("a change is seen", lambda: page.has("link", "new.log"), 60)
page.close()

# While the list is folded, or a log is read on a phone, it is not asked for.
page = Page(logs.address, 360, 740, mobile=True).open("app.log")
page.shows("one")
page.js("return new Promise((resolve) => setTimeout(resolve, 1000))")
assert asked() == [], asked()
page.named("button", "Logs").click()
until("it is asked for once it is looked at", lambda: page.has("link", "new.log"))
page.named("button", "Logs").click()
count = len(asked())
page.driver.set_script_timeout(30)
page.js("return new Promise((resolve) => setTimeout(resolve, 7000))")
assert len(asked()) == count, asked()
page.close()
logs.close()
