import { AccountShell } from '../console/account-shell.tsx';
import { Notice, When } from '../console/components.tsx';
import { AppHeading } from './app-heading.tsx';
import { CONNECTION_STEPS } from './connections.ts';
import type { ConnectionStep, NamedConnection } from './connections.ts';
import type { SignedInShell } from '../identity/signed-in.ts';

const STEPS: Readonly<Record<ConnectionStep, string>> = {
  registered: 'It registered here',
  opened: 'It sent you here, and you were signed in',
  allowed: 'You allowed it',
  exchanged: 'It fetched its access',
  used: 'It made its first call',
};

const AGAIN = 'Connect again from the app.';
const ADD_AGAIN = 'Remove this server in the app, then add it again.';
const WRONG_SECRET = `It did not show the secret that it registered with. ${ADD_AGAIN}`;
const GONE = `It came with access that had expired or was ended. ${AGAIN}`;
const WRONG_REDIRECT = `It wanted the answer at an address that it did not register. ${ADD_AGAIN}`;

/** What each end of an attempt means, and what to do about it, by the word of the audit. */
const ENDS: Readonly<Record<string, string>> = {
  denied: 'You denied it.',
  disconnected: 'It was disconnected.',
  client_unknown: `It used an id that this deployment does not know: it may have registered long ago. ${ADD_AGAIN}`,
  client_document_unreadable:
    'The document in which the app describes itself could not be read. That is for its maker to mend.',
  redirect_uri_invalid: WRONG_REDIRECT,
  redirect_uri_mismatch: WRONG_REDIRECT,
  invalid_request: 'Its request was not complete: it needs a client id, a redirect and PKCE with S256.',
  invalid_target: 'It asked for access to another server. Look at the address that you gave the app.',
  question_closed: `The page was answered before, was open for more than ten minutes, or came from another browser. ${AGAIN}`,
  other_person: `The page was put to somebody else who used this browser. ${AGAIN}`,
  code_verifier_missing: 'It did not prove that it is the program that asked (PKCE). That is for its maker to mend.',
  code_verifier_mismatch: `It could not prove that it is the program that asked (PKCE): perhaps it asked twice. ${AGAIN}`,
  code_replayed: `Its code came a second time, so the access that it gave was ended: somebody may be reading along. ${AGAIN}`,
  code_mismatch: GONE,
  grant_not_found: GONE,
  grant_revoked: GONE,
  refresh_token_expired: GONE,
  refresh_token_mismatch: `It came with an old token, perhaps from a backup. ${AGAIN}`,
  person_disabled: 'Your account was disabled at that time.',
  client_mismatch: 'Another app came with a code or token of this one, and was refused.',
  client_not_found: `It is no longer registered. ${ADD_AGAIN}`,
  client_secret_missing: WRONG_SECRET,
  client_secret_mismatch: WRONG_SECRET,
  token_endpoint_auth_method_mismatch: WRONG_SECRET,
};

function Attempt({ connection }: { readonly connection: NamedConnection }) {
  const { name, domain, startedAt, steps, stopped } = connection;
  // A document that could not be read says nothing of whose it is.
  const vouching = stopped?.reason === 'client_document_unreadable' ? undefined : domain;
  // What its id says is a stranger's text as well, where nobody knows the client.
  const isKnown = name !== undefined || domain !== undefined || Object.keys(steps).length > 0;
  // A client whose id is an address describes itself there, and has no need to register.
  const expected = CONNECTION_STEPS.filter((step) => step !== 'registered' || steps.registered !== undefined);
  const next = stopped === undefined ? expected.find((step) => steps[step] === undefined) : undefined;
  return (
    <article class="card stack">
      <div class="stack tight">
        {isKnown ? (
          <AppHeading name={name ?? domain} domain={vouching} otherwise="An app without a name" />
        ) : (
          <h2>An app that is not known here</h2>
        )}
        <p class="muted small">
          Since <When at={startedAt} />
        </p>
      </div>
      <ol class="steps">
        {expected.map((step) => {
          const at = steps[step];
          return (
            <li class={at === undefined ? 'open' : 'done'}>
              {STEPS[step]}
              <span class="muted small">
                {at === undefined ? (
                  step === next ? (
                    ' has not happened yet'
                  ) : (
                    ' did not happen'
                  )
                ) : (
                  <>
                    {' '}
                    <When at={at} />
                  </>
                )}
              </span>
            </li>
          );
        })}
      </ol>
      {stopped !== undefined && (
        <Notice tone="warning" title="It stopped here">
          <p>{ENDS[stopped.reason] ?? `It was refused: ${stopped.reason.replaceAll('_', ' ')}.`}</p>
          <p class="muted small">
            <When at={stopped.at} />
          </p>
        </Notice>
      )}
    </article>
  );
}

interface ConnectionsProps extends SignedInShell {
  readonly connections: readonly NamedConnection[];
}

/** How far each app came that tried to connect, for whoever asks why one does not. */
export function ConnectionsPage(props: ConnectionsProps) {
  const { connections } = props;
  return (
    <AccountShell {...props} title="How apps connect" current="/account/apps">
      <div class="stack tight">
        <h1>How apps connect</h1>
        <p>Each attempt of the last seven days, the newest first, and how far it came.</p>
      </div>
      {connections.length === 0 ? (
        <Notice title="No app has sent you here">
          <p>
            An attempt is listed once the app has opened this deployment in your browser and you have signed in. Before
            that it may have the wrong address: <a href="/">the start page</a> shows the right one.
          </p>
        </Notice>
      ) : (
        connections.map((connection) => <Attempt connection={connection} />)
      )}
    </AccountShell>
  );
}
