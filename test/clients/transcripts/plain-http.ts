import { authorization, BEARER, rpc, signIn } from './transcript.ts';
import type { Step, Transcript } from './transcript.ts';

const WHOAMI = rpc('tools/call', { name: 'whoami', arguments: {} });
const ANSWERED = { result: { structuredContent: { client: '{client}' } } };

/** The specification wants both media types named; these name fewer, and cannot be mended from here. */
const accepting = (who: string, accept: string | undefined, seen: string, type: RegExp): Step => ({
  does: `${who} accepts ${accept ?? 'nothing by name'}`,
  seen,
  request: 'POST /mcp',
  headers: { Authorization: BEARER, Accept: accept },
  json: WHOAMI,
  answer: { status: 200, headers: { 'content-type': type }, json: ANSWERED },
});

export const plainHttp: Transcript = {
  client: 'clients that send less than the specification wants, or more',
  steps: [
    ...signIn('A small client', 'http://localhost:3118/callback'),
    accepting('Gemini CLI', 'application/json', 'honojs/middleware#1799', /^application\/json/),
    accepting('the Java SDK', 'text/event-stream', 'honojs/middleware#1799', /^text\/event-stream/),
    accepting('a line of curl', '*/*', 'honojs/middleware#1799, masumi-network/Citadel#45', /json|event-stream/),
    accepting('Claude Code at times', undefined, 'vectorize-io/hindsight#571', /json|event-stream/),
    {
      does: 'one that accepts JSON alone initialises',
      seen: 'masumi-network/Citadel#45',
      request: 'POST /mcp',
      headers: { Authorization: BEARER, Accept: 'application/json' },
      json: rpc('initialize', {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'small', version: '1' },
      }),
      answer: { status: 200, headers: { 'content-type': /^application\/json/ }, json: { result: {} } },
    },
    {
      does: 'one still carries the session id of a server that had sessions, and would not recover from a 404',
      seen: 'modelcontextprotocol/typescript-sdk#1708, punkpeye/mcp-remote#106',
      request: 'POST /mcp',
      headers: {
        Authorization: BEARER,
        Accept: 'application/json, text/event-stream',
        'Mcp-Session-Id': '46aeed58-714e-4d39-ba2a-7a4970525031',
      },
      json: WHOAMI,
      answer: { status: 200, headers: { 'mcp-session-id': null }, json: ANSWERED },
    },
    {
      does: 'one asks for a stream with the same id',
      seen: 'modelcontextprotocol/typescript-sdk#1708',
      request: 'GET /mcp',
      headers: { Authorization: BEARER, Accept: 'text/event-stream', 'Mcp-Session-Id': 'gone' },
      answer: { status: 405, headers: { 'content-type': /json$/ }, json: { status: 405 } },
    },
    {
      does: 'mcp-remote looks whether its client is still known before it sends anybody, and can read no page',
      seen: 'punkpeye/mcp-remote 0.15.1, preflightCachedDynamicClientRegistration',
      request: 'GET /authorize',
      headers: { Accept: 'application/json' },
      query: { ...authorization('http://localhost:3335/oauth/callback'), client_id: 'forgotten' },
      answer: { status: 400, headers: { 'content-type': /json$/ }, json: { error: 'invalid_client' } },
    },
    {
      does: 'the same look at a client that is known must not start anything',
      seen: 'punkpeye/mcp-remote 0.15.1, preflightCachedDynamicClientRegistration',
      request: 'GET /authorize',
      headers: { Accept: 'application/json' },
      query: authorization('http://localhost:3118/callback'),
      answer: { status: 303, headers: { location: /^\/sign-in/ } },
    },
  ],
};
