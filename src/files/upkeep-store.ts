import { Store } from '../workspace/storage.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { Shelf } from './shelf.ts';

/** Bytes that the index names. */
export interface IndexedContent {
  readonly sha256: string;
  readonly objectKey: string;
  readonly size: number;
}

/** The index, as the operator compares it with the bucket: keys, and of files no more than their ids. */
export class UpkeepStore extends Store {
  readonly #shelf: Shelf;

  constructor(context: StoreContext) {
    super(context);
    this.#shelf = new Shelf(context);
  }

  /** Contents in the order of their SHA-256. @param after the last one of the page before */
  contents(after: string, limit: number): IndexedContent[] {
    return this.db.all<{ sha256: string; objectKey: string; size: number }>(
      'SELECT sha256, object_key AS objectKey, size FROM contents WHERE sha256 > ? ORDER BY sha256 LIMIT ?',
      after,
      limit,
    );
  }

  /** Ids of the files that have a content as one of their versions, those in the trash as well. */
  filesOf(sha256: string): string[] {
    return this.db
      .all<{ id: string }>('SELECT DISTINCT file_id AS id FROM file_versions WHERE sha256 = ?', sha256)
      .map(({ id }) => id);
  }

  /** Which of these objects the index names nowhere, neither as bytes of a file nor as something on its way. */
  unnamed(objectKeys: readonly string[]): string[] {
    return this.db
      .all<{ key: string }>(
        `SELECT value AS key FROM json_each(?)
         WHERE value NOT IN (SELECT object_key FROM contents) AND value NOT IN (SELECT object_key FROM loose_objects)`,
        JSON.stringify(objectKeys),
      )
      .map(({ key }) => key);
  }

  /**
   * Gives objects that the index names nowhere to the next sweep. Looked at again here, in one step with it:
   * what was committed since the comparison stays.
   *
   * @returns how many there were
   */
  claim(objectKeys: readonly string[], now: number): number {
    return this.db.transaction(() => {
      const orphans = this.unnamed(objectKeys);
      for (const key of orphans) this.#shelf.loosen(key, '', now, 'claimed');
      return orphans.length;
    });
  }
}
