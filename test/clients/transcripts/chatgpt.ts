import { authorization, BEARER, CHALLENGE, JSON_404, JSON_OR_EVENTS, redemption, rpc } from './transcript.ts';
import type { Transcript } from './transcript.ts';

const CALLBACK = 'https://chatgpt.com/connector_platform_oauth_redirect';

const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'openai-mcp', version: '1.0.0' },
});

const AUTHORISED = { Authorization: BEARER, Accept: JSON_OR_EVENTS };

export const chatgpt: Transcript = {
  client: 'ChatGPT: a custom connector',
  steps: [
    {
      does: 'knocks, and starts OAuth only for a 401 with a challenge',
      seen: 'desktop-commander/remote-desktop-commander#1',
      request: 'POST /mcp',
      headers: { Accept: JSON_OR_EVENTS },
      json: INITIALIZE,
      answer: { status: 401, headers: { 'www-authenticate': CHALLENGE } },
    },
    {
      does: 'asks for the metadata of its address, which must be JSON',
      seen: 'getsentry/sentry-mcp#742',
      request: 'GET /.well-known/oauth-protected-resource/mcp',
      answer: { status: 200, json: { resource: '{mcp}', authorization_servers: ['{origin}'] } },
    },
    {
      does: 'drops the path, and says that there is no OAuth where the origin has no metadata',
      seen: 'kernel/kernel-mcp-server#91',
      request: 'GET /.well-known/oauth-protected-resource',
      answer: { status: 200, json: { authorization_servers: ['{origin}'] } },
    },
    {
      does: 'tries OpenID Connect, which is not here',
      seen: 'Waishnav/devspace#44',
      request: 'GET /.well-known/openid-configuration',
      answer: JSON_404,
    },
    {
      does: 'reads the metadata of the authorization server',
      seen: 'kernel/kernel-mcp-server#91',
      request: 'GET /.well-known/oauth-authorization-server',
      answer: {
        status: 200,
        json: { issuer: '{origin}', grant_types_supported: ['authorization_code', 'refresh_token'] },
      },
    },
    {
      does: 'registers, and rejects an answer without the refresh grant that the metadata names',
      seen: 'clerk/mcp-tools#19',
      request: 'POST /register',
      json: {
        client_name: 'ChatGPT',
        redirect_uris: [CALLBACK],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      answer: { status: 201, json: { grant_types: ['authorization_code', 'refresh_token'] } },
      keep: { client: 'client_id' },
    },
    {
      does: 'names the resource with its path',
      seen: 'cloudflare/workers-oauth-provider#108',
      visit: '/authorize',
      query: authorization(CALLBACK, {
        resource: '{mcp}',
        scope: 'sessions:read sessions:write files:read files:write',
      }),
      lands: CALLBACK,
    },
    {
      does: 'redeems the code for the same resource',
      seen: 'cloudflare/workers-oauth-provider#108',
      request: 'POST /token',
      form: redemption(CALLBACK, { resource: '{mcp}' }),
      answer: { status: 200, json: { scope: 'sessions:read sessions:write files:read files:write' } },
      keep: { access: 'access_token', refresh: 'refresh_token' },
    },
    {
      does: 'opens a session with that token, whose audience must fit',
      seen: 'cloudflare/workers-oauth-provider#108, nowledge-co/community#496',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: INITIALIZE,
      answer: { status: 200, json: { result: { protocolVersion: '2025-11-25' } } },
    },
    {
      does: 'keeps the catalogue of tools',
      seen: 'homeassistant-ai/ha-mcp#2017',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/list'),
      answer: { status: 200, json: { result: { tools: [{ name: 'session_open' }, { name: 'file_write' }] } } },
    },
    {
      does: 'opens a new session for every call of a tool',
      seen: 'openai/openai-apps-sdk-examples#165',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: INITIALIZE,
      answer: { status: 200, headers: { 'mcp-session-id': null } },
    },
    {
      does: 'writes a file',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/call', { name: 'file_write', arguments: { path: 'ode.txt', text: 'a rose' } }),
      answer: { status: 200, json: { result: { structuredContent: { file: { path: 'ode.txt', version: 1 } } } } },
      keep: { file: 'result.structuredContent.file.id' },
    },
    {
      does: 'refreshes, again with the path',
      seen: 'cloudflare/workers-oauth-provider#108',
      request: 'POST /token',
      form: { grant_type: 'refresh_token', refresh_token: '{refresh}', client_id: '{client}', resource: '{mcp}' },
      answer: { status: 200 },
      keep: { access: 'access_token' },
    },
    {
      does: 'reads the file with the new token',
      request: 'POST /mcp',
      headers: AUTHORISED,
      json: rpc('tools/call', { name: 'file_read', arguments: { file: '{file}' } }),
      answer: { status: 200, json: { result: { structuredContent: { text: 'a rose' } } } },
    },
  ],
};
