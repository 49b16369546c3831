import { expect, test } from 'vitest';

import { tool } from '../support/mcp.ts';
import { connected } from '../support/person.ts';

test('what is put in twice adds up', async () => {
  const { accessToken: token } = await connected();
  await tool(token, 'cart_add_item', { item: 'tea' });
  expect((await tool(token, 'cart_add_item', { item: 'tea' })).content).toMatchObject({ items: [{ quantity: 2 }] });
});
