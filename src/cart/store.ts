import { CarrelError } from '../lib/errors.ts';
import { Store } from '../workspace/storage.ts';

const ITEMS = 'CREATE TABLE carts (session TEXT, item TEXT, quantity INT, PRIMARY KEY (session, item)) STRICT';

/** The carts of one workspace, one a session. */
export class CartStore extends Store {
  static readonly schema = [{ name: 'cart: items', sql: ITEMS }];

  view(reference: string | undefined) {
    const session = this.session(reference);
    const query = 'SELECT item, quantity FROM carts WHERE session = ? ORDER BY item';
    return { session, items: this.db.all<{ item: string; quantity: number }>(query, session.id) };
  }

  add(reference: string | undefined, item: string, quantity: number) {
    const { session, items } = this.view(reference);
    if (items.length >= 100 && !items.some((each) => each.item === item))
      throw new CarrelError('limit_exceeded', 'A cart holds 100 different items. Check out first.');
    const upsert = 'ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity';
    this.db.run(`INSERT INTO carts (session, item, quantity) VALUES (?, ?, ?) ${upsert}`, session.id, item, quantity);
    return this.view(reference);
  }

  remove(reference: string | undefined, item: string) {
    this.db.run('DELETE FROM carts WHERE session = ? AND item = ?', this.session(reference).id, item);
    return this.view(reference);
  }

  checkout(reference: string | undefined) {
    const cart = this.view(reference);
    this.db.run('DELETE FROM carts WHERE session = ?', cart.session.id);
    return cart;
  }
}
