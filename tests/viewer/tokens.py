"""Tokens: asked for, kept for the tab, handed over, asked for again after a wrong one; accepted in the fragment."""

import tempfile

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, numbered, until

TOKEN = "s3cret/+token~"
file = tempfile.NamedTemporaryFile("w", encoding="utf-8")
file.write(TOKEN + "\n")
file.flush()
logs = Logs(numbered(1, 50), ["--token-file", file.name, "--base-path=/deep/er"])
# The stream's refusals are held back until a token was entered that is right.
late = """
const own = fetch;
const released = new Promise((resolve) => (window.release = resolve));
window.fetch = async (address, options) => {
  const answer = await own(address, options);
  if (options.method === "HEAD" && answer.status === 401) await released;
  return answer;
};
"""
complaints = ["401", "WebSocket connection"]


def asked(page):
    field = page.driver.find_element(By.CSS_SELECTOR, "input[type=password]")
    return field if field.is_displayed() else None


page = Page(logs.address + "deep/er/")
page.cdp("Page.addScriptToEvaluateOnNewDocument", {"source": late})
page.open("app.log")
field = until("the token is asked for", lambda: asked(page))
assert field.accessible_name == "Token"
field.send_keys("wrong", Keys.ENTER)
until("it is said that it was wrong", lambda: "not accepted" in page.driver.find_element(By.ID, "ask").text)
asked(page).send_keys("sécret✓", Keys.ENTER)
until("it is said that this cannot be one", lambda: "ASCII" in page.driver.find_element(By.ID, "ask").text)
asked(page).clear()
asked(page).send_keys(TOKEN, Keys.ENTER)
until("the logs are listed", lambda: page.has("link", "app.log"))
page.js("release()")
page.shows("line 50")
logs.append("live\n")
page.shows("live")
page.driver.refresh()
page.shows("live")
assert TOKEN not in page.driver.current_url and TOKEN not in page.driver.page_source
assert page.js("return localStorage.length + document.cookie.length") == 0
page.scroll_to(0)
page.named("button", "Download")
page.close(expected=complaints)

for spelling in ["s3cret%2F%2Btoken~", TOKEN]:
    page = Page(logs.address + "deep/er/").open(f"app.log#wrap=1&token={spelling}")
    page.shows("live")
    assert page.driver.current_url.endswith("app.log#wrap=1"), page.driver.current_url
    page.close(expected=complaints)
logs.close()
