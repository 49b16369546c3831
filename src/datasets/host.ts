import { DurableObject } from 'cloudflare:workers';

import type { FileBucket } from '../files/bucket.ts';
import { KeyedMutex } from '../workspace/mutex.ts';
import { migrate } from '../workspace/schema.ts';
import { Database } from '../workspace/sql.ts';
import type { DatasetsObject } from './object.ts';

/** The object of one person's tables, as the platform makes it: what it does is loaded with its first call. */
export abstract class DatasetsHost<Env> extends DurableObject<Env> {
  #body: DatasetsObject | undefined;

  protected abstract bucket(): FileBucket;

  async run(...call: Parameters<DatasetsObject['run']>): ReturnType<DatasetsObject['run']> {
    return (await this.#load()).run(...call);
  }

  override async alarm(): Promise<void> {
    await (await this.#load()).alarm();
  }

  async #load(): Promise<DatasetsObject> {
    const { DatasetsObject: Body } = await import('./object.ts');
    const { storage } = this.ctx;
    // Handed over what every start has: a module that is shared with what is loaded later is one more for each start.
    const parts = { storage, db: new Database(storage), migrate, turns: new KeyedMutex(), bucket: this.bucket() };
    return (this.#body ??= new Body(parts));
  }
}
