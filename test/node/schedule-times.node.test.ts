import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkTimes, timeAfter, timesAfter } from '../../src/schedules/cron.ts';

/** Times as the clocks of a zone show them, with the distance from UTC that they have then. */
function clock(time: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('sv', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'longOffset',
  }).format(time);
  return parts.replace('GMT', '');
}

const clockTimes = (cron: string, timeZone: string, after: string, count: number) =>
  timesAfter({ cron, timeZone }, Date.parse(after), count).map((time) => clock(time, timeZone));

describe('a change to summer time', () => {
  it.each([
    ['Europe/Berlin', '30 2 * * *', '2027-03-27T12:00:00Z', ['2027-03-28 03:00 +02:00', '2027-03-29 02:30 +02:00']],
    ['America/New_York', '30 2 * * *', '2027-03-13T12:00:00Z', ['2027-03-14 03:00 −04:00', '2027-03-15 02:30 −04:00']],
    [
      'Australia/Lord_Howe',
      '15 2 * * *',
      '2027-10-02T10:00:00Z',
      ['2027-10-03 02:30 +11:00', '2027-10-04 02:15 +11:00'],
    ],
  ])('in %s: what it leaves out comes once, right after it', (zone, cron, after, expected) => {
    expect(clockTimes(cron, zone, after, 2)).toEqual(expected);
  });

  it('leaves out two times of one schedule, which come as one', () => {
    expect(clockTimes('0,30 2,3 * * *', 'Europe/Berlin', '2027-03-28T00:59:00Z', 3)).toEqual([
      '2027-03-28 03:00 +02:00',
      '2027-03-28 03:30 +02:00',
      '2027-03-29 02:00 +02:00',
    ]);
    expect(clockTimes('*/15 2 * * *', 'Europe/Berlin', '2027-03-27T12:00:00Z', 2)).toEqual([
      '2027-03-28 03:00 +02:00',
      '2027-03-29 02:00 +02:00',
    ]);
  });

  it('changes nothing for what comes hour by hour', () => {
    const [first = 0, ...others] = timesAfter(
      { cron: '*/30 * * * *', timeZone: 'Europe/Berlin' },
      Date.parse('2027-03-27T22:45:00Z'),
      8,
    );
    expect(others.map((time) => (time - first) / 1_800_000)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('a change to winter time', () => {
  it.each([
    ['Europe/Berlin', '30 2 * * *', '2027-10-30T12:00:00Z', ['2027-10-31 02:30 +02:00', '2027-11-01 02:30 +01:00']],
    ['America/New_York', '30 1 * * *', '2027-11-06T12:00:00Z', ['2027-11-07 01:30 −04:00', '2027-11-08 01:30 −05:00']],
    [
      'Australia/Lord_Howe',
      '45 1 * * *',
      '2027-04-03T10:00:00Z',
      ['2027-04-04 01:45 +11:00', '2027-04-05 01:45 +10:30'],
    ],
  ])('in %s: what comes twice counts once', (zone, cron, after, expected) => {
    expect(clockTimes(cron, zone, after, 2)).toEqual(expected);
  });

  it('counts once also when somebody looks between the two', () => {
    // 02:40 of summer, ten minutes after the first 02:30.
    expect(clockTimes('30 2 * * *', 'Europe/Berlin', '2027-10-31T00:40:00Z', 1)).toEqual(['2027-11-01 02:30 +01:00']);
    expect(clockTimes('0,30 2 * * *', 'Europe/Berlin', '2027-10-31T00:10:00Z', 2)).toEqual([
      '2027-10-31 02:30 +02:00',
      '2027-11-01 02:00 +01:00',
    ]);
  });

  it('changes nothing for what comes hour by hour', () => {
    const [first = 0, ...others] = timesAfter(
      { cron: '0 * * * *', timeZone: 'America/New_York' },
      Date.parse('2027-11-07T03:30:00Z'),
      6,
    );
    expect(others.map((time) => (time - first) / 3_600_000)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('a cron expression', () => {
  it.each([
    ['0 8 * * mon-fri', '2026-11-20T08:00:00Z', ['2026-11-23 08:00 Z', '2026-11-24 08:00 Z']],
    ['0 8 29 2 *', '2026-11-20T08:00:00Z', ['2028-02-29 08:00 Z']],
    [
      '15,45 10-12/2 1 JAN,jul *',
      '2026-11-20T08:00:00Z',
      ['2027-01-01 10:15 Z', '2027-01-01 10:45 Z', '2027-01-01 12:15 Z'],
    ],
    ['0 0 * * 7', '2026-11-20T08:00:00Z', ['2026-11-22 00:00 Z']],
    [
      '0 0 13 * 5',
      '2026-11-20T08:00:00Z',
      ['2026-11-27 00:00 Z', '2026-12-04 00:00 Z', '2026-12-11 00:00 Z', '2026-12-13 00:00 Z'],
    ],
    ['59 23 31 12 *', '2026-12-31T23:58:59.999Z', ['2026-12-31 23:59 Z', '2027-12-31 23:59 Z']],
  ])('%s comes when it should', (cron, after, expected) => {
    checkTimes({ cron, timeZone: 'UTC' });
    expect(
      clockTimes(cron, 'UTC', after, expected.length).map((time) => time.replace(/ [+−]?(?:00:00)?$/, ' Z')),
    ).toEqual(expected);
  });

  it.each([
    ['0 0 31 2 *', /never fires/],
    ['0 0 30 feb *', /never fires/],
    ['0 0 31 4,6,9,11 *', /never fires/],
    ['* * * * *', /more often than every 5 minutes/],
    ['*/4 8 * * *', /more often/],
    ['0,4 8 * * *', /more often/],
    ['58,2 * * * *', /more often/],
    ['58,2 23,0 * * *', /more often/],
    ['0 8 * *', /five fields/],
    ['0 0 8 * * *', /five fields/],
    ['', /five fields/],
    ['@daily', /five fields/],
    ['60 * * * *', /minute must be from 0 to 59/],
    ['0 24 * * *', /hour must be from 0 to 23/],
    ['0 0 0 * *', /day of the month must be from 1 to 31/],
    ['0 0 * 13 *', /month must be from 1 to 12/],
    ['0 0 * * 8', /day of the week must be from 0 to 7/],
    ['0 0 * mon *', /month must be from 1 to 12/],
    ['0 5-3 * * *', /range that is empty/],
    ['*/0 * * * *', /range that is empty/],
    ['5/15 * * * *', /must be numbers, ranges/],
    ['0 0 L * *', /day of the month must be/],
    ['0 0 15W * *', /day of the month must be/],
    ['0 0 * * 5#2', /day of the week must be/],
    ['0 0 ? * *', /must be numbers, ranges/],
    ['0, 0 * * *', /must be numbers, ranges/],
    ['-1 0 * * *', /must be numbers, ranges/],
    [`0 0 * * ${'1,'.repeat(200)}1`, /five fields/],
  ])('%j is refused', (cron, says) => {
    expect(() => checkTimes({ cron, timeZone: 'UTC' })).toThrow(says);
    expect(() => checkTimes({ cron, timeZone: 'UTC' })).toThrow(
      expect.objectContaining({ code: 'invalid_input' }) as Error,
    );
  });

  it('may come every five minutes, over the hour too', () => {
    for (const cron of ['*/5 * * * *', '0,5,55 * * * *', '58,3 * * * *', '57,2 8,9 * * *', '58,2 8,10 * * *'])
      expect(() => checkTimes({ cron, timeZone: 'UTC' })).not.toThrow();
  });

  it.each(['Mars/Olympus', '+02:00', '', 'Europe/Berlin; DROP', '../etc', 'Europe/'])(
    'in the zone %j is refused',
    (timeZone) => {
      expect(() => checkTimes({ cron: '0 8 * * *', timeZone })).toThrow('There is no such time zone');
    },
  );
});

describe('the next time', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Africa/Casablanca',
    'America/St_Johns',
    'Pacific/Apia',
  ];
  const list = (least: number, most: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 4 }).map((all) => all.join(',')),
    );
  const expressions = fc
    .tuple(fc.integer({ min: 0, max: 59 }).map(String), list(0, 23), list(1, 31), list(1, 12), list(0, 6))
    .map((fields) => fields.join(' '))
    .filter((cron) => {
      try {
        checkTimes({ cron, timeZone: 'UTC' });
        return true;
      } catch {
        return false;
      }
    });
  const moments = fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2032-01-01') });

  it('is later than any moment, the same from every moment before it, and later for later moments', () => {
    fc.assert(
      fc.property(
        expressions,
        fc.constantFrom(...zones),
        moments,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (cron, timeZone, after, part) => {
          const times = { cron, timeZone };
          const next = timeAfter(times, after);
          if (next === undefined) throw new Error('it comes');
          expect(next).toBeGreaterThan(after);
          expect(next % 60_000).toBe(0);
          expect(timeAfter(times, Math.floor(after + (next - 1 - after) * part))).toBe(next);
          expect(timeAfter(times, next)).toBeGreaterThan(next);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is what somebody finds who looks at every minute of the days around a change', () => {
    const changes = [
      ['Europe/Berlin', '2027-03-27', '2027-10-30'],
      ['America/New_York', '2027-03-13', '2027-11-06'],
      ['Australia/Lord_Howe', '2027-04-03', '2027-10-02'],
    ] as const;
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom(...changes),
        fc.constantFrom(1, 2),
        hours,
        fc.integer({ min: 0, max: 59 }),
        ([timeZone, ...days], day, wanted, minute) => {
          const begin = Date.parse(`${days[day - 1]}T00:00:00Z`);
          const end = begin + 2.5 * 86_400_000;
          const cron = `${minute} ${wanted.join(',')} * * *`;
          const found = timesAfter({ cron, timeZone }, begin, 40).filter((time) => time < end);
          expect(found).toEqual(byLooking(timeZone, wanted, minute, begin, end));
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** The wall clock of every minute, read one by one: a time counts when the clock first shows it, or first shows a later one. */
function byLooking(timeZone: string, hours: readonly number[], minute: number, begin: number, end: number): number[] {
  const format = new Intl.DateTimeFormat('sv', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const found: number[] = [];
  let furthest = format.format(begin);
  for (let time = begin + 60_000; time < end; time += 60_000) {
    const shown = format.format(time);
    if (shown <= furthest) continue;
    const wanted = hours.some((hour) => {
      const at = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
      return [furthest.slice(0, 10), shown.slice(0, 10)].some(
        (day) => `${day} ${at}` > furthest && `${day} ${at}` <= shown,
      );
    });
    if (wanted) found.push(time);
    furthest = shown;
  }
  return found;
}
