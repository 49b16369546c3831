import { DurableObject } from 'cloudflare:workers';

import type { DatasetsObject } from './object.ts';

/** The object of one person's tables, as the platform makes it: what it does is loaded with its first call. */
export abstract class DatasetsHost<Env> extends DurableObject<Env> {
  #body: DatasetsObject | undefined;

  /** Where the bytes of files are. */
  protected abstract bucket(): R2Bucket;

  async run(...call: Parameters<DatasetsObject['run']>): ReturnType<DatasetsObject['run']> {
    return (await this.#load()).run(...call);
  }

  override async alarm(): Promise<void> {
    await (await this.#load()).alarm();
  }

  async #load(): Promise<DatasetsObject> {
    const { openDatasets } = await import('./open.ts');
    return (this.#body ??= openDatasets(this.ctx.storage, this.bucket()));
  }
}
