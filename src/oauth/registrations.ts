import type { AuditTrail } from '../directory/audit.ts';
import type { OAuthRecordRepo } from '../directory/oauth-repo.ts';
import type { RegistrationRepo } from '../directory/registration-repo.ts';
import { CarrelError } from '../lib/errors.ts';
import { randomName } from '../lib/ids.ts';
import type { Keyring } from '../lib/keyring.ts';
import { DEVICE_GRANT } from './model.ts';
import { withRefusal } from './server.ts';

const HOUR_MS = 3_600_000;
/**
 * Registrations in an hour. Generous for one address, because hosted assistants register every person's
 * connection from the same few; together still few enough to be swept.
 */
const PER_ADDRESS = 300;
const IN_ALL = 3000;
/** How long a client that nobody grants anything is kept, in ms. */
const UNUSED_MS = 7 * 86_400_000;

const tooMany = () =>
  new CarrelError('limit_exceeded', 'Too many apps have registered here in the last hour. Try again later.', {
    details: { retry_after: HOUR_MS / 1000 / 4 },
  });

interface RegistrationContext {
  readonly address: string | undefined;
  readonly origin: string;
  readonly requestId: string;
}

/** Registration is open to anybody, as clients expect; this bounds what that can cost. */
export class Registrations {
  readonly #repo: RegistrationRepo;
  readonly #records: OAuthRecordRepo;
  readonly #keyring: Keyring;
  readonly #audit: AuditTrail;

  constructor(repo: RegistrationRepo, records: OAuthRecordRepo, keyring: Keyring, audit: AuditTrail) {
    this.#repo = repo;
    this.#records = records;
    this.#keyring = keyring;
    this.#audit = audit;
  }

  /**
   * Registers a client within the limits.
   *
   * @param text what the client says of itself
   * @param address where the request came from, as the edge says; undefined where there is no edge
   * @param register the library, which answers as RFC 7591 says; what it refuses does not count
   * @throws CarrelError `limit_exceeded` with `retry_after`, in seconds
   */
  async register(
    text: string,
    { address, origin, requestId }: RegistrationContext,
    register: (text: string) => Promise<Response>,
  ): Promise<Response> {
    const slot = randomName();
    const now = Date.now();
    const limit = { since: now - HOUR_MS, ofAddress: address === undefined ? IN_ALL : PER_ADDRESS, inAll: IN_ALL };
    const addressHash = await this.#keyring.sign('client-address', address ?? '');
    if (!(await this.#repo.take(slot, addressHash, limit, now))) throw tooMany();
    const { response, refusal } = await withRefusal(async () => this.#withDevices(text, origin, register));
    if (response.status !== 201) {
      await this.#repo.release(slot);
      const detail = { reason: refusal?.reason ?? 'unknown' };
      await this.#audit.record({ action: 'registration_refused', requestId, detail });
      return response;
    }
    const { client_id: clientId } = await response.clone().json<{ client_id: string }>();
    await this.#repo.name(slot, clientId);
    await this.#audit.record({ action: 'client_registered', clientId, requestId });
    return response;
  }

  /** The library knows nothing of devices without a browser, and refuses who asks for their grant. */
  async #withDevices(text: string, origin: string, register: (text: string) => Promise<Response>): Promise<Response> {
    if (!text.includes(DEVICE_GRANT)) return register(text);
    const { registerForDevice } = await import('./device/registration.ts');
    return registerForDevice(text, origin, this.#records, register);
  }

  /** The first step of connecting: some client read where this deployment's endpoints are. */
  async noteDiscovery(requestId: string): Promise<void> {
    await this.#audit.sample({ action: 'metadata_read', requestId });
  }

  async sweep(now: number): Promise<void> {
    await this.#repo.sweep(now - UNUSED_MS);
  }
}
