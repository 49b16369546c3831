import type { Client as ClientV2 } from '@modelcontextprotocol/client';
import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';

import { AppAuth, connect } from '../../../scripts/client/mcp.ts';
import { connectV1, V1Auth } from '../../e2e/support/sdk-v1.ts';
import { onlyText, structured } from './client.ts';
import type { App, Connection, Follow } from './client.ts';

/** A connection of one of the two official SDKs: the same calls, other classes. */
export function sdkConnection(client: ClientV1 | ClientV2, revision: () => string | undefined): Connection {
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, input) => structured(name, await client.callTool({ name, arguments: input })),
    read: async (uri) => onlyText(await client.readResource({ uri })),
    revision,
    close: () => client.close(),
  };
}

class FollowedAuth extends AppAuth {
  follow: Follow | undefined;

  override async redirectToAuthorization(url: URL): Promise<void> {
    await super.redirectToAuthorization(url);
    this.callback = await this.follow?.(url);
  }
}

/** The official SDK of the 2026 era. */
export function sdkV2(): App {
  const auth = new FollowedAuth({ name: 'SDK v2' });
  return {
    async connect(mcpUrl, follow) {
      auth.follow = follow;
      const client = await connect(mcpUrl, auth);
      return sdkConnection(client, () => client.getNegotiatedProtocolVersion());
    },
    remove() {},
  };
}

/** The official SDK of the 2025 era, which most apps are built with. */
export function sdkV1(): App {
  let auth: V1Auth | undefined;
  return {
    async connect(mcpUrl, follow) {
      auth ??= new V1Auth(follow);
      const { client, transport } = await connectV1(mcpUrl, auth);
      return sdkConnection(client, () => transport.protocolVersion);
    },
    remove() {},
  };
}
