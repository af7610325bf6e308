"""Keys: from the start the keyboard scrolls the log, as far as each key should, also while lines arrive."""

import threading

from browser import Keys, Logs, Page, numbered, until

logs = Logs(numbered(1, 1000))
page = Page(logs.address).open("app.log")
page.shows("line 1000")
assert page.js("return document.activeElement.id") == "pane"

stop = threading.Event()


def write():
    number = 1000
    while not stop.wait(0.02):
        number += 1
        logs.append(f"line {number}\n")


def rested():
    """Waits until nothing has scrolled for 20 frames, and returns the number of the first line on screen."""
    page.driver.execute_async_script(
        """
        const done = arguments[0];
        const pane = document.querySelector("[role=log]");
        let [last, still] = [-1, 0];
        requestAnimationFrame(function look() {
          still = pane.scrollTop === last ? still + 1 : 0;
          last = pane.scrollTop;
          if (still > 20) done();
          else requestAnimationFrame(look);
        });
        """
    )
    return int(page.lines[0].split()[1])


writer = threading.Thread(target=write)
writer.start()
try:
    screen = page.js("return document.querySelector('[role=log]').clientHeight") / 18
    page.press(Keys.PAGE_UP)
    until("PageUp holds", lambda: not page.is_pressed("Follow"))
    before = rested()
    for key, sign in [(Keys.PAGE_UP, -1), (Keys.PAGE_UP, -1), (Keys.PAGE_DOWN, 1), (Keys.PAGE_UP, -1)]:
        page.press(key)
        page.drawn()
        after = rested()
        assert 0.8 * screen <= sign * (after - before) <= screen, (key, before, after, screen)
        before = after
    page.press(Keys.HOME)
    until("Home leads to the first line", lambda: page.lines[0] == "line 1")
    assert rested() == 1
    page.press(Keys.END)
    until("End follows", lambda: page.is_pressed("Follow"))
finally:
    stop.set()
    writer.join()
last = logs.path().read_text().splitlines()[-1]
until("the last line is shown", lambda: page.lines[-1] == last)
assert page.is_pressed("Follow")
page.close()
logs.close()
