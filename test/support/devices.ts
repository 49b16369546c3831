import type { BrowserPage } from '../../scripts/client/browser.ts';
import { DEVICE_GRANT } from '../../src/oauth/model.ts';
import { OAuthClient, sendForm } from './person.ts';
import type { Fields } from './oauth-client.ts';
import { formAt } from './people.ts';
import type { Visitor } from './people.ts';

/** What a device shows its person, and polls with. */
export interface DeviceCodes {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

/** A client for terminals. */
export async function registerDevice(metadata: Record<string, unknown> = {}): Promise<OAuthClient> {
  return OAuthClient.register({
    client_name: 'Terminal',
    redirect_uris: undefined,
    grant_types: [DEVICE_GRANT],
    ...metadata,
  });
}

export async function askForDevice({ id, secret }: OAuthClient, fields: Fields = {}): Promise<DeviceCodes> {
  const response = await sendForm('/device_authorization', { client_id: id, client_secret: secret, ...fields });
  if (response.status !== 200) throw new Error(`device authorization: ${response.status} ${await response.text()}`);
  return response.json<DeviceCodes>();
}

/** One poll. */
export async function poll({ id, secret }: OAuthClient, deviceCode: string, fields: Fields = {}): Promise<Response> {
  const form = { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: id, client_secret: secret };
  return sendForm('/token', { ...form, ...fields });
}

/** Enters a code on the page, as somebody who is signed in. @returns the page that follows */
export async function enterCode({ browser }: Visitor, code: string): Promise<BrowserPage> {
  return browser.submit(await browser.open('/device'), formAt('/device'), { user_code: code });
}

/** Answers the question of a device. */
export async function decideDevice(
  { browser }: Visitor,
  page: BrowserPage,
  decision: 'approve' | 'deny',
  fields: Fields = {},
): Promise<BrowserPage> {
  return browser.submit(page, formAt('/device/answer'), { decision, ...(fields as Record<string, string>) });
}
