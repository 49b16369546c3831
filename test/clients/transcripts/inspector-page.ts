import { BEARER, CHALLENGE, JSON_OR_EVENTS, rpc, signIn } from './transcript.ts';
import type { Step, Transcript } from './transcript.ts';

const CALLBACK = 'http://localhost:6274/oauth/callback';
const ORIGIN = { Origin: 'http://localhost:6274' };

/** What lets a page read an answer; without a redirect, which a browser reports as a failure of CORS. */
const READABLE = { 'access-control-allow-origin': ORIGIN.Origin, location: null };

const DOCUMENTS = [
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-authorization-server',
];
const NOT_HERE = ['/.well-known/oauth-authorization-server/mcp', '/.well-known/openid-configuration'];

const preflight = (method: string, path: string, headers: string): Step => ({
  does: `asks before it may ${method} ${path}`,
  seen: 'modelcontextprotocol/inspector#686, open-metadata/OpenMetadata#30673',
  request: `OPTIONS ${path}`,
  headers: { ...ORIGIN, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': headers },
  answer: {
    status: 204,
    headers: {
      ...READABLE,
      'access-control-allow-methods': new RegExp(String.raw`\b${method}\b`),
      'access-control-allow-headers': new RegExp(headers.replaceAll(',', '.*'), 'i'),
    },
  },
});

export const inspectorPage: Transcript = {
  client: 'the page of the MCP Inspector, and every client that runs in a browser',
  steps: [
    ...DOCUMENTS.map((path) => preflight('GET', path, 'mcp-protocol-version')),
    ...DOCUMENTS.map((path): Step => ({
      does: `reads ${path} from another origin`,
      seen: 'modelcontextprotocol/inspector#675, routecraftjs/routecraft#320',
      request: `GET ${path}`,
      headers: { ...ORIGIN, 'MCP-Protocol-Version': '2025-11-25' },
      answer: { status: 200, headers: READABLE, json: {} },
    })),
    ...NOT_HERE.map((path): Step => ({
      does: `must be able to read that ${path} is not here`,
      seen: 'modelcontextprotocol/inspector#675, routecraftjs/routecraft#320',
      request: `GET ${path}`,
      headers: ORIGIN,
      answer: { status: 404, headers: READABLE, json: { status: 404 } },
    })),
    preflight('POST', '/register', 'content-type'),
    preflight('POST', '/token', 'content-type'),
    // Before any token: the browser sends none with this.
    preflight('POST', '/mcp', 'authorization,content-type,mcp-protocol-version'),
    {
      does: 'reads the challenge',
      seen: 'envoyproxy/ai-gateway#2307',
      request: 'POST /mcp',
      headers: { ...ORIGIN, Accept: JSON_OR_EVENTS },
      json: rpc('tools/list'),
      answer: {
        status: 401,
        headers: { ...READABLE, 'www-authenticate': CHALLENGE, 'access-control-expose-headers': /WWW-Authenticate/i },
      },
    },
    ...signIn('MCP Inspector', CALLBACK, ORIGIN),
    {
      does: 'calls a tool from the page',
      request: 'POST /mcp',
      headers: { ...ORIGIN, Authorization: BEARER, Accept: JSON_OR_EVENTS },
      json: rpc('tools/call', { name: 'whoami', arguments: {} }),
      answer: { status: 200, headers: READABLE, json: { result: { structuredContent: { client: '{client}' } } } },
    },
  ],
};
