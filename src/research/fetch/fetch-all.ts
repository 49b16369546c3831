import { asCarrelError, CarrelError } from '../../lib/errors.ts';
import { fetching, fetchWithin } from './fetch-source.ts';
import { MAX_BATCH } from './model.ts';
import type { FetchedSource, FetchSettings } from './model.ts';

export type Outcome<Result> = { readonly result: Result; readonly error?: undefined } | { readonly error: CarrelError };

/**
 * Fetches sources as `fetchSource` does, a few at once and politely to each host, and hands each to `use` as it comes.
 * Their bytes are held until `use` is done with them and no longer, which is what bounds the memory that this takes: up
 * to four are with it at once. What could not be begun or ended in the time of one call is refused as `not_reached`.
 *
 * @returns in the order of the addresses: what `use` made of each, or why there is nothing
 * @throws CarrelError `limit_exceeded` beyond {@link MAX_BATCH} addresses
 */
export async function fetchAll<Result>(
  addresses: readonly string[],
  settings: FetchSettings,
  use: (source: FetchedSource, index: number) => Promise<Result>,
): Promise<Outcome<Result>[]> {
  if (addresses.length > MAX_BATCH)
    throw new CarrelError('limit_exceeded', `At most ${MAX_BATCH} addresses are fetched at once.`, {
      details: { reason: 'batch', limit: MAX_BATCH },
    });
  const over = new AbortController();
  const done = new AbortController();
  const all = fetching(settings, AbortSignal.any([over.signal, ...(settings.signal ? [settings.signal] : [])]));
  all.clock.sleep(all.times.batch, done.signal).then(
    () => over.abort(),
    () => undefined,
  );
  try {
    return await Promise.all(
      addresses.map(async (address, index): Promise<Outcome<Result>> => {
        try {
          return { result: await fetchWithin(all, address, async (source) => use(source, index)) };
        } catch (thrown) {
          return { error: asCarrelError(thrown) };
        }
      }),
    );
  } finally {
    done.abort();
  }
}
