import type { Client } from '@modelcontextprotocol/client';
import { beforeAll, expect, it } from 'vitest';

import { call, connectWithToken } from '../../scripts/client/mcp.ts';
import { useDeployment } from './support/deployment.ts';
import { signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

/** The worked example of docs/your-own-toolset.md, in the real bundle. */
const deployment = useDeployment({ TOOLSETS: 'sessions,cart' });

let ada: Person;

beforeAll(async () => {
  ada = await signUp(deployment.mcpUrl, 'ada@example.com');
});

interface Cart {
  readonly session: { readonly slug: string };
  readonly items: readonly { readonly item: string; readonly quantity: number }[];
}

const cart = async (client: Client, name: string, input: Record<string, unknown> = {}) =>
  (await call<Cart>(client, `cart_${name}`, input)).items;

it('50 calls of cart_add_item at once end with 50 items, and as many of one item with 50 of it', async () => {
  await call(ada.client, 'session_open', { session: 'Party' });
  const all = Array.from({ length: 50 }, (_, index) => index);
  await Promise.all(
    all.map(async (index) => cart(ada.client, 'add_item', { session: 'party', item: `item ${index}` })),
  );
  const items = await cart(ada.client, 'view', { session: 'party' });
  expect(items).toHaveLength(50);
  expect(new Set(items.map(({ item }) => item)).size).toBe(50);

  await Promise.all(all.map(async () => cart(ada.client, 'add_item', { session: 'party', item: 'item 7' })));
  expect(await cart(ada.client, 'view', { session: 'party' })).toContainEqual({ item: 'item 7', quantity: 51 });
  expect(await cart(ada.client, 'remove_item', { session: 'party', item: 'item 7' })).toHaveLength(49);
});

it('50 checkouts at once buy what is there once', async () => {
  await call(ada.client, 'session_open', { session: 'Till' });
  await cart(ada.client, 'add_item', { session: 'till', item: 'tea', quantity: 3 });
  const bought = await Promise.all(
    Array.from({ length: 50 }, async () => cart(ada.client, 'checkout', { session: 'till' })),
  );
  expect(bought.filter(({ length }) => length > 0)).toEqual([[{ item: 'tea', quantity: 3 }]]);
});

it('a cart holds 100 different items, also when they come at once', async () => {
  await call(ada.client, 'session_open', { session: 'Full' });
  const add = async (item: string) =>
    ada.client.callTool({ name: 'cart_add_item', arguments: { session: 'full', item } });
  const answers = await Promise.all(Array.from({ length: 120 }, async (_, index) => add(`item ${index}`)));
  const refused = answers.filter(({ isError }) => isError);
  expect(refused).toHaveLength(20);
  expect(refused[0]?.content).toEqual([{ type: 'text', text: expect.stringMatching(/^limit_exceeded: /) }]);
  const items = await cart(ada.client, 'view', { session: 'full' });
  expect(items).toHaveLength(100);
  expect(await cart(ada.client, 'add_item', { session: 'full', item: items[0]?.item })).toContainEqual({
    item: items[0]?.item,
    quantity: 2,
  });
});

it.each([{ item: '' }, { item: 'x'.repeat(101) }, { item: 'tea', quantity: 0 }, { item: 'tea', quantity: 1.5 }, {}])(
  'what does not fit is refused: %j',
  async (input) => {
    const { isError, content } = await ada.client.callTool({ name: 'cart_add_item', arguments: input });
    expect([isError, content]).toEqual([true, [{ type: 'text', text: expect.stringMatching(/^invalid_input: /) }]]);
    expect(await cart(ada.client, 'view')).toEqual([]);
  },
);

it("two people's carts never meet, and two sessions' neither", async () => {
  const ben = await signUp(deployment.mcpUrl, 'ben@example.com');
  const { session } = await call<{ session: { id: string } }>(ada.client, 'session_open', { session: 'Secret' });
  await cart(ada.client, 'add_item', { session: 'secret', item: 'a ring' });
  expect(await cart(ada.client, 'view')).toEqual([]);
  for (const reference of ['secret', session.id])
    for (const name of ['view', 'checkout']) {
      const answer = await ben.client.callTool({ name: `cart_${name}`, arguments: { session: reference } });
      expect(answer.content).toEqual([{ type: 'text', text: expect.stringMatching(/^not_found: /) }]);
    }
  await call(ben.client, 'session_open', { session: 'Secret' });
  expect(await cart(ben.client, 'view', { session: 'secret' })).toEqual([]);
  await cart(ben.client, 'add_item', { session: 'secret', item: 'a book' });
  expect(await cart(ada.client, 'view', { session: 'secret' })).toEqual([{ item: 'a ring', quantity: 1 }]);
});

it('a cart survives kill -9', async () => {
  const items = await cart(ada.client, 'add_item', { item: 'tea', quantity: 2 });
  await deployment.kill();
  await deployment.startAgain();
  const after = await connectWithToken(deployment.mcpUrl, ada.token);
  expect(await cart(after, 'view')).toEqual(items);
  await after.close();
});
