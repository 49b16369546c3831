import * as z from 'zod';

import { CREATE, defineTool, defineToolset, DESTROY, READ } from '../mcp/toolset.ts';
import { session, sessionRef } from '../sessions/model.ts';

const item = z.string().trim().min(1).max(100).describe('What to buy');
const cart = z.object({ session: sessionRef, items: z.array(z.object({ item: z.string(), quantity: z.int() })) });

export const cartToolset = defineToolset('cart', {
  consent: { title: 'carts', read: 'See what is in your carts.', write: 'Fill, empty and check out your carts.' },
  onByDefault: false,
  tools: [
    defineTool('cart_add_item', {
      description: 'Adds an item to the cart of a session, or more of one that is in it. Gives the cart.',
      behaviour: CREATE,
      input: z.strictObject({ session, item, quantity: z.int().min(1).max(1000).default(1) }),
      output: cart,
      handle: (input, { workspace }) => workspace.cart.add(input.session, input.item, input.quantity),
    }),
    defineTool('cart_remove_item', {
      description: 'Takes an item out of the cart, all of it. Gives the cart.',
      behaviour: DESTROY,
      input: z.strictObject({ session, item }),
      output: cart,
      handle: (input, { workspace }) => workspace.cart.remove(input.session, input.item),
    }),
    defineTool('cart_view', {
      description: 'What is in the cart of a session.',
      behaviour: READ,
      input: z.strictObject({ session }),
      output: cart,
      handle: (input, { workspace }) => workspace.cart.view(input.session),
    }),
    defineTool('cart_checkout', {
      description: 'Buys what is in the cart: empties it and gives what was in it.',
      behaviour: DESTROY,
      input: z.strictObject({ session }),
      output: cart,
      handle: (input, { workspace }) => workspace.cart.checkout(input.session),
    }),
  ],
});
