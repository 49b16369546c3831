import { authorization, BEARER, JSON_OR_EVENTS, redemption, rpc } from './transcript.ts';
import type { Transcript } from './transcript.ts';

/** The last part is made of the server's address and stays; the port is another one at each start. */
const FIRST = 'http://127.0.0.1:37819/callback/6MFBM1In3Ey-';
const LATER = 'http://127.0.0.1:63546/callback/6MFBM1In3Ey-';

const AUTHORISED = { Authorization: BEARER, Accept: JSON_OR_EVENTS, 'MCP-Protocol-Version': '2025-06-18' };

/** No `resource`: its library leaves it out of the refresh, and only there. */
const REFRESH = { grant_type: 'refresh_token', refresh_token: '{refresh}', client_id: '{client}' };

export const codex: Transcript = {
  client: 'Codex: the command line and the app',
  steps: [
    {
      does: 'registers as a native app at the port that it has right now',
      seen: 'elmohq/elmo#684, openai/codex#30460',
      request: 'POST /register',
      json: {
        client_name: 'Codex',
        redirect_uris: [FIRST],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        application_type: 'native',
      },
      answer: { status: 201, json: { redirect_uris: [FIRST] } },
      keep: { client: 'client_id' },
    },
    {
      does: 'asks for the scopes of OpenID, of which the server has none',
      seen: 'openai/codex#17265',
      visit: '/authorize',
      query: authorization(FIRST, { resource: '{mcp}', scope: 'openid profile email offline_access' }),
      lands: FIRST,
    },
    {
      does: 'redeems that code',
      request: 'POST /token',
      form: redemption(FIRST, { resource: '{mcp}' }),
      // All that its person allowed: refused or empty, it would be of no use to anybody.
      answer: { status: 200, json: { scope: 'sessions:read sessions:write files:read files:write' } },
    },
    {
      does: 'sends its person back to another port after a restart',
      seen: 'openai/codex#28585, can1357/oh-my-pi#4711',
      visit: '/authorize',
      query: authorization(LATER, { resource: '{mcp}' }),
      lands: LATER,
    },
    {
      does: 'redeems the code',
      request: 'POST /token',
      form: redemption(LATER, { resource: '{mcp}' }),
      answer: { status: 200 },
      keep: { access: 'access_token', refresh: 'refresh_token', first: 'access_token' },
    },
    {
      does: 'initialises in an older revision, which it gets',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('initialize', {
        protocolVersion: '2025-06-18',
        capabilities: { elicitation: {} },
        clientInfo: { name: 'codex-mcp-client', title: 'Codex', version: '0.147.0' },
      }),
      answer: { status: 200, json: { result: { protocolVersion: '2025-06-18' } } },
    },
    {
      does: 'calls a tool without a progress token',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/call', { name: 'state_set', arguments: { key: 'ode', value: 'a rose' } }),
      answer: { status: 200, json: { result: { structuredContent: { version: 1 } } } },
    },
    {
      does: 'refreshes from all of its windows at once, without a resource',
      seen: 'openai/codex#33403, openai/codex#27165, anomalyco/opencode#34074',
      request: 'POST /token',
      form: REFRESH,
      atOnce: 4,
      answer: { status: 200, json: { token_type: 'bearer' } },
      keep: { access: 'access_token', next: 'refresh_token' },
    },
    {
      does: 'lost the answer in one window, which tries the old token again',
      seen: 'PrefectHQ/fastmcp#5037, exceptionless/Exceptionless#2404',
      request: 'POST /token',
      form: REFRESH,
      // The same tokens: had it got others, the windows would push each other out.
      answer: { status: 200, json: { access_token: '{access}', refresh_token: '{next}' } },
    },
    {
      does: 'uses the new token, which is for the same server',
      seen: 'openai/codex#33403',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/call', { name: 'state_get', arguments: { key: 'ode' } }),
      answer: { status: 200, json: { result: { structuredContent: { value: 'a rose' } } } },
    },
    {
      does: 'still has requests on the way with the first token',
      seen: 'anomalyco/opencode#34074',
      request: 'POST /mcp',
      headers: { ...AUTHORISED, Authorization: 'Bearer {first}' },
      json: rpc('tools/call', { name: 'state_get', arguments: { key: 'ode' } }),
      atOnce: 3,
      answer: { status: 200, json: { result: { structuredContent: { value: 'a rose' } } } },
    },
    {
      does: 'refreshes once more, with the token of the answer that it kept',
      request: 'POST /token',
      form: { ...REFRESH, refresh_token: '{next}' },
      answer: { status: 200 },
      keep: { access: 'access_token' },
    },
    {
      does: 'is let in and was never logged out',
      seen: 'openai/codex#17265',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/list'),
      answer: { status: 200, json: { result: { tools: [{ name: 'whoami' }] } } },
    },
    {
      does: 'shows a dead refresh token, and signs in again only for this error',
      seen: 'FlowFuse/flowfuse#8547',
      request: 'POST /token',
      form: { ...REFRESH, refresh_token: 'of:no:grant' },
      answer: { status: 400, json: { error: 'invalid_grant' } },
    },
  ],
};
