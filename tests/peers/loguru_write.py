"""loguru at work. Arguments: the log, the number of lines, and how rotated files are compressed, if they are."""

import sys

from loguru import logger

logger.remove()
compression = sys.argv[3] if len(sys.argv) > 3 else None
logger.add(sys.argv[1], rotation="100 KB", compression=compression, format="{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | {message}")
for number in range(int(sys.argv[2])):
    logger.info("你好aaa {}", number)
