import { adminRoutes } from './account/admin-routes.tsx';
import { operatorRoutes } from './account/operator-routes.ts';
import { OperatorSignature } from './account/operator.ts';
import { PeopleService } from './account/people.ts';
import { Connections } from './account/connections.ts';
import { accountRoutes } from './account/routes.tsx';
import { AccountService } from './account/service.ts';
import { SignedIn } from './account/signed-in.ts';
import { tokenRoutes } from './account/token-routes.tsx';
import { consoleRoutes } from './console/routes.tsx';
import type { AdmissionRepo } from './directory/admission-repo.ts';
import type { AuditRepo } from './directory/audit-repo.ts';
import type { AuditTrail } from './directory/audit.ts';
import type { PasskeyRepo } from './directory/passkey-repo.ts';
import type { PeopleRepo } from './directory/people-repo.ts';
import type { DirectoryService } from './directory/service.ts';
import type { FormTokens } from './http/form-token.ts';
import type { Route } from './http/route.ts';
import type { Admission } from './identity/admission.ts';
import { entryRoutes } from './identity/entry-routes.tsx';
import { passkeyRoutes } from './identity/passkey-routes.tsx';
import { PasskeyService } from './identity/passkeys.ts';
import { identityRoutes } from './identity/routes.tsx';
import type { SignInService } from './identity/sign-in.ts';
import type { Keyring } from './lib/keyring.ts';
import { ClientNames } from './oauth/client-names.ts';
import { PersonalTokens } from './oauth/personal-tokens.ts';
import type { PersonIds } from './oauth/person-ids.ts';
import type { Scope } from './oauth/scopes.ts';
import type { AuthorizationServers, OAuthEnv } from './oauth/server.ts';
import type { Settings } from './settings.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { Workspaces } from './workspace/client.ts';

/** What pages are made of, from the composition root. */
export interface PeopleDependencies {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  readonly audit: AuditTrail;
  readonly lines: AuditRepo;
  readonly keyring: Keyring;
  readonly formTokens: FormTokens;
  readonly directory: DirectoryService;
  readonly peopleRepo: PeopleRepo;
  readonly passkeyRepo: PasskeyRepo;
  readonly admissions: AdmissionRepo;
  readonly admission: Admission;
  readonly signIn: SignInService;
  readonly workspaces: Workspaces;
  readonly personIds: PersonIds;
  readonly scopes: readonly Scope[];
  readonly servers: AuthorizationServers;
  readonly oauthEnv: OAuthEnv;
}

/**
 * The part of the composition root that serves people: their pages and what those need. A module of its
 * own, because most isolates serve clients only.
 */
export function peopleRoutes(dependencies: PeopleDependencies): readonly Route[] {
  const { settings, telemetry, audit, lines, keyring, formTokens, directory, peopleRepo } = dependencies;
  const { admissions, admission, signIn, workspaces, personIds, scopes, servers, oauthEnv } = dependencies;
  const passkeys = new PasskeyService({
    signIn,
    passkeys: dependencies.passkeyRepo,
    identities: admissions,
    people: peopleRepo,
    audit,
  });
  const signedIn = new SignedIn(signIn, formTokens);
  const clients = new ClientNames(servers, oauthEnv);
  const account = new AccountService({
    people: peopleRepo,
    admissions,
    workspaces,
    clients,
    scopes,
    audit,
    grantIdleSeconds: settings.grantIdleSeconds,
  });
  const people = new PeopleService({
    people: peopleRepo,
    admissions,
    admission,
    directory,
    lines,
    audit,
    workspaces,
  });
  return [
    // Before the routes of providers, whose names are variables of their paths.
    ...passkeyRoutes({ signIn, passkeys, formTokens, telemetry }),
    ...identityRoutes({ signIn, formTokens, telemetry }),
    ...entryRoutes({ signIn, admission, formTokens }),
    ...accountRoutes({ account, signedIn, signIn, connections: new Connections(lines, clients) }),
    ...adminRoutes({ people, signedIn }),
    ...operatorRoutes({ people, signature: new OperatorSignature(keyring) }),
    ...tokenRoutes({ signedIn, tokens: new PersonalTokens({ workspaces, personIds, scopes, audit }) }),
    ...consoleRoutes({ signIn, formTokens, deployment: settings.deployment, devSignIn: settings.devSignIn }),
  ];
}
