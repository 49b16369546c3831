import * as z from 'zod';

import type { Operation } from '../../http/operation.ts';
import { SAMPLE } from '../../http/samples.ts';
import { DEVICE_GRANT } from '../model.ts';
import { credentials, refused, resource, scope } from '../operation-parts.ts';

export const devicePoll = z
  .looseObject({
    grant_type: z.literal(DEVICE_GRANT),
    device_code: z.string(),
    ...credentials,
  })
  .meta({ id: 'DevicePoll', description: 'Asks whether a person has answered (RFC 8628).' });

const deviceRequest = z
  .looseObject({ scope: scope.optional(), resource: resource.optional(), ...credentials })
  .meta({ id: 'DeviceRequest', description: 'A device without a browser asks to be let in.' });

const deviceCodes = z
  .looseObject({
    device_code: z.string().describe('To poll with; a secret of the client'),
    user_code: z.string().describe('Eight letters for the person to enter'),
    verification_uri: z.string(),
    verification_uri_complete: z.string(),
    expires_in: z.int().describe('Seconds'),
    interval: z.int().describe('Seconds to wait between two polls'),
  })
  .meta({ id: 'DeviceCodes', description: 'The codes of one request.' });

export const deviceAuthorization: Operation = {
  id: 'deviceAuthorization',
  group: 'Connecting',
  summary: 'Ask to be let in from a device without a browser',
  description: [
    'For terminals (RFC 8628). Show the person `verification_uri` and `user_code`: they enter the code in any browser and see there what is asked. Meanwhile poll `/token` with the `device_code` and the grant type `urn:ietf:params:oauth:grant-type:device_code`, no faster than `interval` says.',
    'Until somebody answers, `/token` says `authorization_pending`; `slow_down` when you ask too often, five seconds more each time; then `access_denied`, `expired_token` after a quarter of an hour, or the tokens, once. The client must be registered with that grant type: one that is known by its metadata document cannot use it, because its name would be lent to whoever begins a request.',
  ].join('\n\n'),
  input: { body: { 'application/x-www-form-urlencoded': deviceRequest } },
  answers: {
    200: { description: 'The codes.', content: { 'application/json': deviceCodes } },
    400: refused('The client may not, or the scope or resource does not exist.'),
    401: refused('The client is not known or did not authenticate.'),
  },
  examples: {
    begin: {
      summary: 'A terminal',
      request: { form: { client_id: SAMPLE.deviceClientId, scope: 'sessions:read' } },
      answer: {
        status: 200,
        json: {
          device_code: SAMPLE.deviceCode,
          user_code: 'WDJB-MJHT',
          verification_uri: `${SAMPLE.origin}/device`,
          verification_uri_complete: `${SAMPLE.origin}/device?user_code=WDJB-MJHT`,
          expires_in: 900,
          interval: 5,
        },
      },
    },
    unregistered: {
      summary: 'A client that did not register for it',
      request: { form: { client_id: SAMPLE.clientId } },
      answer: {
        status: 400,
        json: {
          error: 'unauthorized_client',
          error_description: `Register with the grant type ${DEVICE_GRANT} to use it (RFC 7591).`,
        },
      },
    },
  },
};
