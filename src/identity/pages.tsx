import { Button, ButtonLink, Card, Field, HiddenFields, Notice, Untrusted } from '../console/components.tsx';
import { Page } from '../console/layout.tsx';

/** A way to sign in, as the sign-in page offers it. */
export interface SignInChoice {
  /** What a `button` sends as `provider`. */
  readonly name: string;
  /** What the button says, such as "Sign in with GitHub". */
  readonly label: string;
  /** `email-form` is the development sign-in: an address alone, never proved. */
  readonly kind: 'email-form' | 'button';
}

interface SignInPageProps {
  readonly providers: readonly SignInChoice[];
  readonly formToken: string;
  readonly returnTo: string;
  /** What was wrong with the last attempt. */
  readonly error?: string | undefined;
  /** What was typed at the last attempt. */
  readonly email?: string | undefined;
  /** Untrusted: the app that sent the person here, when one did. */
  readonly clientName?: string | undefined;
}

interface FormProps extends SignInPageProps {
  readonly provider: SignInChoice;
}

function EmailForm({ provider, formToken, returnTo, error, email }: FormProps) {
  return (
    <form class="stack" method="post" action="/sign-in">
      <HiddenFields values={{ form_token: formToken, return_to: returnTo }} />
      <Field
        id="email"
        name="email"
        label="E-mail address"
        type="email"
        autocomplete="email"
        value={email}
        error={error}
        required
        autofocus
      />
      <Button full>{provider.label}</Button>
      <Notice title="This is the development sign-in">
        <p>
          Any address works and nothing is sent to it: each one opens a workspace of its own. It runs on this computer
          only and never exists in production.
        </p>
      </Notice>
    </form>
  );
}

function ProviderButtons({ providers, formToken, returnTo }: SignInPageProps) {
  return (
    <form class="stack tight" method="post" action="/sign-in">
      <HiddenFields values={{ form_token: formToken, return_to: returnTo }} />
      {providers.map(({ name, label }) => (
        <Button full name="provider" value={name}>
          {label}
        </Button>
      ))}
    </form>
  );
}

function NoWayIn() {
  return (
    <>
      <Notice tone="warning" title="Nobody can sign in here yet">
        <p>This deployment has no way to sign in. If somebody gave you its address, tell them what you see here.</p>
      </Notice>
      <div class="stack tight">
        <h2>If you run it</h2>
        <p>
          This version brings one way to sign in, and only for development: start it on your own computer with{' '}
          <code>npm start</code>.
        </p>
        <p>
          For a deployment, update to a version with a sign-in of your choice or add one in{' '}
          <code>src/identity/providers</code>, then run <code>npm run deploy</code>.
        </p>
      </div>
    </>
  );
}

/** Where a person says who they are. It never skips consent: that follows, on a page of its own. */
export function SignInPage(props: SignInPageProps) {
  const { providers, error, clientName } = props;
  const emailProvider = providers.find(({ kind }) => kind === 'email-form');
  const buttons = providers.filter(({ kind }) => kind === 'button');
  return (
    <Page title="Sign in" status={error === undefined ? undefined : 'Error'}>
      <Card>
        <div class="stack tight">
          <h1>Sign in</h1>
          <p class="lead muted">
            {clientName === undefined ? (
              'to your workspace'
            ) : (
              <>
                to connect <Untrusted>{clientName}</Untrusted>
              </>
            )}
          </p>
        </div>
        {error !== undefined && emailProvider === undefined && (
          <Notice tone="error">
            <p>{error}</p>
          </Notice>
        )}
        {buttons.length > 0 && <ProviderButtons {...props} providers={buttons} />}
        {buttons.length > 0 && emailProvider !== undefined && <hr class="rule" />}
        {emailProvider !== undefined && <EmailForm {...props} provider={emailProvider} />}
        {providers.length === 0 && <NoWayIn />}
      </Card>
    </Page>
  );
}

/** After signing out, when there is nowhere to return to. */
export function SignedOutPage() {
  return (
    <Page title="Signed out">
      <Card>
        <div class="stack tight">
          <h1>You are signed out</h1>
          <p>This browser no longer knows who you are.</p>
          <p>Apps that you connected keep their access until you disconnect them there.</p>
        </div>
        <div class="row">
          <ButtonLink href="/">To the start page</ButtonLink>
        </div>
      </Card>
    </Page>
  );
}
