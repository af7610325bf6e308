"""States: what the page says of lines, logs, numbers, times and the connection is so, also before it knows and at the edges."""

import os
import re
import signal
import tempfile

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, numbered, until

logs = Logs(numbered(1, 2500))
page = Page(logs.address).open("app.log")
page.shows("line 2500")

# Of what came, nothing is dropped because older lines were loaded.
dropped = page.driver.execute_async_script(
    """
    const done = arguments[0];
    import(document.querySelector("script[type=module]").src.replace("shell/main.js", "log/store.js")).then(({ Store }) => {
      const bytes = (count) => new TextEncoder().encode("x\\n".repeat(count));
      const store = new Store();
      store.cover("c");
      store.append(bytes(1000));
      store.prepend(bytes(999_999), "b");
      store.append(bytes(315_000));
      store.cover("d");
      store.append(bytes(900_000));
      const said = [store.first, store.dropped];
      store.append(bytes(300_000));
      done([...said, store.first > 200_000, store.dropped === store.first]);
    });
    """
)
assert dropped == [0, 0, True, True], dropped

# Following and paused exclude each other.
until("it is live", lambda: "Live" in page.status)
assert page.is_pressed("Follow")
page.press(" ")
assert not page.is_pressed("Follow")
assert page.has("button", "To the end") and not page.has("button", "new line")
page.named("button", "Follow").click()
assert page.is_pressed("Follow")

# Times are those of lines that came since, numbers those of lines that are counted.
page.named("button", "Times").click()
page.named("button", "Numbers").click()
logs.append("came since\n")
page.shows("came since")
assert re.fullmatch(r" *1001 \d\d:\d\d:\d\d came since", page.lines[-1]), page.lines[-1]
assert re.fullmatch(r" *1000 +line 2500", page.lines[-2]), page.lines[-2]
page.press("g")
until("older lines came", lambda: page.js("return document.querySelector('[role=log]').scrollHeight") > 2000 * 18)
page.scroll_to(20 * 18)
until("the first lines are shown", lambda: any(line.endswith(" line 30") for line in page.lines))
until("the beginning is known, and so are the numbers", lambda: any(re.fullmatch(r" *30 +line 30", line) for line in page.lines))
page.press("G")
page.shows("came since")
assert re.fullmatch(r" *2501 \d\d:\d\d:\d\d came since", page.lines[-1]), page.lines[-1]
logs.path().rename(logs.path("app.log.1"))
logs.append("first\n")
page.shows("first")
page.drawn()
assert re.fullmatch(r" *1 \d\d:\d\d:\d\d first", page.lines[-1]), page.lines[-2:]
page.named("button", "Follow").click()
logs.path().rename(logs.path("app.log.2"))
logs.append("first again\nsecond\n")
until("a mark is no new line", lambda: page.has("button", "2 new lines"))
page.close()

# Older lines have no numbers below one.
logs.append(numbered(1, 4000), "long.log")
page = Page(logs.address).open("long.log#numbers=1&lines=50")
page.shows("line 4000")
page.press("g")
until("older lines came", lambda: page.js("return document.querySelector('[role=log]').scrollHeight") > 2000 * 18)
page.scroll_to(page.js("return document.querySelector('[role=log]').scrollHeight") - 70 * 18)
until("older lines are shown", lambda: any(line.strip() == "line 3945" for line in page.lines))
assert any(re.fullmatch(r" *1 line 3951", line) for line in page.lines), page.lines

# All is all, and what cannot be is said.
page.open("long.log#lines=all")
page.shows("line 4000")
until("all lines came", lambda: page.js("return document.querySelector('[role=log]').scrollHeight") == 4000 * 18)
for lines, remark in [("many", "lines=many is not a number"), ("5000000", "At most 1,000,000 lines")]:
    page.open(f"long.log#lines={lines}")
    until("it is said", lambda: remark in page.driver.find_element(By.ID, "top").text)
page.shows("line 4000")

# A server that has gone silent is not said to be live until it is taken for dead, and is when it goes on.
quiet = Logs("one\n", ["--heartbeat=60"])
page.close()
page = Page(quiet.address).open("app.log")
page.shows("one")
until("it is live", lambda: "Live" in page.status)
asked = "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('healthz')).length"
until("silence makes the page ask whether the server is there", lambda: page.js(asked) > 1)
assert "Live" in page.status, page.status
os.kill(quiet.server.pid, signal.SIGSTOP)
until("it is not said to be live", lambda: "does not answer" in page.status, 10)
os.kill(quiet.server.pid, signal.SIGCONT)
until("it is live", lambda: "Live" in page.status)

# The browser says that the network is gone: a near server is asked, and only its silence counts.
page.js("dispatchEvent(new Event('offline'))")
until("it is live, after all", lambda: "Live" in page.status)
os.kill(quiet.server.pid, signal.SIGSTOP)
page.js("dispatchEvent(new Event('offline'))")
until("it is not said to be live", lambda: "does not answer" in page.status, 5)
os.kill(quiet.server.pid, signal.SIGCONT)
quiet.append("two\n")
page.shows("two")
until("it is live", lambda: "Live" in page.status)
page.close()
quiet.close()

# That there are no logs is said of a list that came.
file = tempfile.NamedTemporaryFile("w", encoding="utf-8")
file.write("token\n")
file.flush()
guarded = Logs("one\n", ["--token-file", file.name])
page = Page(guarded.address)
page.cdp(
    "Page.addScriptToEvaluateOnNewDocument",
    {
        "source": """
    window.said = [];
    new MutationObserver(() => said.push(document.getElementById("list-note")?.textContent))
      .observe(document, { subtree: true, childList: true, characterData: true });
    """
    },
)
page.open()
until("the token is asked for", lambda: page.driver.find_element(By.ID, "token").is_displayed())
page.press("token", Keys.ENTER)
until("the log is listed", lambda: page.has("link", "app.log"))
said = set(page.js("return said"))
assert not any(text and "no logs" in text for text in said), said
guarded.path().unlink()
page.driver.refresh()
until("there are none", lambda: page.driver.find_element(By.ID, "list-note").text == "There are no logs yet.")
page.close(expected=["401"])
logs.close()
guarded.close()
