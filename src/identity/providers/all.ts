import type { PasskeyRepo } from '../../directory/passkey-repo.ts';
import type { Settings } from '../../settings.ts';
import type { IdentityProvider } from '../provider.ts';
import { DevProvider } from './dev.ts';
import { GithubProvider } from './github.ts';
import { OidcProvider } from './oidc.ts';
import { WebAuthnProvider } from './passkey.ts';

/** Every way to sign in, in the order of the page. Whether one exists for a request is its own to say. */
export function identityProviders(settings: Settings, passkeys: PasskeyRepo): readonly IdentityProvider[] {
  const outbound = { development: settings.deployment === 'development' };
  return [
    new WebAuthnProvider(settings, passkeys),
    ...settings.oidc.map((issuer) => new OidcProvider(issuer, outbound)),
    ...(settings.github ? [new GithubProvider(settings.github, outbound)] : []),
    new DevProvider(settings),
  ];
}
