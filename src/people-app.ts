import { adminRoutes } from './account/admin-routes.tsx';
import { operatorRoutes } from './account/operator-routes.ts';
import { OperatorSignature } from './account/operator.ts';
import { PeopleService } from './account/people.ts';
import { Connections } from './account/connections.ts';
import { accountRoutes } from './account/routes.tsx';
import { AccountService } from './account/service.ts';
import { SignedIn } from './identity/signed-in.ts';
import { tokenRoutes } from './account/token-routes.tsx';
import { consoleRoutes } from './console/routes.tsx';
import { APPROVALS_SCOPE } from './approvals/model.ts';
import { approvalRoutes } from './approvals/routes.tsx';
import { ApprovalService } from './approvals/service.ts';
import { AdmissionRepo } from './directory/admission-repo.ts';
import { AttemptRepo } from './directory/attempt-repo.ts';
import type { AuditRepo } from './directory/audit-repo.ts';
import type { AuditTrail } from './directory/audit.ts';
import { DeviceRepo } from './directory/device-repo.ts';
import { PasskeyRepo } from './directory/passkey-repo.ts';
import { PeopleRepo } from './directory/people-repo.ts';
import type { DirectoryRepo } from './directory/repo.ts';
import { DirectoryService } from './directory/service.ts';
import { browseRoutes } from './files/browse/routes.tsx';
import { BrowseService } from './files/browse/service.ts';
import { dropRoutes } from './files/drop/routes.tsx';
import type { FileBucket } from './files/bucket.ts';
import { shareRoutes } from './files/share/routes.tsx';
import { ShareService } from './files/share/service.ts';
import type { FileServices } from './files/tools.ts';
import type { AccessControl } from './http/access.ts';
import type { Registry } from './mcp/registry.ts';
import { UpkeepService } from './files/upkeep-service.ts';
import { FormTokens } from './http/form-token.ts';
import type { Route } from './http/route.ts';
import { Admission } from './identity/admission.ts';
import { entryRoutes } from './identity/entry-routes.tsx';
import { passkeyRoutes } from './identity/passkey-routes.tsx';
import { PasskeyService } from './identity/passkeys.ts';
import { identityRoutes } from './identity/routes.tsx';
import { identityProviders } from './identity/providers/all.ts';
import { SignInService } from './identity/sign-in.ts';
import type { Keyring } from './lib/keyring.ts';
import { authorizeRoutes } from './oauth/authorize-routes.tsx';
import { AuthorizeService } from './oauth/authorize.ts';
import { DeviceGrants } from './oauth/device/grants.ts';
import { deviceRoutes } from './oauth/device/routes.tsx';
import { ClientNames } from './oauth/client-names.ts';
import { oauthErrorResponse } from './oauth/errors.tsx';
import { PersonalTokens } from './oauth/personal-tokens.ts';
import type { PersonIds } from './oauth/person-ids.ts';
import type { Scope } from './oauth/scopes.ts';
import type { AuthorizationServers, OAuthEnv } from './oauth/server.ts';
import type { Settings } from './settings.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { Workspaces } from './workspace/client.ts';

/** What pages are made of, from the composition root. */
interface PeopleDependencies {
  readonly settings: Settings;
  readonly d1: D1Database;
  readonly directory: DirectoryRepo;
  readonly telemetry: Telemetry;
  readonly audit: AuditTrail;
  readonly lines: AuditRepo;
  readonly keyring: Keyring;
  readonly workspaces: Workspaces;
  readonly personIds: PersonIds;
  readonly registry: Registry;
  readonly access: AccessControl;
  readonly servers: AuthorizationServers;
  readonly oauthEnv: OAuthEnv;
  readonly bucket: FileBucket;
  /** Undefined where the files are switched off. */
  readonly files: Pick<FileServices, 'files' | 'drop'> | undefined;
}

interface PeopleApp {
  readonly routes: readonly Route[];
  /** The answer to an error that a library of these routes throws, if it is one of those. */
  readonly mapError: typeof oauthErrorResponse;
  readonly devices: DeviceGrants;
  /** Removes what has expired of all that only people leave behind. */
  readonly sweep: (now: number) => Promise<void>;
}

/** For personal tokens alone. */
const ANSWERING: Scope = {
  name: APPROVALS_SCOPE,
  title: 'Answer approvals',
  sentence:
    'Approve or deny, in your name, what your apps ask for. Give it to a script that no assistant can reach, and to a token that does nothing else.',
};

/** The tools that change something, for the rules by which a person is asked first. */
async function writingTools(registry: Registry) {
  const { tools } = await registry.select(new URLSearchParams());
  return [...tools.values()]
    .filter(({ tool }) => tool.access === 'write')
    .map(({ tool: { name, title }, scope }) => ({ name, title, toolset: scope.split(':', 1)[0] ?? '' }));
}

/**
 * The part of the composition root that serves people: how they get in, their pages, and what those need.
 * A module of its own, because most isolates serve clients only.
 */
export function createPeopleApp(dependencies: PeopleDependencies): PeopleApp {
  const { settings, d1, telemetry, audit, lines, keyring, workspaces, personIds, registry } = dependencies;
  const { servers, oauthEnv } = dependencies;
  const { scopes } = registry;
  const directory = new DirectoryService(dependencies.directory, (id, standing) =>
    workspaces.writeStanding(id, standing),
  );
  const formTokens = new FormTokens(keyring);
  const peopleRepo = new PeopleRepo(d1);
  const passkeyRepo = new PasskeyRepo(d1);
  const admissions = new AdmissionRepo(d1);
  const admission = new Admission({ directory, repo: admissions, audit, keyring, rules: settings.admission });
  const signIn = new SignInService({
    directory,
    repo: admissions,
    admission,
    audit,
    keyring,
    providers: identityProviders(settings, passkeyRepo),
  });
  const authorize = new AuthorizeService({
    servers,
    env: oauthEnv,
    workspaces,
    personIds,
    keyring,
    scopes,
    telemetry,
    audit,
  });
  const passkeys = new PasskeyService({
    signIn,
    passkeys: passkeyRepo,
    identities: admissions,
    people: peopleRepo,
    audit,
  });
  const { files } = dependencies;
  const signedIn = new SignedIn(signIn, formTokens, files !== undefined, (person) => approvals.count(person));
  const clients = new ClientNames(servers, oauthEnv);
  const deviceRepo = new DeviceRepo(d1);
  const account = new AccountService({
    people: peopleRepo,
    admissions,
    workspaces,
    devices: deviceRepo,
    clients,
    scopes,
    audit,
    grantIdleSeconds: settings.grantIdleSeconds,
  });
  const approvals = new ApprovalService({
    workspaces,
    audit,
    clients: (personId, origin) => account.apps(personId, origin),
    tools: () => writingTools(registry),
    continueJob: (personId, jobId) => workspaces.open(personId, { kind: 'person' }).jobs.proceed(jobId, Date.now()),
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
  const devices = new DeviceGrants({
    repo: deviceRepo,
    attempts: new AttemptRepo(d1),
    servers,
    env: oauthEnv,
    workspaces,
    people: peopleRepo,
    personIds,
    keyring,
    scopes,
    audit,
    telemetry,
  });
  const fileRoutes = ({ files: shelf, drop }: NonNullable<typeof files>) => [
    ...dropRoutes(drop),
    ...browseRoutes({ signedIn, browse: new BrowseService({ workspaces, files: shelf }) }),
    ...shareRoutes({ signedIn, shares: new ShareService({ workspaces, keyring, files: shelf, audit }) }),
  ];
  const routes = [
    ...authorizeRoutes({ authorize, signIn, formTokens }),
    ...deviceRoutes({ devices, signedIn }),
    // Before the routes of providers, whose names are variables of their paths.
    ...passkeyRoutes({ signIn, passkeys, formTokens, telemetry, files: files !== undefined }),
    ...identityRoutes({ signIn, formTokens, telemetry }),
    ...entryRoutes({ signIn, admission, formTokens }),
    ...accountRoutes({ account, signedIn, signIn, connections: new Connections(lines, clients) }),
    ...adminRoutes({ people, signedIn }),
    ...operatorRoutes({
      people,
      signature: new OperatorSignature(keyring),
      upkeep: new UpkeepService({ bucket: dependencies.bucket, workspaces }),
    }),
    ...(files ? fileRoutes(files) : []),
    ...tokenRoutes({
      signedIn,
      tokens: new PersonalTokens({ workspaces, personIds, scopes: [...scopes, ANSWERING], audit }),
    }),
    ...approvalRoutes({ signedIn, approvals, access: dependencies.access }),
    ...consoleRoutes({
      signIn,
      formTokens,
      deployment: settings.deployment,
      devSignIn: settings.devSignIn,
      longQuery: registry.longQuery,
    }),
  ];
  const sweep = async (now: number) => {
    await Promise.all([admissions.sweep(now), devices.sweep(now)]);
  };
  return { routes, mapError: oauthErrorResponse, devices, sweep };
}
