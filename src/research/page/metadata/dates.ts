const MONTHS = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
const MONTH = `(${MONTHS})[a-z]{0,6}\\.?`;

/** `2024-03-01T10:00:00+0100`, `20240301`, `2024/3/1`, `2024-03`, `2024`, with anything behind a date that is no time. */
const NUMERIC =
  /^(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?|(\d{2})(\d{2}))?(?=$|[\sT,;])(?:(?:T|,?\s+)(\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?/i;
/** `March 1, 2024`, `Mar 2024`. */
const MONTH_FIRST = new RegExp(
  `^(?:[a-z]{3,9},?\\s+)?${MONTH}\\s+(?:(\\d{1,2})(?:st|nd|rd|th)?,?\\s+)?(\\d{4})\\b`,
  'i',
);
/** `1 March 2024`, and RFC 2822: `Fri, 01 Mar 2024 10:00:00 GMT`. */
const DAY_FIRST = new RegExp(
  `^(?:[a-z]{3,9},?\\s+)?(\\d{1,2})(?:st|nd|rd|th|\\.)?[\\s-]+${MONTH},?[\\s-]+(\\d{4})\\b(?:,?\\s+(\\d{2}):(\\d{2})(?::(\\d{2}))?\\s*(Z|UTC|GMT|[+-]\\d{4})?)?`,
  'i',
);

/**
 * A date as ISO 8601, as exact as it was written and in the zone in which it was; undefined for what is none. Dates
 * in numbers begin with the year: of `3/4/2024` nobody can say which is the month.
 */
export function isoDate(text: string): string | undefined {
  const trimmed = text.slice(0, 100).trim();
  const numeric = NUMERIC.exec(trimmed);
  if (numeric) {
    const [, year, month = numeric[4], day = numeric[5], ...rest] = numeric;
    return assembled(year, month, day, rest.slice(2));
  }
  const monthFirst = MONTH_FIRST.exec(trimmed);
  if (monthFirst) return assembled(monthFirst[3], numberOf(monthFirst[1]), monthFirst[2], []);
  const dayFirst = DAY_FIRST.exec(trimmed);
  if (dayFirst) return assembled(dayFirst[3], numberOf(dayFirst[2]), dayFirst[1], dayFirst.slice(4));
  return undefined;
}

function numberOf(month: string | undefined): string {
  return String(MONTHS.split('|').indexOf(month?.toLowerCase().slice(0, 3) ?? '') + 1);
}

function assembled(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  [hour, minute, second, zone]: readonly (string | undefined)[],
): string | undefined {
  const date = [year, month, day].filter((part) => part !== undefined).map((part) => part.padStart(2, '0'));
  const text = date.join('-');
  const isThere = /^(?:1[5-9]|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?$/.test(text);
  if (!isThere || (date.length === 3 && !isDay(text))) return undefined;
  if (date.length < 3 || hour === undefined || minute === undefined || Number(hour) > 23 || Number(minute) > 59)
    return text;
  return `${text}T${hour}:${minute}${second === undefined ? '' : `:${second}`}${zoneOf(zone)}`;
}

/** There is no 30th of February. */
function isDay(text: string): boolean {
  return new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}

function zoneOf(zone: string | undefined): string {
  if (zone === undefined) return '';
  const [, hours, minutes = '00'] = /^([+-]\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  return hours === undefined ? 'Z' : `${hours}:${minutes}`;
}
