import type { Client } from '@modelcontextprotocol/client';

import { Browser } from '../../../scripts/client/browser.ts';
import { connect, PersonalAuth } from '../../../scripts/client/mcp.ts';

/** Somebody who signed in and connected an app, over the way that people go. */
export interface Person {
  readonly email: string;
  readonly browser: Browser;
  /** SDK v2, MCP 2026-07-28. */
  readonly client: Client;
  readonly token: string;
}

/** @param mcpUrl may have a query */
export async function signUp(mcpUrl: string, email: string): Promise<Person> {
  const browser = new Browser(new URL(mcpUrl).origin);
  const auth = new PersonalAuth(browser, email);
  const client = await connect(mcpUrl, auth);
  return { email, browser, client, token: auth.accessToken };
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
