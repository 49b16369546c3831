import {
  authorization,
  BEARER,
  CHALLENGE,
  JSON_404,
  JSON_BODY,
  JSON_OR_EVENTS,
  redemption,
  rpc,
} from './transcript.ts';
import type { Transcript } from './transcript.ts';

const CALLBACK = 'https://claude.ai/api/mcp/auth_callback';

const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } } },
  clientInfo: { name: 'Anthropic/ClaudeAI', version: '1.0.0' },
});

/** The probe of the 2026 era, with an id that is a text. */
const DISCOVER = rpc(
  'server/discover',
  {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, roots: { listChanged: true } },
      'io.modelcontextprotocol/clientInfo': { name: 'claude-code', title: 'Claude Code', version: '2.1.260' },
    },
  },
  'server-discover-probe-1',
);
const MODERN = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'server/discover', Accept: JSON_OR_EVENTS };

/** Without MCP-Protocol-Version and without a session id, on every request after `initialize`. */
const AUTHORISED = { Authorization: BEARER, Accept: JSON_OR_EVENTS };

export const claude: Transcript = {
  client: 'Claude: the connector of claude.ai, and Claude Code',
  steps: [
    {
      does: 'asks what the server is in the newest revision, before it has a token',
      seen: 'zoedsoupe/anubis-mcp#295',
      request: 'POST /mcp',
      headers: MODERN,
      json: DISCOVER,
      answer: { status: 401, headers: { 'www-authenticate': CHALLENGE } },
    },
    {
      does: 'knocks a second time from another service, which accepts anything',
      seen: 'anthropics/claude-ai-mcp#217',
      request: 'POST /mcp',
      headers: { Accept: '*/*', 'MCP-Protocol-Version': '2025-11-25' },
      json: INITIALIZE,
      answer: { status: 401, headers: { 'www-authenticate': CHALLENGE } },
    },
    {
      does: 'reads which server signs in for exactly this address',
      seen: 'anthropics/claude-ai-mcp#560',
      request: 'GET /.well-known/oauth-protected-resource/mcp',
      answer: { status: 200, json: { resource: '{mcp}', authorization_servers: ['{origin}'] } },
    },
    {
      does: 'reads the metadata of the origin too',
      seen: 'brendanlong/lion-reader#977',
      request: 'GET /.well-known/oauth-protected-resource',
      answer: { status: 200, json: { resource: '{origin}', authorization_servers: ['{origin}'] } },
    },
    {
      does: 'gives up where S256 is not named, and needs both flags before it uses its own metadata document',
      seen: 'anthropics/claude-ai-mcp#786, cbcoutinho/nextcloud-mcp-server#1470',
      request: 'GET /.well-known/oauth-authorization-server',
      answer: {
        status: 200,
        json: {
          issuer: '{origin}',
          authorization_endpoint: '{origin}/authorize',
          token_endpoint: '{origin}/token',
          registration_endpoint: '{origin}/register',
          code_challenge_methods_supported: ['S256'],
          client_id_metadata_document_supported: true,
          token_endpoint_auth_methods_supported: ['none', 'client_secret_post'],
        },
      },
    },
    {
      does: 'parses a missing discovery document as JSON all the same',
      seen: 'anthropics/claude-code#52158',
      request: 'GET /.well-known/oauth-authorization-server/mcp',
      answer: JSON_404,
    },
    {
      does: 'registers although it may use its document, and wants a secret',
      seen: 'anthropics/claude-ai-mcp#1043',
      request: 'POST /register',
      json: {
        client_name: 'Claude',
        redirect_uris: [CALLBACK],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_post',
      },
      answer: { status: 201, json: { token_endpoint_auth_method: 'client_secret_post', redirect_uris: [CALLBACK] } },
      keep: { client: 'client_id', secret: 'client_secret' },
    },
    {
      does: 'sends its person with the address of the server as the resource',
      seen: 'anthropics/claude-ai-mcp#271',
      visit: '/authorize',
      query: authorization(CALLBACK, {
        resource: '{mcp}',
        scope: 'sessions:read sessions:write files:read files:write',
      }),
      lands: CALLBACK,
    },
    {
      does: 'redeems the code with its secret in the form',
      seen: 'anthropics/claude-ai-mcp#271',
      request: 'POST /token',
      form: redemption(CALLBACK, { client_secret: '{secret}', resource: '{mcp}' }),
      answer: { status: 200, json: { token_type: 'bearer' } },
      keep: { access: 'access_token', refresh: 'refresh_token' },
    },
    {
      does: 'repeats its probe with the token, and may go on in the new revision',
      seen: 'anthropics/claude-ai-mcp#975',
      request: 'POST /mcp',
      headers: { ...MODERN, Authorization: BEARER },
      json: DISCOVER,
      answer: {
        status: 200,
        headers: { 'mcp-session-id': null },
        json: { id: 'server-discover-probe-1', result: { supportedVersions: ['2026-07-28'] } },
      },
    },
    {
      does: 'falls back to initialize from several machines at once',
      seen: 'anthropics/claude-ai-mcp#975',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: INITIALIZE,
      atOnce: 4,
      answer: {
        status: 200,
        // It would never be sent back.
        headers: { 'mcp-session-id': null },
        json: { result: { protocolVersion: '2025-11-25' } },
      },
    },
    {
      does: 'says that it is ready, to a server that remembers nothing of it',
      seen: 'anthropics/claude-ai-mcp#99',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: { jsonrpc: '2.0', method: 'notifications/initialized' },
      answer: { status: 202 },
    },
    {
      does: 'lists tools without naming a revision',
      seen: 'anthropics/claude-ai-mcp#70',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/list'),
      answer: { status: 200, json: { result: { tools: [{ name: 'state_set' }, { name: 'file_read' }] } } },
    },
    {
      does: 'initialises again before it calls a tool',
      seen: 'anthropics/claude-ai-mcp#975',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: INITIALIZE,
      answer: { status: 200, json: { result: { serverInfo: { name: 'carrel' } } } },
    },
    {
      does: 'writes',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/call', { name: 'state_set', arguments: { key: 'ode', value: ['a rose'] } }),
      answer: { status: 200, json: { result: { structuredContent: { version: 1 } } } },
    },
    {
      does: 'reads it in what is another session to it',
      seen: 'anthropics/claude-ai-mcp#99',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/call', { name: 'state_get', arguments: { key: 'ode' } }),
      answer: { status: 200, json: { result: { structuredContent: { value: ['a rose'] } } } },
    },
    {
      does: 'ends a session that it never had',
      seen: 'anthropics/claude-ai-mcp#99',
      request: 'DELETE /mcp',
      headers: AUTHORISED,
      answer: { status: 405, headers: { allow: 'POST', 'content-type': /json$/ }, json: { status: 405 } },
    },
    {
      does: 'looks at the address as a link preview does, and must not get an event stream',
      seen: 'anthropics/claude-ai-mcp#814',
      request: 'GET /mcp',
      headers: { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' },
      answer: { status: 303, headers: { location: '/' } },
    },
    {
      does: 'refreshes from a second machine with the token that the first one used',
      seen: 'PrefectHQ/fastmcp#4264',
      request: 'POST /token',
      form: {
        grant_type: 'refresh_token',
        refresh_token: '{refresh}',
        client_id: '{client}',
        client_secret: '{secret}',
        resource: '{mcp}',
      },
      atOnce: 2,
      answer: { status: 200, headers: { 'content-type': JSON_BODY }, json: { token_type: 'bearer' } },
      keep: { access: 'access_token' },
    },
    {
      does: 'goes on with the new token',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/call', { name: 'state_get', arguments: { key: 'ode' } }),
      answer: { status: 200, json: { result: { structuredContent: { value: ['a rose'] } } } },
    },
    {
      does: 'keeps a client id that the server forgot, and registers anew only for this answer',
      seen: 'PrefectHQ/fastmcp#1762',
      request: 'POST /token',
      form: { grant_type: 'refresh_token', refresh_token: '{refresh}', client_id: 'forgotten', client_secret: 'x' },
      answer: { status: 401, headers: { 'content-type': JSON_BODY }, json: { error: 'invalid_client' } },
    },
    {
      does: 'sends its person with the forgotten id, who must read what to do and be sent nowhere',
      seen: 'anthropics/claude-code#84614, supabase/mcp#355',
      request: 'GET /authorize',
      headers: { Accept: 'text/html' },
      query: { ...authorization(CALLBACK), client_id: 'forgotten' },
      answer: {
        status: 400,
        headers: { location: null, 'content-type': 'text/html; charset=utf-8' },
        text: /app is not known here/,
      },
    },
  ],
};
