"""People: the keyboard is enough, a phone is wide enough, names and contrast are there, in light and dark."""

from selenium.webdriver.common.by import By

from browser import Keys, Logs, Page, numbered, until

CONTRAST = """
const number = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (colour) => {
  const part = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  const [red, green, blue] = colour.slice(0, 3).map((value) => part(value / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = number(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > 0.99) return colour;
  }
};
const poor = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.checkVisibility({visibilityProperty: true}) || element.matches("script, noscript")) continue;
  const [front, back] = [light(number(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => a - b);
  const ratio = (back + 0.05) / (front + 0.05);
  if (ratio < 4.5) poor.push([element.outerHTML.slice(0, 120), ratio]);
}
return poor;
"""
colours = "".join(f"\x1b[{code}mcolour {code}\x1b[0m " for code in [*range(30, 38), *range(90, 98), *range(40, 48), *range(100, 108), 7])
deep = "".join(f"\x1b[38;5;{code}m{code}\x1b[48;5;{255 - code}mon\x1b[0m " for code in range(16, 256, 11))
text = numbered(1, 300) + f"ERROR {colours}\nWARN {deep}\nDEBUG \x1b[2mfaint\x1b[0m \x1b[31mred\x1b[0m\n"
logs = Logs(text)
logs.append("other\n", "other.log")

for dark in [False, True]:
    page = Page(logs.address, dark=dark).open("app.log#q=line")
    page.shows("faint")
    page.press("n")
    assert page.js(CONTRAST) == [], page.js(CONTRAST)
    page.press("G")
    page.shows("faint")
    assert page.js(CONTRAST) == [], page.js(CONTRAST)
    page.close()

page = Page(logs.address).open("app.log")
page.shows("faint")
assert page.js("return document.documentElement.lang") == "en"
assert len(page.driver.find_elements(By.CSS_SELECTOR, "meta[name=viewport]")) == 1
assert "app.log" in page.driver.title
for control in page.driver.find_elements(By.CSS_SELECTOR, "button, input, a"):
    assert not control.is_displayed() or control.accessible_name, control.get_attribute("outerHTML")

# Tab reaches the pane and every control, also those of the open menu, and shows where it is.
page.named("button", "More").click()
reached = set()
for _ in range(60):
    page.press(Keys.TAB)
    reached.add(page.js("return document.activeElement.id"))
    ring = page.js("return getComputedStyle(document.activeElement).outlineStyle")
    assert ring != "none" or page.js("return document.activeElement === document.body"), reached
assert {"pane", "search", "follow", "logs", "find-log", "raw"} <= reached, reached

page.js("document.activeElement.blur()")
page.press("?")
until("the keys are told", lambda: page.driver.find_element(By.ID, "keys").is_displayed())
page.press(Keys.ESCAPE)
until("they are put away", lambda: not page.driver.find_element(By.ID, "keys").is_displayed())
page.press("g")
until("g leads to the first line", lambda: page.lines[0] == "line 1")
page.press("f")
until("f follows", lambda: page.is_pressed("Follow"))
page.pane.send_keys(Keys.PAGE_UP)
until("PageUp is scrolling", lambda: not page.is_pressed("Follow"))
page.pane.send_keys(Keys.END)
until("End is the end", lambda: page.is_pressed("Follow"))
page.cdp("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]})
assert page.js("return document.getAnimations().length") == 0
page.close()

page = Page(logs.address, 360, 740, mobile=True).open()
until("a log can be chosen", lambda: page.has("link", "app.log"))
page.named("link", "app.log").click()
page.shows("faint")
page.named("button", "More").click()
for name in ["Follow", "Filter", "Wrap", "Copy", "Download", "Logs"]:
    box = page.named("button", name).rect
    assert 0 <= box["x"] and box["x"] + box["width"] <= 360 and box["height"] >= 30, (name, box)
assert page.js("return document.documentElement.scrollWidth") == 360
assert page.js("return document.documentElement.scrollHeight") == 740
page.named("button", "Logs").click()
assert page.js("return document.documentElement.scrollWidth") == 360
page.close()
logs.close()
