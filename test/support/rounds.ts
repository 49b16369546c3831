import { env } from 'cloudflare:workers';

import { statusOf } from './mcp.ts';
import { OAuthClient, outcome, Person } from './person.ts';
import type { Connection, TokenAnswer } from './person.ts';

/** How often each race is run: 1,000 times in CI and with `CI=1 npm test`, 100 times otherwise, which is quicker. */
export const ROUNDS = Number((env as unknown as { TEST_ROUNDS: string }).TEST_ROUNDS);

/** Somebody with an app, for one race after another. */
export interface Lane {
  readonly person: Person;
  readonly client: OAuthClient;
}

/** So many that storage is always busy, and few enough that one core keeps up. */
const SIDE_BY_SIDE = 50;

/**
 * Plays a round so many times, many persons side by side, each one round after another.
 *
 * @param play what happened, in words
 * @returns how often each thing happened
 */
export async function tally(
  rounds: number,
  play: (lane: Lane, round: number) => Promise<string>,
): Promise<Record<string, number>> {
  const happened: Record<string, number> = {};
  await Promise.all(
    times(SIDE_BY_SIDE, async (index) => {
      const lane = { person: new Person(), client: await OAuthClient.register() };
      for (let round = index; round < rounds; round += SIDE_BY_SIDE) {
        const what = await play(lane, round);
        happened[what] = (happened[what] ?? 0) + 1;
      }
    }),
  );
  return happened;
}

export function times<Result>(count: number, make: (index: number) => Result): Result[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** What a grant still opens, for the tokens that anybody was given of it. */
export async function leftOf({ client }: Connection, answers: readonly TokenAnswer[]): Promise<string> {
  const access = await Promise.all(answers.map(async ({ access_token }) => statusOf(access_token)));
  const refreshes = await Promise.all(
    answers.map(async ({ refresh_token }) => outcome(await client.refresh(refresh_token))),
  );
  return [...new Set([...access, ...refreshes])].join(', ');
}
