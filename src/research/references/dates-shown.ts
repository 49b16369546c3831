import { dayOf } from './csl-json.ts';
import type { PartialDate } from './model.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export function monthName(month: number): string {
  return MONTHS[month - 1] ?? '';
}

/** `Sep`: three letters, all of `May`. */
export function shortMonth(month: number): string {
  return monthName(month).slice(0, 3);
}

/** `March 1, 2024`, `March 2024`, `2024`. */
export function fullDate({ year, month, day }: PartialDate): string {
  if (month === undefined) return String(year);
  return day === undefined ? `${monthName(month)} ${year}` : `${monthName(month)} ${day}, ${year}`;
}

/** A time's day, in UTC. */
export function dateAt(time: number): PartialDate {
  const [year, month, day] = dayOf(time);
  return { year, month, day };
}
