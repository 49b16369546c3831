import { authorization, BEARER, CHALLENGE, JSON_OR_EVENTS, redemption, rpc } from './transcript.ts';
import type { Transcript } from './transcript.ts';

/** Of its registration. It comes with any port. */
const REGISTERED = 'http://127.0.0.1/';
const CALLBACK = 'http://127.0.0.1:59656/';

const AUTHORISED = { Authorization: BEARER, Accept: JSON_OR_EVENTS, 'MCP-Protocol-Version': '2025-11-25' };
const WRITE = rpc('tools/call', { name: 'state_set', arguments: { key: 'ode', value: 'a rose' } });

export const vscode: Transcript = {
  client: 'VS Code',
  steps: [
    {
      does: 'knocks, and builds addresses of its own where the challenge is missing',
      seen: 'microsoft/vscode#261120',
      request: 'POST /mcp',
      headers: { Accept: JSON_OR_EVENTS },
      json: rpc('initialize', {
        protocolVersion: '2025-11-25',
        capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: { form: {}, url: {} } },
        clientInfo: { name: 'Visual Studio Code', version: '1.138.0' },
      }),
      answer: { status: 401, headers: { 'www-authenticate': CHALLENGE } },
    },
    {
      does: 'compares the resource with the address that its person typed, letter by letter',
      seen: 'microsoft/vscode#262278, modelcontextprotocol/python-sdk#1400',
      request: 'GET /.well-known/oauth-protected-resource/mcp',
      headers: { Accept: 'application/json', 'MCP-Protocol-Version': '2025-11-25' },
      answer: { status: 200, json: { resource: '{mcp}', scopes_supported: ['sessions:read', 'sessions:write'] } },
    },
    {
      does: 'registers every grant that it knows where the metadata names none, the device grant among them',
      seen: 'modelcontextprotocol/python-sdk#1379',
      request: 'GET /.well-known/oauth-authorization-server',
      headers: { Accept: 'application/json' },
      answer: { status: 200, json: { grant_types_supported: ['authorization_code', 'refresh_token'] } },
    },
    {
      does: 'registers as a native app, with a callback that names no port',
      seen: 'microsoft/vscode#278512',
      request: 'POST /register',
      json: {
        client_name: 'Visual Studio Code',
        client_uri: 'https://code.visualstudio.com',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [
          'https://insiders.vscode.dev/redirect',
          'https://vscode.dev/redirect',
          REGISTERED,
          'http://127.0.0.1:33418/',
        ],
        token_endpoint_auth_method: 'none',
        application_type: 'native',
      },
      answer: { status: 201, json: { redirect_uris: [REGISTERED] } },
      keep: { client: 'client_id' },
    },
    {
      does: 'comes back at another port where its own is taken, and asks for reading alone',
      seen: 'microsoft/vscode#278512',
      visit: '/authorize',
      query: authorization(CALLBACK, { resource: '{mcp}', scope: 'sessions:read' }),
      lands: CALLBACK,
    },
    {
      does: 'redeems the code',
      request: 'POST /token',
      form: redemption(CALLBACK, { resource: '{mcp}' }),
      answer: { status: 200, json: { scope: 'sessions:read' } },
      keep: { access: 'access_token' },
    },
    {
      does: 'sees only what it may use',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/call', { name: 'whoami', arguments: {} }),
      answer: { status: 200, json: { result: { structuredContent: { scopes: ['sessions:read'] } } } },
    },
    {
      does: 'takes a 403 for the start of OAuth, which ends well only if it names the scopes',
      seen: 'microsoft/vscode#334970, anthropics/claude-code#19066',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: WRITE,
      answer: {
        status: 403,
        headers: { 'www-authenticate': /^Bearer .*error="insufficient_scope".*scope="[^"]*sessions:write/ },
      },
    },
    {
      does: 'sends its person again, for both',
      seen: 'anthropics/claude-code#19066',
      visit: '/authorize',
      query: authorization(CALLBACK, { resource: '{mcp}', scope: 'sessions:read sessions:write' }),
      lands: CALLBACK,
    },
    {
      does: 'redeems the second code',
      request: 'POST /token',
      form: redemption(CALLBACK, { resource: '{mcp}' }),
      answer: { status: 200 },
      keep: { access: 'access_token' },
    },
    {
      does: 'writes with what it got',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: WRITE,
      answer: { status: 200, json: { result: { structuredContent: { version: 1 } } } },
    },
    {
      does: 'takes every 401 for the start of OAuth, so a token that is none of ours gets no other answer',
      seen: 'microsoft/vscode#334970',
      request: 'POST /mcp',
      headers: { ...AUTHORISED, Authorization: 'Bearer of-another-server' },
      json: WRITE,
      answer: { status: 401, headers: { 'www-authenticate': /error="invalid_token"/ } },
    },
  ],
};
