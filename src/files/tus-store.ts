import { Store } from '../workspace/storage.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { Shelf } from './shelf.ts';
import type { TusRows } from './tus/rows.ts';

type Call<Name extends keyof TusRows> = Parameters<TusRows[Name]>;

/**
 * Uploads by tus (https://tus.io/protocols/resumable-upload). Of several requests at once the one that began last
 * wins: what an earlier one brings then no longer counts. Nothing is locked, so that a kill, or a connection that
 * hangs because nobody told us that it is dead, keeps no client from going on. What a request stores has keys and part
 * numbers of its own, so that one that lost cannot write over what counts.
 *
 * What each method does stands in {@link TusRows}, which is loaded with the first call.
 */
export class TusStore extends Store {
  readonly #shelf: Shelf;
  #rows: TusRows | undefined;

  constructor(context: StoreContext) {
    super(context);
    this.#shelf = new Shelf(context);
  }

  async begin(...call: Call<'begin'>) {
    (await this.#loaded()).begin(...call);
  }

  async get(...call: Call<'get'>) {
    return (await this.#loaded()).get(...call);
  }

  async start(...call: Call<'start'>) {
    return (await this.#loaded()).start(...call);
  }

  async rest(...call: Call<'rest'>) {
    (await this.#loaded()).rest(...call);
  }

  async reserve(...call: Call<'reserve'>) {
    return (await this.#loaded()).reserve(...call);
  }

  async advance(...call: Call<'advance'>) {
    return (await this.#loaded()).advance(...call);
  }

  async completing() {
    return (await this.#loaded()).completing();
  }

  async terminate(...call: Call<'terminate'>) {
    return (await this.#loaded()).terminate(...call);
  }

  async #loaded(): Promise<TusRows> {
    const { TusRows: Rows } = await import('./tus/rows.ts');
    const schedule = (task: string, due: number) => this.schedule(task, due);
    return (this.#rows ??= new Rows({ db: this.db, shelf: this.#shelf, schedule }));
  }
}
