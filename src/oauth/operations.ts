import * as z from 'zod';

import { oauthError } from '../http/oauth-error.ts';
import type { Operation } from '../http/operation.ts';
import { SAMPLE } from '../http/samples.ts';
import { devicePoll } from './device/operations.ts';
import { DEVICE_GRANT } from './model.ts';
import { credentials, refused, resource, scope } from './operation-parts.ts';

/**
 * What the documents say of connecting a client. The requests are read and checked by the OAuth
 * library, so these schemas describe them and check nothing.
 */

const redirect = 'com.example.app:/callback';
const REGISTRATION = {
  client_name: z.string().optional().describe('People see it when they are asked for consent'),
  redirect_uris: z.array(z.string()).min(1).describe('https, loopback, or a scheme of the app’s own'),
  grant_types: z.array(z.string()).optional(),
  response_types: z.array(z.string()).optional(),
  client_uri: z.string().optional(),
  logo_uri: z.string().optional(),
  policy_uri: z.string().optional(),
  tos_uri: z.string().optional(),
  contacts: z.array(z.string()).optional(),
  jwks_uri: z.string().optional(),
};

const registration = z
  .looseObject({
    ...REGISTRATION,
    token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']).optional(),
  })
  .meta({ id: 'ClientRegistration', description: 'What a client says of itself (RFC 7591). At most 16 KB.' });

const client = z
  .looseObject({
    client_id: z.string(),
    ...REGISTRATION,
    token_endpoint_auth_method: z.string(),
    client_id_issued_at: z.int().describe('Seconds since the epoch'),
    client_secret: z.string().optional().describe('Absent for the method `none`'),
    client_secret_issued_at: z.int().optional(),
    client_secret_expires_at: z.int().optional().describe('Seconds since the epoch; 0 for never'),
  })
  .meta({ id: 'Client', description: 'A registered client.' });

const codeExchange = z
  .looseObject({
    grant_type: z.literal('authorization_code'),
    code: z.string(),
    redirect_uri: z.string(),
    code_verifier: z.string(),
    resource: resource.optional(),
    ...credentials,
  })
  .meta({ id: 'CodeExchange', description: 'Exchanges the code that the redirect brought.' });

const refresh = z
  .looseObject({
    grant_type: z.literal('refresh_token'),
    refresh_token: z.string(),
    scope: z.string().optional().describe('Fewer scopes than the grant has'),
    resource: resource.optional(),
    ...credentials,
  })
  .meta({ id: 'Refresh', description: 'Gets the next tokens.' });

const revocation = z
  .looseObject({ token: z.string().describe('Of either kind'), token_type_hint: z.string().optional(), ...credentials })
  .meta({ id: 'Revocation', description: 'Ends a token (RFC 7009); there is no `grant_type`.' });

const issued = z
  .looseObject({
    access_token: z.string(),
    token_type: z.literal('bearer'),
    expires_in: z.int().describe('Seconds'),
    refresh_token: z.string(),
    scope: z.string().describe('What was allowed'),
    resource: z.string(),
  })
  .meta({ id: 'Tokens', description: 'An access token and the refresh token for the next one.' });

const serverMetadata = z
  .looseObject({
    issuer: z.string(),
    authorization_endpoint: z.string(),
    token_endpoint: z.string(),
    registration_endpoint: z.string(),
    revocation_endpoint: z.string(),
    device_authorization_endpoint: z.string(),
    grant_types_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    code_challenge_methods_supported: z.array(z.string()),
    client_id_metadata_document_supported: z.boolean(),
  })
  .meta({ id: 'AuthorizationServer', description: 'RFC 8414.' });

const resourceMetadata = z
  .looseObject({
    resource: z.string(),
    authorization_servers: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    bearer_methods_supported: z.array(z.string()),
    resource_name: z.string(),
  })
  .meta({ id: 'ProtectedResource', description: 'RFC 9728.' });

export const registerClient: Operation = {
  id: 'registerClient',
  group: 'Connecting',
  summary: 'Register a client',
  description:
    'Anybody may register a client (RFC 7591); it can do nothing before a person allows it. A client that has a metadata document of its own at an https address needs no registration: that address is its `client_id`.',
  input: { body: { 'application/json': registration } },
  answers: {
    201: { description: 'The client is registered.', content: { 'application/json': client } },
    400: refused('The metadata does not fit.'),
  },
  examples: {
    app: {
      summary: 'An app on somebody’s machine',
      request: { json: { client_name: 'Reading list', redirect_uris: [redirect], token_endpoint_auth_method: 'none' } },
      answer: {
        status: 201,
        json: {
          client_id: SAMPLE.clientId,
          redirect_uris: [redirect],
          client_name: 'Reading list',
          grant_types: ['authorization_code'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
          client_id_issued_at: 1_795_159_519,
        },
      },
    },
    refused: {
      summary: 'A redirect that is refused',
      request: { json: { client_name: 'Reading list', redirect_uris: ['https://app.example.com/callback#part'] } },
      answer: {
        status: 400,
        json: { error: 'invalid_client_metadata', error_description: 'Invalid redirect URI' },
      },
    },
  },
};

export const authorize: Operation = {
  id: 'authorize',
  group: 'Connecting',
  summary: 'Send a person here to allow a client',
  description: [
    'A client opens this in a browser. Who is not signed in signs in first; then a page names the client, where the answer goes and each permission, and the person allows or denies. The browser ends at `redirect_uri` with `code`, `state` and `iss`, or with `error` (RFC 6749, RFC 9207).',
    'A request whose client or redirect is not known gets a page that says so, and goes nowhere. A code lives ten minutes and can be redeemed once.',
  ].join('\n\n'),
  input: {
    query: z.looseObject({
      response_type: z.literal('code'),
      client_id: z.string().describe('As registered, or the https address of a metadata document'),
      redirect_uri: z.string().describe('One that the client registered; on loopback the port may differ'),
      code_challenge: z.string().describe('The SHA-256 of the verifier in base64url (RFC 7636)'),
      code_challenge_method: z.literal('S256'),
      scope: scope.optional(),
      state: z.string().optional().describe('Comes back unchanged'),
      resource: resource.optional(),
    }),
  },
  answers: {
    200: { description: 'The consent page.', content: { 'text/html': 'text' } },
    302: { description: 'Back to the client with an error.', headers: { Location: 'The redirect with `error`' } },
    303: {
      description: 'To the sign-in page, or back to the client with a code where the person had this remembered.',
      headers: { Location: 'Where the browser goes on' },
    },
    400: {
      description: 'A page that says what is wrong; for a program that asks for JSON, an error of OAuth.',
      content: { 'text/html': 'text', 'application/json': oauthError },
    },
  },
  examples: {
    begin: {
      summary: 'Somebody who is not signed in',
      request: {
        query: {
          response_type: 'code',
          client_id: SAMPLE.clientId,
          redirect_uri: redirect,
          code_challenge: SAMPLE.challenge,
          code_challenge_method: 'S256',
          scope: 'sessions:read sessions:write',
          state: 'af0ifjsldkj',
        },
      },
      answer: { status: 303 },
    },
  },
};

const tokenAnswer = {
  access_token: SAMPLE.token,
  token_type: 'bearer',
  expires_in: 3600,
  refresh_token: SAMPLE.refreshToken,
  scope: 'sessions:read sessions:write',
  resource: SAMPLE.origin,
};

export const token: Operation = {
  id: 'token',
  group: 'Connecting',
  summary: 'Exchange a code, refresh or revoke tokens',
  description: [
    'One address for four things, told apart by `grant_type`. A client with a secret sends it in the form or as HTTP Basic; one with keys sends `client_assertion` (RFC 7523).',
    'A refresh may be repeated: for two minutes the same refresh token gets the same answer, so a client that lost an answer, or refreshed twice at once, stays connected. A code that is redeemed twice ends the grant.',
  ].join('\n\n'),
  input: { body: { 'application/x-www-form-urlencoded': z.union([codeExchange, refresh, devicePoll, revocation]) } },
  answers: {
    200: {
      description: 'The tokens; after a revocation, nothing.',
      content: { 'application/json': issued },
    },
    400: refused('The code, the token or the request is not valid.'),
    401: refused('The client is not known or did not authenticate.'),
  },
  examples: {
    code: {
      summary: 'A code',
      request: {
        form: {
          grant_type: 'authorization_code',
          code: SAMPLE.code,
          redirect_uri: redirect,
          code_verifier: SAMPLE.verifier,
          client_id: SAMPLE.clientId,
        },
      },
      answer: { status: 200, json: tokenAnswer },
    },
    refresh: {
      summary: 'A refresh',
      request: {
        form: { grant_type: 'refresh_token', refresh_token: SAMPLE.refreshToken, client_id: SAMPLE.clientId },
      },
      answer: { status: 200, json: tokenAnswer },
    },
    device: {
      summary: 'A device whose person has not answered',
      request: {
        form: { grant_type: DEVICE_GRANT, device_code: SAMPLE.deviceCode, client_id: SAMPLE.deviceClientId },
      },
      answer: {
        status: 400,
        json: { error: 'authorization_pending', error_description: 'The person has not answered yet.' },
      },
    },
    revoke: {
      summary: 'A revocation',
      request: { form: { token: SAMPLE.refreshToken, client_id: SAMPLE.clientId } },
      answer: { status: 200 },
    },
    wrong: {
      summary: 'A code that is none',
      request: {
        form: {
          grant_type: 'authorization_code',
          code: 'nonsense',
          redirect_uri: redirect,
          code_verifier: SAMPLE.verifier,
          client_id: SAMPLE.clientId,
        },
      },
      answer: {
        status: 400,
        json: { error: 'invalid_grant', error_description: 'Invalid authorization code format' },
      },
    },
    nobody: {
      summary: 'No client',
      request: { form: { grant_type: 'refresh_token', refresh_token: SAMPLE.refreshToken } },
      answer: { status: 401, json: { error: 'invalid_client', error_description: 'Client ID is required' } },
    },
  },
};

export const authorizationServer: Operation = {
  id: 'authorizationServerMetadata',
  group: 'Discovery',
  summary: 'The authorization server',
  description: 'Where a client registers, sends people and gets tokens, and which scopes there are (RFC 8414).',
  answers: { 200: { description: 'The document.', content: { 'application/json': serverMetadata } } },
  examples: {
    document: {
      summary: 'The document',
      request: {},
      answer: {
        status: 200,
        json: {
          issuer: SAMPLE.origin,
          authorization_endpoint: `${SAMPLE.origin}/authorize`,
          token_endpoint: `${SAMPLE.origin}/token`,
          registration_endpoint: `${SAMPLE.origin}/register`,
          revocation_endpoint: `${SAMPLE.origin}/token`,
          device_authorization_endpoint: `${SAMPLE.origin}/device_authorization`,
          grant_types_supported: ['authorization_code', 'refresh_token', DEVICE_GRANT],
          scopes_supported: ['sessions:read', 'sessions:write'],
          code_challenge_methods_supported: ['S256'],
          client_id_metadata_document_supported: true,
        },
      },
    },
  },
};

/** The metadata of a resource, which is the origin or one of its paths. */
export function protectedResource(path: '' | '/mcp'): Operation {
  return {
    id: path === '' ? 'resourceMetadata' : 'mcpResourceMetadata',
    group: 'Discovery',
    summary: path === '' ? 'This origin as a protected resource' : 'The MCP endpoint as a protected resource',
    description:
      'Which authorization server gives tokens for it, and with which scopes (RFC 9728). A refusal with 401 names this address.',
    answers: { 200: { description: 'The document.', content: { 'application/json': resourceMetadata } } },
    examples: {
      document: {
        summary: 'The document',
        request: {},
        answer: {
          status: 200,
          json: {
            resource: `${SAMPLE.origin}${path}`,
            authorization_servers: [SAMPLE.origin],
            scopes_supported: ['sessions:read', 'sessions:write'],
            bearer_methods_supported: ['header'],
            resource_name: 'Carrel',
          },
        },
      },
    },
  };
}
