"""loguru at work. Arguments: the log, the number of lines."""

import sys

from loguru import logger

logger.remove()
logger.add(sys.argv[1], rotation="100 KB", format="{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | {message}")
for number in range(int(sys.argv[2])):
    logger.info("你好aaa {}", number)
