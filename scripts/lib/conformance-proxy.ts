import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A front of a server that speaks for one person. */
export interface BearerProxy {
  /** The origin, without a trailing slash. */
  readonly url: string;
  /** From now on requests to /mcp bear this token. */
  authorize(token: string): void;
  close(): Promise<void>;
}

/**
 * Listens on a free port of this machine and adds the token that the conformance suite has no option
 * for. All else goes through as it came, `Host` and `Origin` too: the server must judge what the suite
 * sent. Streams are passed on piece by piece, and who goes away on one side goes away on the other.
 *
 * @param target the origin of the server
 */
export async function startBearerProxy(target: string): Promise<BearerProxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  let bearer: readonly string[] = [];

  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? '/', target);
    const upstream = httpRequest({
      hostname,
      port,
      agent,
      method: incoming.method,
      path: incoming.url,
      headers:
        pathname === '/mcp' && !incoming.headers.authorization
          ? [...incoming.rawHeaders, ...bearer]
          : incoming.rawHeaders,
    });
    upstream.once('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', answer.rawHeaders);
      outgoing.flushHeaders();
      answer.once('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    // Without an answer the suite sees a connection that breaks, which is what happened.
    upstream.once('error', () => outgoing.destroy());
    outgoing.once('close', () => upstream.destroy());
    incoming.pipe(upstream);
  });

  // By name, as the suite will call it: which of the two loopback addresses that is depends on the machine.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, 'localhost', resolve);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    authorize(token) {
      bearer = ['Authorization', `Bearer ${token}`];
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}
