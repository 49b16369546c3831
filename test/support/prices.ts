import type { Costs } from './costs.ts';

/** When the pages below were looked up, in stored copies of them. */
export const PRICES_DATE = '2026-11-20';

/** What Cloudflare bills a unit at, beyond what the paid plan includes, and what the free plan stops at. */
export interface Price {
  readonly unit: string;
  readonly used: (costs: Costs) => number;
  /** Dollars for a million. */
  readonly perMillion: number;
  /** What the paid plan has of it in a month, in millions. */
  readonly includedMillions: number;
  /** What the free plan has of it in a day. */
  readonly freeADay: number;
  readonly source: string;
}

const DOCS = 'https://developers.cloudflare.com';

/** R2 has one free tier, of a month, for both plans. */
const ofThirtyDays = (aMonth: number) => Math.floor(aMonth / 30);

export const PRICES = {
  requests: {
    unit: 'requests to the Worker',
    used: ({ requests }) => requests,
    perMillion: 0.3,
    includedMillions: 10,
    freeADay: 100_000,
    source: `${DOCS}/workers/platform/pricing/`,
  },
  objectRequests: {
    unit: 'requests to objects',
    used: ({ roundTrips, alarms }) => roundTrips + alarms,
    perMillion: 0.15,
    includedMillions: 1,
    freeADay: 100_000,
    source: `${DOCS}/durable-objects/platform/pricing/`,
  },
  rowsRead: {
    unit: 'rows read in objects',
    used: ({ rowsRead }) => rowsRead,
    perMillion: 0.001,
    includedMillions: 25_000,
    freeADay: 5_000_000,
    source: `${DOCS}/durable-objects/platform/pricing/`,
  },
  rowsWritten: {
    unit: 'rows written in objects',
    used: ({ rowsWritten }) => rowsWritten,
    perMillion: 1,
    includedMillions: 50,
    freeADay: 100_000,
    source: `${DOCS}/durable-objects/platform/pricing/`,
  },
  d1RowsRead: {
    unit: 'rows read in D1',
    used: ({ d1RowsRead }) => d1RowsRead,
    perMillion: 0.001,
    includedMillions: 25_000,
    freeADay: 5_000_000,
    source: `${DOCS}/d1/platform/pricing/`,
  },
  d1RowsWritten: {
    unit: 'rows written in D1',
    used: ({ d1RowsWritten }) => d1RowsWritten,
    perMillion: 1,
    includedMillions: 50,
    freeADay: 100_000,
    source: `${DOCS}/d1/platform/pricing/`,
  },
  classA: {
    unit: 'R2 operations of class A',
    used: ({ classA }) => classA,
    perMillion: 4.5,
    includedMillions: 1,
    freeADay: ofThirtyDays(1_000_000),
    source: `${DOCS}/r2/pricing/`,
  },
  classB: {
    unit: 'R2 operations of class B',
    used: ({ classB }) => classB,
    perMillion: 0.36,
    includedMillions: 10,
    freeADay: ofThirtyDays(10_000_000),
    source: `${DOCS}/r2/pricing/`,
  },
} as const satisfies Record<string, Price>;

export const PRICE_COLUMNS = [
  'unit',
  'a million',
  'the paid plan has in a month',
  'the free plan has in a day',
] as const;

/** A line of the table under {@link PRICE_COLUMNS}. */
export function priceCells({ unit, perMillion, includedMillions, freeADay: free, source }: Price): string[] {
  const price = `$${perMillion < 0.01 ? perMillion : perMillion.toFixed(2)}`;
  return [`[${unit}](${source})`, price, whole(includedMillions * 1_000_000), whole(free)];
}

export const BILL_COLUMNS = [
  'a million of',
  'requests to the Worker',
  'requests to objects',
  'rows in objects',
  'rows in D1',
  'R2',
  'together',
  'a day on the free plan',
  'used up first',
] as const;

/** A line of the table under {@link BILL_COLUMNS}, without its first cell. */
export function billCells(costs: Costs): string[] {
  const { requests, objectRequests, rowsRead, rowsWritten, d1RowsRead, d1RowsWritten, classA, classB } = PRICES;
  const groups = [[requests], [objectRequests], [rowsRead, rowsWritten], [d1RowsRead, d1RowsWritten], [classA, classB]];
  const { times, unit } = freeADay(costs);
  return [
    ...groups.map((prices) => dollars(dollarsPerMillion(costs, prices))),
    dollars(dollarsPerMillion(costs)),
    whole(times),
    unit,
  ];
}

const whole = (value: number) => value.toLocaleString('en-US');

/** Whole cents. What is less than half of one is nothing to read; halves go up, whatever binary makes of them. */
const dollars = (value: number) => {
  const cents = Math.round(value * 100 + 1e-6);
  return cents === 0 ? '–' : `$${(cents / 100).toFixed(2)}`;
};

const ALL: readonly Price[] = Object.values(PRICES);

/** Dollars for a million times these costs, of some units or of all. */
function dollarsPerMillion(costs: Costs, prices: readonly Price[] = ALL): number {
  return prices.reduce((sum, { used, perMillion }) => sum + used(costs) * perMillion, 0);
}

/** How often a day the free plan lets this happen, if nothing else does, and the unit that is used up first. */
function freeADay(costs: Costs): { readonly times: number; readonly unit: string } {
  const limits = ALL.filter(({ used }) => used(costs) > 0).map(({ used, freeADay: free, unit }) => ({
    times: Math.floor(free / used(costs)),
    unit,
  }));
  const [first] = limits.toSorted((left, right) => left.times - right.times);
  if (!first) throw new TypeError('what costs nothing has no limit');
  return first;
}
