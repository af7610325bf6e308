"""Times: the status line has that of the top line, a time can be gone to, and a log without times is said to have none.
The incident: the first error after 10:15 in a large log, and a link to it, in at most 6 actions and 5 s."""

import os
import time

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, numbered, until

SIZE = int(os.environ.get("WSTAIL_VIEWER_MB", "60")) * 1_000_000
day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
filler = "x" * 200
seconds = range(9 * 3600, 12 * 3600)
per_second = SIZE // len(seconds) // 260
logs = Logs("", ["--zone=UTC"])
with open(logs.path(), "w") as file:
    for second in seconds:
        clock = f"{day} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        file.write("".join(f"{clock}.{part:03} INFO request took {part}ms {filler}\n" for part in range(per_second)))
        if clock.endswith(("10:14:59", "10:17:30", "11:00:00")):
            file.write(f"{clock}.999 ERROR broken at {clock}\n")
page = Page(logs.address).open("app.log")
page.shows(f"{day} 11:59:59")
permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": logs.address}
page.cdp("Browser.grantPermissions", permissions)
assert f"{day} 11:59:59" in page.driver.find_element(By.ID, "place").text

# Actions: t, the time, Enter; e; y.
began = time.monotonic()
page.press("t")
page.press(f"{day} 10:15", Keys.ENTER)
until("the time is shown", lambda: page.lines[0].startswith(f"{day} 10:15:00.000"))
took = time.monotonic() - began
page.press("e")
until("the first error after it is shown", lambda: f"broken at {day} 10:17:30" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"), 30)
page.press("y")
link = until("a link is copied", lambda: "at=" in page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])") and page.driver.current_url)
all_took = time.monotonic() - began
print(f"{SIZE / 1e6:.0f} MB: the time {took:.2f} s, the error and its link {all_took:.2f} s")
assert all_took < 5, all_took
page.close()
page = Page(logs.address)
page.driver.get(link)
until("a colleague sees it", lambda: f"broken at {day} 10:17:30" in page.js("return document.querySelector('.row.current')?.textContent ?? ''"))

# Back leads to the end, what is no time is said to be none, and so is a log without times.
field = page.driver.find_element(By.ID, "time")
field.send_keys("soon", Keys.ENTER)
until("it is said", lambda: "This is not a time" in page.driver.find_element(By.ID, "top").text)
logs.append(numbered(1, 2000), "plain.log")
page.open("plain.log")
page.shows("line 2000")
page.driver.find_element(By.ID, "time").send_keys("10:15", Keys.ENTER)
until("it is said", lambda: "No times are recognised in this log" in page.driver.find_element(By.ID, "top").text)
page.shows("line 2000")
page.close(expected=["WebSocket"])
logs.close()
