// Where the time of a line stands. These are the forms that the server recognises most; its own list is longer.

const CLOCK = String.raw`\d\d:\d\d(?::\d\d)?(?:[.,:]\d+)?`;
const ZONE = String.raw`(?: ?(?:Z|UTC|[+-]\d\d:?\d\d)\b)?`;
const DATE = [
  String.raw`\d{4}(?<mark>[-/.])\d\d\k<mark>\d\d[T_ ]+${CLOCK}${ZONE}`,
  String.raw`\d{8}[T ]?${CLOCK}${ZONE}`,
  String.raw`\d\d/[A-Z][a-z]{2}/\d{4}:${CLOCK}${ZONE}`,
  String.raw`(?:[A-Z][a-z]{2},? )?(?:[A-Z][a-z]{2} [ \d]?\d|\d{1,2}[ -][A-Z][a-z]{2}[ -]\d{4}) ${CLOCK}(?: \d{4}\b)?${ZONE}`,
  String.raw`\d\d[./]\d\d[./]\d{4},? ${CLOCK}(?: [AP]M)?`,
  String.raw`[IWEF]\d{4} ${CLOCK}`,
  String.raw`\d{10}(?:\d{3}){0,3}(?:\.\d+)?(?=\s|$)`,
].join("|");
// At the start, perhaps behind brackets, a priority, the name of a container or a word for a level; or in brackets.
const AT_START = new RegExp(String.raw`^(?:<\d{1,3}>1? ?|[\w.-]+ +\| )?(?:\[?[\w:.]{1,24}\]?:? +)?[[(<"]?(${DATE})`);
const IN_BRACKETS = new RegExp(String.raw`^.{0,127}\[(${DATE})`);
const KEYS = "time|ts|timestamp|@timestamp|t|@t|datetime|date|asctime|eventTime|timeMillis|\\$date|__REALTIME_TIMESTAMP";
const IN_JSON = new RegExp(`"(?:${KEYS})"\\s*:\\s*"?((?:${DATE})|\\d{10,19}(?:\\.\\d+)?)`);
const IN_LOGFMT = new RegExp(`(?:^|\\s)(?:${KEYS})="?((?:${DATE})|\\d{10,19}(?:\\.\\d+)?)`);
const AUDIT = /audit\((\d+\.\d+):\d+\)/;

// The time that a line without colours bears, and where it ends; null for a line without one.
export function timeOf(text) {
  const head = text.slice(0, 512);
  if (!/\d{4}|\d:\d\d/.test(head)) return null;
  const isJson = head.trimStart().startsWith("{");
  const found = isJson ? IN_JSON.exec(text) : (AT_START.exec(head) ?? IN_BRACKETS.exec(head) ?? IN_LOGFMT.exec(head) ?? AUDIT.exec(head));
  return found && { time: found[1], end: isJson ? 0 : found.index + found[0].length };
}
