import { beforeAll, describe, expect, it } from 'vitest';

import { decide } from '../../scripts/client/browser.ts';
import type { Browser, BrowserPage } from '../../scripts/client/browser.ts';
import { PROVIDER_NAMES } from '../support/identity-providers.ts';
import type { LastStep } from '../support/identity-providers.ts';
import { codeOf, Connection, outcome, tokens } from '../support/oauth-client.ts';
import type { OAuthClient, TokenAnswer } from '../support/oauth-client.ts';
import { rpc } from './support/json-rpc.ts';
import { useProviderDeployment } from './support/provider-deployment.ts';

/**
 * The races of the main job, with whoever vouches for the person: over the network, and through power
 * cuts. Their thousands of rounds are in `test/worker/grants*.worker.test.ts`; here is what those
 * cannot have, the real bundle with each provider and a server that is killed. GitHub is a stand-in.
 */

const PEOPLE = 4;
const ROUNDS = 8;
/** Each cut is followed by a start, which a busy machine takes its time for. */
const CUTS = { timeout: 120_000 };

function times<Result>(count: number, make: (index: number) => Result): Result[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

const distinct = (words: readonly (string | number)[]): string => [...new Set(words.map(String))].toSorted().join(', ');

/** The tokens of an answer, or undefined where the server died before it was there. */
async function unlessCutOff(answer: Promise<Response>): Promise<TokenAnswer | undefined> {
  try {
    const response = await answer;
    // Of two processes that die at once, the Worker's may be the first: then wrangler's has still time to say so.
    if (response.status !== 503) return await tokens(response);
    await response.body?.cancel();
  } catch (error) {
    // As `fetch` says that a connection broke. A refusal is no power cut.
    if (!(error instanceof TypeError)) throw error;
  }
  return undefined;
}

describe.each(PROVIDER_NAMES)('with people who sign in with %s', (provider) => {
  const deployment = useProviderDeployment(provider);

  /** Somebody who is signed in in a browser, and an app of theirs. */
  interface Person {
    readonly login: string;
    readonly browser: Browser;
    readonly client: OAuthClient;
  }

  const people: Person[] = [];

  beforeAll(async () => {
    const signIn = async (index: number): Promise<Person> => {
      const person = {
        login: `person-${index}`,
        browser: deployment.newBrowser(),
        client: await deployment.registerClient(),
      };
      const page = await person.browser.open(person.client.authorizationUrl());
      const finish = await deployment.begin(person.browser, page, person.login);
      await allowed(person, await finish());
      return person;
    };
    people.push(...(await Promise.all(times(PEOPLE, signIn))));
  });

  /** Answers the question whether the app may. @returns the code */
  async function allowed({ browser }: Person, page: BrowserPage): Promise<string> {
    const { url, left, status } = await decide(browser, page, 'approve');
    if (!left) throw new Error(`the browser stayed at ${url.pathname} with status ${status}`);
    return codeOf(url);
  }

  const allow = async (person: Person): Promise<string> =>
    allowed(person, await person.browser.open(person.client.authorizationUrl()));

  const connect = async (person: Person): Promise<Connection> =>
    new Connection(person.client, await tokens(await person.client.redeem(await allow(person))));

  const statusOf = async (token: string): Promise<number> =>
    (await rpc(deployment.mcpUrl, token, 'tools/call', { name: 'whoami', arguments: {} })).status;

  /** What a grant still opens, for the tokens that anybody was given of it. */
  async function leftOf({ client }: Connection, answers: readonly TokenAnswer[]): Promise<string> {
    const access = await Promise.all(answers.map(async ({ access_token }) => statusOf(access_token)));
    const next = await Promise.all(
      answers.map(async ({ refresh_token }) => outcome(await client.refresh(refresh_token))),
    );
    return `${distinct(access)}, ${distinct(next)}`;
  }

  /** How many tokens these answers have, and what the access tokens open. */
  async function used(answers: readonly TokenAnswer[]): Promise<string> {
    const access = [...new Set(answers.map(({ access_token }) => access_token))];
    const refresh = new Set(answers.map(({ refresh_token }) => refresh_token));
    const opened = distinct(await Promise.all(access.map(statusOf)));
    return `${access.length} access token: ${opened}, ${refresh.size} refresh token`;
  }

  /** What becomes of the refresh token that each person's app has now. */
  const nextOf = async (current: ReadonlyMap<Person, string>) =>
    tally(PEOPLE, async (person) => outcome(await person.client.refresh(current.get(person) ?? '')));

  /** Plays a round so many times, all people side by side. @returns how often each thing happened */
  async function tally(rounds: number, play: (person: Person, round: number) => Promise<string>) {
    const happened: Record<string, number> = {};
    await Promise.all(
      people.map(async (person, index) => {
        for (let round = index; round < rounds; round += PEOPLE) {
          const what = await play(person, round);
          happened[what] = (happened[what] ?? 0) + 1;
        }
      }),
    );
    return happened;
  }

  it('a code redeemed four times at once gives one token, and the replay ends that one too', async () => {
    const happened = await tally(ROUNDS, async (person) => {
      const code = await allow(person);
      const answers = await Promise.all(times(4, async () => person.client.redeem(code)));
      const given = await Promise.all(answers.filter(({ ok }) => ok).map(tokens));
      const refused = await Promise.all(answers.filter(({ ok }) => !ok).map(outcome));
      const [first] = given;
      if (!first) return 'no token';
      // RFC 6749 §4.1.2: a code that comes back was stolen from somebody, so what it gave is revoked.
      const left = await leftOf(new Connection(person.client, first), given);
      return `${given.length} token, ${refused.join(', ')}; then ${left}`;
    });
    expect(happened).toEqual({
      '1 token, invalid_grant, invalid_grant, invalid_grant; then 401, invalid_grant': ROUNDS,
    });
  });

  it('a consent page answered four times at once gives one code', async () => {
    const happened = await tally(ROUNDS, async ({ browser, client }) => {
      const page = await browser.open(client.authorizationUrl());
      const answers = await Promise.all(times(4, async () => decide(browser, page, 'approve')));
      const codes = answers.filter(({ left, url }) => left && url.searchParams.has('code'));
      const pages = answers.filter(({ left }) => !left).map(({ status }) => status);
      const redeemed = await Promise.all(codes.map(async ({ url }) => outcome(await client.redeem(codeOf(url)))));
      return `${codes.length} code, redeemed: ${redeemed.join(', ')}; pages: ${pages.join(', ')}`;
    });
    expect(happened).toEqual({ '1 code, redeemed: 200; pages: 400, 400, 400': ROUNDS });
  });

  it('twenty refreshes at once with one token all get the same answer, and the connection lives on', async () => {
    const current = new Map<Person, string>();
    const happened = await tally(ROUNDS, async (person) => {
      const before = current.get(person) ?? (await connect(person)).refreshToken;
      const answers = await Promise.all(times(20, async () => person.client.refresh(before)));
      const given = await Promise.all(answers.filter(({ ok }) => ok).map(tokens));
      current.set(person, given[0]?.refresh_token ?? '');
      return `${given.length} answers with ${await used(given)}`;
    });
    expect(happened).toEqual({ '20 answers with 1 access token: 200, 1 refresh token': ROUNDS });
    expect(await nextOf(current)).toEqual({ '200': PEOPLE });
  });

  it('a refresh that races a revocation leaves no grant', async () => {
    let granted = 0;
    const happened = await tally(2 * ROUNDS, async (person, round) => {
      const connection = await connect(person);
      const { client, refreshToken } = connection;
      // Each is sent first as often as the other.
      const sentFirst = Math.floor(round / PEOPLE) % 2 === 0 ? client.refresh(refreshToken) : undefined;
      const revoking = client.revoke(refreshToken, { token_type_hint: 'refresh_token' });
      const refreshed = await (sentFirst ?? client.refresh(refreshToken));
      const revoked = await revoking;
      const given = [connection.tokens, ...(refreshed.ok ? [await tokens(refreshed)] : [])];
      granted += given.length - 1;
      return `revoked: ${revoked.status}; then ${await leftOf(connection, given)}`;
    });
    expect(happened).toEqual({ 'revoked: 200; then 401, invalid_grant': 2 * ROUNDS });
    // Each came first in some of them, or this was no race.
    expect(granted).toBeGreaterThan(0);
    expect(granted).toBeLessThan(2 * ROUNDS);
  });

  describe('a power cut between two steps', () => {
    /** How far each person had come, with the app and in another browser, when the lights went out. */
    interface Halfway {
      readonly code: string;
      readonly connection: Connection;
      readonly answer: TokenAnswer;
      readonly signIn: { readonly browser: Browser; readonly finish: LastStep };
    }
    const halfway = new Map<Person, Halfway>();

    beforeAll(async () => {
      const come = async (person: Person) => {
        const connection = await connect(person);
        const browser = deployment.newBrowser();
        const page = await browser.open(person.client.authorizationUrl());
        halfway.set(person, {
          code: await allow(person),
          connection,
          answer: await tokens(await person.client.refresh(connection.refreshToken)),
          signIn: { browser, finish: await deployment.begin(browser, page, person.login) },
        });
      };
      await Promise.all(people.map(come));
      await deployment.cutPower();
    });

    /** What happened to each person. */
    const after = async (look: (person: Person, state: Halfway) => Promise<string>) =>
      tally(PEOPLE, async (person) => {
        const state = halfway.get(person);
        return state ? look(person, state) : 'they had not come that far';
      });

    it('leaves the code, which works once', async () => {
      const happened = await after(async ({ client }, { code }) => {
        const given = await tokens(await client.redeem(code));
        const first = await statusOf(given.access_token);
        const again = await outcome(await client.redeem(code));
        return `first: ${first}; again: ${again}, then ${await leftOf(new Connection(client, given), [given])}`;
      });
      expect(happened).toEqual({ 'first: 200; again: invalid_grant, then 401, invalid_grant': PEOPLE });
    });

    it('leaves the answer to a refresh, which its repetition gets', async () => {
      const happened = await after(async (_person, { connection, answer }) => {
        const { expires_in, ...again } = await tokens(await connection.client.refresh(connection.refreshToken));
        expect(answer).toMatchObject(again);
        expect(expires_in).toBeLessThanOrEqual(answer.expires_in);
        return `the same answer, ${await leftOf(connection, [answer])}`;
      });
      expect(happened).toEqual({ 'the same answer, 200, 200': PEOPLE });
    });

    it('leaves the person signed in', async () => {
      const happened = await after(async ({ browser, client }) => {
        const page = await browser.open(client.authorizationUrl());
        return `${page.status} ${page.url.pathname}`;
      });
      expect(happened).toEqual({ '200 /authorize': PEOPLE });
    });

    it('leaves a sign-in that had begun, which ends in the same workspace', async () => {
      const happened = await after(async (person, { connection, signIn: { browser, finish } }) => {
        const code = await allowed({ ...person, browser }, await finish());
        const { personId } = new Connection(person.client, await tokens(await person.client.redeem(code)));
        return personId === connection.personId ? 'the same' : 'another';
      });
      expect(happened).toEqual({ 'the same': PEOPLE });
    });
  });

  it('a power cut in the middle of twenty refreshes at once leaves a connection that gets on', CUTS, async () => {
    const current = new Map<Person, string>();
    const currentOf = (person: Person) => current.get(person) ?? '';
    await Promise.all(people.map(async (person) => current.set(person, (await connect(person)).refreshToken)));
    const sent = 20 * PEOPLE;
    // When the first answer is there, the others are on their way; later some have got theirs.
    for (const enough of [1, sent / 2]) {
      const arrived = Promise.withResolvers<void>();
      const answers: { readonly person: Person; readonly answer: TokenAnswer }[] = [];
      const refreshing = people.flatMap((person) =>
        times(20, async () => {
          const answer = await unlessCutOff(person.client.refresh(currentOf(person)));
          if (answer) answers.push({ person, answer });
          if (answers.length >= enough) arrived.resolve();
        }),
      );
      const ended = Promise.all(refreshing);
      await Promise.race([arrived.promise, ended]);
      await deployment.cutPower();
      await ended;
      expect(answers.length).toBeGreaterThanOrEqual(enough);
      // Or the cut came too late for anybody to be in the middle.
      expect(answers.length).toBeLessThan(sent);

      const happened = await tally(PEOPLE, async (person) => {
        const again = await tokens(await person.client.refresh(currentOf(person)));
        const given = [again, ...answers.filter((each) => each.person === person).map(({ answer }) => answer)];
        current.set(person, again.refresh_token);
        return used(given);
      });
      expect(happened).toEqual({ '1 access token: 200, 1 refresh token': PEOPLE });
    }
    expect(await nextOf(current)).toEqual({ '200': PEOPLE });
  });
});
