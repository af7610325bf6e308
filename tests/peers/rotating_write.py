"""The standard library's RotatingFileHandler at work. Arguments: the log, the number of lines."""

import logging
import sys
from logging.handlers import RotatingFileHandler

handler = RotatingFileHandler(sys.argv[1], maxBytes=8000, backupCount=100, encoding="utf-8")
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
logger = logging.getLogger("peer")
logger.setLevel(logging.INFO)
logger.addHandler(handler)
for number in range(int(sys.argv[2])):
    logger.info("你好aaa %d", number)
