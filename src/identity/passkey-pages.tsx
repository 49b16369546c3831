import { AccountNav } from '../console/account-nav.tsx';
import { Button, ButtonLink, Card, Field, HiddenFields, Notice, Untrusted, When } from '../console/components.tsx';
import { Page } from '../console/layout.tsx';
import type { Passkey, Person } from '../directory/types.ts';
import { PasskeyForm, PasskeyScript } from './passkey-parts.tsx';
import type { PasskeyOverview } from './passkeys.ts';

interface PersonProps {
  readonly person: Person;
  readonly formToken: string;
}

const header = ({ person, formToken }: PersonProps) => ({ email: person.email ?? person.id, formToken });

interface PasskeyRowProps {
  readonly passkey: Passkey;
  readonly at: number;
  readonly removable: boolean;
  readonly formToken: string;
}

function PasskeyRow({ passkey, at, removable, formToken }: PasskeyRowProps) {
  const { credentialId, name, createdAt, lastUsedAt } = passkey;
  const values = { form_token: formToken, credential: credentialId };
  return (
    <details>
      <summary>
        <Untrusted>{name}</Untrusted>
      </summary>
      <div class="inside stack">
        <p class="muted small">
          Made <When at={createdAt} />
          {lastUsedAt !== undefined && (
            <>
              , last used <When at={lastUsedAt} />
            </>
          )}
        </p>
        <form class="stack tight" method="post" action="/account/passkeys/rename">
          <HiddenFields values={values} />
          <Field id={`name-${at}`} name="name" label="Name" value={name} required />
          <div class="row">
            <Button variant="secondary">Rename</Button>
          </div>
        </form>
        {removable ? (
          <form class="stack tight" method="post" action="/account/passkeys/remove">
            <HiddenFields values={values} />
            <p class="muted small" id={`remove-${at}`}>
              Once removed, it opens nothing here. Your device goes on listing it until you remove it there, too.
            </p>
            <div class="row">
              <Button variant="secondary">Remove this passkey</Button>
            </div>
          </form>
        ) : (
          <p class="muted small">This is your only way to sign in. To remove it, add another one first.</p>
        )}
      </div>
    </details>
  );
}

/** Makes recovery codes. @param onward where to go from them */
function CodesForm({
  formToken,
  onward,
  secondary,
}: {
  readonly formToken: string;
  readonly onward: string;
  readonly secondary: boolean;
}) {
  return (
    <form class="row" method="post" action="/account/passkeys/codes">
      <HiddenFields values={{ form_token: formToken, return_to: onward }} />
      <Button variant={secondary ? 'secondary' : 'primary'}>Make recovery codes</Button>
    </form>
  );
}

interface PasskeysPageProps extends PersonProps, PasskeyOverview {
  /** What a further passkey is called, unless its owner says otherwise. */
  readonly nextName: string;
  /** Whether there are files here. */
  readonly files: boolean;
}

/** The passkeys of the person who is signed in. */
export function PasskeysPage(props: PasskeysPageProps) {
  const { person, formToken, passkeys, removable, codesLeft, nextName, files } = props;
  const some = passkeys.length > 0;
  return (
    <Page title="Your passkeys" wide person={header(props)}>
      <div class="stack loose">
        <AccountNav current="/account/passkeys" role={person.role} passkeys files={files} />
        <section class="stack" aria-labelledby="passkeys">
          <div class="stack tight">
            <h1 id="passkeys">Your passkeys</h1>
            <p class="lead muted">
              {some ? 'Keys on your devices with which you sign in here.' : 'You have none yet.'} A passkey takes the
              place of a password: a device keeps it, and you unlock it as you unlock the device.
            </p>
          </div>
          {some && (
            <div class="folds">
              {passkeys.map((passkey, at) => (
                <PasskeyRow passkey={passkey} at={at} removable={removable} formToken={formToken} />
              ))}
            </div>
          )}
        </section>
        <section class="stack tight" aria-labelledby="add">
          <h2 id="add">Add a passkey</h2>
          <PasskeyForm
            purpose="new"
            action="/account/passkeys/new"
            values={{}}
            button={
              <div class="row">
                <Button variant={some ? 'secondary' : 'primary'}>Create a passkey</Button>
              </div>
            }
          >
            <Field
              id="name-new"
              name="name"
              label="Name"
              value={nextName}
              required
              hint="How you will tell it from your others."
            />
          </PasskeyForm>
          <PasskeyScript />
        </section>
        <section class="stack tight" aria-labelledby="codes">
          <h2 id="codes">Recovery codes</h2>
          <p>
            Each lets you in once when you have lost your passkeys.{' '}
            {codesLeft === 0
              ? 'You have none.'
              : `You have ${codesLeft} left. New ones take the place of all that you have.`}
          </p>
          <CodesForm formToken={formToken} onward="/account/passkeys" secondary={!some || codesLeft > 0} />
        </section>
      </div>
    </Page>
  );
}

/** For somebody who has just entered with a first passkey: how not to lose the account with it. */
export function FirstPasskeyPage(props: PersonProps & { readonly onward: string }) {
  const { formToken, onward } = props;
  return (
    <Page title="Your passkey is made" person={header(props)}>
      <Card>
        <div class="stack tight">
          <h1>Your passkey is made</h1>
          <p class="lead muted">You are signed in.</p>
        </div>
        <Notice tone="warning" title="Before you go on, make recovery codes">
          <p>If you lose this passkey and have no code, nobody can let you into this account again.</p>
        </Notice>
        <CodesForm formToken={formToken} onward={onward} secondary={false} />
        <p class="muted small">
          You can make them later, too: <a href={onward}>go on without them</a>.
        </p>
      </Card>
    </Page>
  );
}

interface RecoveryCodesPageProps extends PersonProps {
  readonly codes: readonly string[];
  readonly onward: string;
}

/** New recovery codes: the one time that they are shown. */
export function RecoveryCodesPage(props: RecoveryCodesPageProps) {
  const { codes, onward } = props;
  return (
    <Page title="Your recovery codes" person={header(props)}>
      <Card>
        <div class="stack tight">
          <h1>Your recovery codes</h1>
          <p>Print them or keep them in a password manager: nobody can show them to you again.</p>
        </div>
        <code class="copy">{codes.join('\n')}</code>
        <p class="muted small">
          Each works once. These take the place of all earlier ones, and loading this page again would make others.
        </p>
        <div class="row">
          <ButtonLink href={onward}>I have kept them</ButtonLink>
        </div>
      </Card>
    </Page>
  );
}

interface RecoveryPageProps {
  readonly formToken: string;
  readonly returnTo: string;
  readonly error?: string | undefined;
}

/** Signing in without a passkey. */
export function RecoveryPage({ formToken, returnTo, error }: RecoveryPageProps) {
  return (
    <Page title="Use a recovery code" status={error === undefined ? undefined : 'Error'}>
      <Card>
        <div class="stack tight">
          <h1>Use a recovery code</h1>
          <p class="muted">One of the codes that you kept when you made your passkey. It works once.</p>
        </div>
        <form class="stack" method="post" action="/sign-in/recovery">
          <HiddenFields values={{ form_token: formToken, return_to: returnTo }} />
          <Field id="code" name="code" label="Recovery code" autocomplete="off" error={error} required autofocus />
          <Button full>Sign in</Button>
        </form>
        <p class="muted small">
          <a href={`/sign-in?${new URLSearchParams({ return_to: returnTo }).toString()}`}>Sign in in another way</a>
        </p>
      </Card>
    </Page>
  );
}
