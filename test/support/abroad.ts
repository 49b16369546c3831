import { inject } from 'vitest';

/** What the stranger noted of a host that it was asked under (test/support/hostile.ts). */
export interface Visits {
  readonly paths: string[];
  readonly most: number;
  readonly gaps: number[];
}

const ask = async (path: string, query: Record<string, string>): Promise<string> =>
  (await fetch(`${inject('stranger')}${path}?${new URLSearchParams(query).toString()}`)).text();

export async function visitsOf(host: string): Promise<Visits> {
  return JSON.parse(await ask('/log', { host })) as Visits;
}

/** Gives a host a robots.txt. */
export async function tellRobots(host: string, robots: { status?: number; text?: string; to?: string; fill?: number }) {
  await ask('/tell-robots', {
    host,
    ...Object.fromEntries(Object.entries(robots).map(([key, value]) => [key, String(value)])),
  });
}

/** The address of an answer that is these bytes (as Latin-1), and then the end of the connection. */
export function raw(wire: string | string[], then = 'end', host = 'hostile.example.com'): string {
  const query = new URLSearchParams([['then', then], ...[wire].flat().map((part) => ['wire', part])]);
  return `https://${host}/raw?${query.toString()}`;
}
