import type { Workspaces } from '../workspace/client.ts';
import type { FileBucket } from './bucket.ts';

interface UpkeepServiceOptions {
  readonly bucket: FileBucket;
  readonly workspaces: Pick<Workspaces, 'upkeep'>;
}

export interface CompareOptions {
  /** Whether the orphans are given to the next sweep. */
  readonly mend: boolean;
  /** How old an orphan must be, in ms. */
  readonly age: number;
}

/** How the index of a workspace and the bucket stand to each other. */
export interface Comparison {
  /** Objects of the workspace in the bucket, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  /** Contents that the index names. */
  readonly contents: number;
  /** Objects that the index names nowhere and that are old enough, and their bytes. */
  readonly orphans: number;
  readonly orphanedBytes: number;
  /** Those of them that were given to the next sweep. */
  readonly mended: number;
  /** Contents whose object is not there, or has another size: their bytes are lost. At most {@link LISTED} are listed. */
  readonly missing: number;
  readonly lost: readonly { readonly objectKey: string; readonly files: readonly string[] }[];
}

const PAGE = 5000;
/** What a report lists of what is missing. */
const LISTED = 20;

/**
 * Compares the index with the bucket, both ways. Both change meanwhile. So the index is read first, then the
 * bucket, and what looks wrong is asked of both once more: an object is in the index before its first byte is
 * in the bucket, and leaves it after the last.
 */
export class UpkeepService {
  readonly #bucket: FileBucket;
  readonly #workspaces: Pick<Workspaces, 'upkeep'>;

  constructor({ bucket, workspaces }: UpkeepServiceOptions) {
    this.#bucket = bucket;
    this.#workspaces = workspaces;
  }

  /** The ids of all workspaces that have objects in the bucket. */
  async workspaceIds(): Promise<string[]> {
    return this.#bucket.folders();
  }

  /** @param now ms since the epoch */
  async compare(workspaceId: string, { mend, age }: CompareOptions, now: number): Promise<Comparison> {
    const upkeep = this.#workspaces.upkeep(workspaceId);
    const named = new Map<string, { sha256: string; size: number }>();
    for (let after = ''; ;) {
      const page = await upkeep.contents(after, PAGE);
      for (const { objectKey, sha256, size } of page) named.set(objectKey, { sha256, size });
      after = page.at(-1)?.sha256 ?? '';
      if (page.length < PAGE) break;
    }

    let [objects, bytes] = [0, 0];
    const unknown = new Map<string, number>();
    const suspects = new Map(named);
    for await (const { key, size, storedAt } of this.#bucket.list(`${workspaceId}/`)) {
      objects += 1;
      bytes += size;
      if (named.get(key)?.size === size) suspects.delete(key);
      else if (!named.has(key) && storedAt <= now - age) unknown.set(key, size);
    }

    const orphans: string[] = [];
    for (const keys of pages([...unknown.keys()])) orphans.push(...(await upkeep.unnamed(keys)));
    let mended = 0;
    if (mend) for (const keys of pages(orphans)) mended += await upkeep.claim(keys, now);

    const lost: { objectKey: string; files: string[] }[] = [];
    let missing = 0;
    for (const [objectKey, { sha256, size }] of suspects) {
      if ((await this.#bucket.head(objectKey))?.size === size) continue;
      const files = await upkeep.filesOf(sha256);
      // What no file has any more left the index meanwhile, and its object after it.
      if (files.length === 0) continue;
      missing += 1;
      if (lost.length < LISTED) lost.push({ objectKey, files });
    }
    const orphanedBytes = orphans.reduce((sum, key) => sum + (unknown.get(key) ?? 0), 0);
    return {
      objects,
      bytes,
      contents: named.size,
      orphans: orphans.length,
      orphanedBytes,
      mended,
      missing,
      lost,
    };
  }
}

function* pages<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let from = 0; from < items.length; from += PAGE) yield items.slice(from, from + PAGE);
}
