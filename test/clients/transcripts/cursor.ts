import { authorization, BEARER, CHALLENGE, JSON_404, JSON_OR_EVENTS, redemption, rpc } from './transcript.ts';
import type { Step, Transcript } from './transcript.ts';

/** All three in one registration; which one it uses depends on the version and on where it runs. */
const CALLBACKS = [
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'http://localhost:8787/callback',
];

const AUTHORISED = { Authorization: BEARER, Accept: JSON_OR_EVENTS, 'MCP-Protocol-Version': '2025-11-25' };

const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: { elicitation: {}, roots: { listChanged: false }, tools: true, prompts: true, resources: true },
  clientInfo: { name: 'cursor-vscode', version: '1.0.0' },
});

const signInAt = (callback: string): Step[] => [
  {
    does: `signs in at ${callback}`,
    seen: 'soflyy/agent-connector-for-wp#111, bytebase/bytebase#20510',
    visit: '/authorize',
    query: authorization(callback, { resource: '{mcp}' }),
    lands: callback,
  },
  {
    does: `redeems the code that came to ${callback}`,
    request: 'POST /token',
    form: redemption(callback, { resource: '{mcp}' }),
    answer: { status: 200 },
    keep: { access: 'access_token' },
  },
  {
    does: `connects with what it got at ${callback}`,
    request: 'POST /mcp',
    headers: AUTHORISED,
    json: rpc('tools/call', { name: 'whoami', arguments: {} }),
    answer: { status: 200, json: { result: { structuredContent: { client: '{client}' } } } },
  },
];

export const cursor: Transcript = {
  client: 'Cursor: the editor and its agents in the cloud',
  steps: [
    {
      does: 'knocks with capabilities that no specification has',
      request: 'POST /mcp',
      headers: { Accept: JSON_OR_EVENTS },
      json: INITIALIZE,
      answer: { status: 401, headers: { 'www-authenticate': CHALLENGE } },
    },
    {
      does: 'looks beside the path first: it may have lost the challenge by now',
      seen: 'gamedevpl/www.gamedev.pl#483',
      request: 'GET /.well-known/oauth-protected-resource/mcp',
      headers: { 'MCP-Protocol-Version': '2025-11-25' },
      answer: { status: 200, json: { resource: '{mcp}' } },
    },
    // A 404 that is no JSON ends in an exception of its parser, and the person reads of that.
    ...[
      '/.well-known/oauth-authorization-server/mcp',
      '/.well-known/openid-configuration/mcp',
      '/mcp/.well-known/openid-configuration',
      '/.well-known/anything-else',
    ].map((path): Step => ({
      does: `crashes where the 404 of ${path} is not JSON`,
      seen: 'webflow/mcp-server#107',
      request: `GET ${path}`,
      answer: JSON_404,
    })),
    {
      does: 'posts to an address that is not there, and parses that answer too',
      seen: 'webflow/mcp-server#107',
      request: 'POST /oauth/token',
      form: { grant_type: 'authorization_code' },
      answer: JSON_404,
    },
    {
      does: 'registers three kinds of callbacks together',
      seen: 'erp-mafia/accounted#2225, soflyy/agent-connector-for-wp#111',
      request: 'POST /register',
      json: {
        client_name: 'Cursor',
        redirect_uris: CALLBACKS,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      answer: { status: 201, json: { redirect_uris: CALLBACKS, token_endpoint_auth_method: 'none' } },
      keep: { client: 'client_id' },
    },
    ...CALLBACKS.flatMap(signInAt),
    {
      does: 'asks for a stream and goes on without one only after 405',
      seen: 'gts360/django-mcp-server#55',
      request: 'GET /mcp',
      headers: { ...AUTHORISED, Accept: 'text/event-stream' },
      answer: { status: 405, headers: { allow: 'POST', 'content-type': /json$/ }, json: { status: 405 } },
    },
  ],
};
