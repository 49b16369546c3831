import * as z from 'zod';

/** The body of an error of the OAuth library (RFC 6749 §5.2, RFC 6750 §3.1). */
export const oauthError = z
  .looseObject({ error: z.string(), error_description: z.string().optional(), error_uri: z.string().optional() })
  .meta({ id: 'OAuthError', description: 'An error of OAuth.' });
