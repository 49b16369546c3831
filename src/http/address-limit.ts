import { clientAddress } from '../lib/client-address.ts';
import { CarrelError } from '../lib/errors.ts';

/** The seconds that a limit of wrangler.toml counts over. */
const PERIOD_SECONDS = 60;

/** Lets a request on, or throws. */
export type AddressLimit = (request: Request) => Promise<void>;

/**
 * A brake on one network: the edge counts, at each location by itself and about right, and no storage is
 * read. Without an edge, or without the binding, nobody is held up.
 *
 * @returns what lets a request on, or throws CarrelError `limit_exceeded` with `retry_after`, in seconds
 */
export function addressLimit(binding: RateLimit | undefined): AddressLimit {
  return async (request) => {
    const address = clientAddress(request.headers);
    if (!binding || address === undefined) return;
    // Of deployments in one account, those with the same namespace count together.
    const key = `${new URL(request.url).host} ${address}`;
    // A counter that does not answer must not lock everybody out.
    const { success } = await binding.limit({ key }).catch(() => ({ success: true }));
    if (!success)
      throw new CarrelError('limit_exceeded', 'Too many requests from your network. Try again in a minute.', {
        details: { retry_after: PERIOD_SECONDS },
      });
  };
}
