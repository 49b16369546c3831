import type { OAuthRecordRepo } from '../../directory/oauth-repo.ts';
import { parseJson } from '../../lib/json.ts';
import { DEVICE_GRANT, deviceRedirect } from '../model.ts';

type Metadata = Record<string, unknown>;

/**
 * Registers a client for the device grant: the library registers it for all else, and the grant is noted in
 * the client's record, where it is looked up.
 *
 * @param register the library, given the metadata that it knows
 */
export async function registerForDevice(
  text: string,
  origin: string,
  records: OAuthRecordRepo,
  register: (body: string) => Promise<Response>,
): Promise<Response> {
  const metadata = parseJson(text);
  if (!isMetadata(metadata) || !grantTypesOf(metadata).includes(DEVICE_GRANT)) return register(text);
  const others = grantTypesOf(metadata).filter((type) => type !== DEVICE_GRANT);
  const usesCodes = others.includes('authorization_code');
  const response = await register(
    JSON.stringify({
      ...metadata,
      // Each gets refresh tokens, and the library wants them named where there are no codes.
      grant_types: usesCodes ? others : ['refresh_token'],
      // The library insists on a redirect. Without `code` no request to /authorize can make use of it.
      ...(usesCodes ? {} : { response_types: [], redirect_uris: [deviceRedirect(origin)] }),
    }),
  );
  if (response.status !== 201) return response;
  const registered = await response.json<Metadata & { client_id: string }>();
  const key = `client:${registered.client_id}`;
  const stored = JSON.parse((await records.get(key, Date.now())) ?? '{}') as StoredClient;
  const grantTypes = [...(stored.grantTypes ?? []), DEVICE_GRANT];
  const { registrationExpiresAt: seconds } = stored;
  const expiresAt = seconds === undefined ? null : seconds * 1000;
  await records.put({ key, value: JSON.stringify({ ...stored, grantTypes }), expiresAt });
  return Response.json(
    { ...registered, grant_types: grantTypes, ...(usesCodes ? {} : { redirect_uris: [] }) },
    { status: 201, headers: { 'Cache-Control': 'no-store' } },
  );
}

/** What we read of a client as the library stores it. */
interface StoredClient {
  readonly grantTypes?: readonly string[];
  /** Seconds since the epoch; undefined for never. Each use moves it. */
  readonly registrationExpiresAt?: number;
}

function isMetadata(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function grantTypesOf({ grant_types: types }: Metadata): string[] {
  return Array.isArray(types) ? types.filter((type) => typeof type === 'string') : [];
}
