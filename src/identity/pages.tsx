import { Button, ButtonLink, Card, Field, HiddenFields, Notice, Untrusted } from '../console/components.tsx';
import { Page } from '../console/layout.tsx';
import type { Ticket } from './admission.ts';
import { PasskeyEntry, PasskeyHelp, PasskeySignIn } from './passkey-parts.tsx';
import type { IdentityProvider } from './provider.ts';

/** A way to sign in, as the sign-in page offers it. */
export interface SignInChoice {
  /** In the address of its button. */
  readonly name: string;
  /** What the button says, such as "Sign in with GitHub". */
  readonly label: string;
  /** `email-form` is the development sign-in: an address alone, never proved. */
  readonly kind: IdentityProvider['kind'];
}

interface SignInPageProps {
  readonly providers: readonly SignInChoice[];
  readonly formToken: string;
  readonly returnTo: string;
  /** What this browser was given to be let in with. */
  readonly ticket?: Ticket | undefined;
  /** Nobody owns the deployment, so that nobody gets in but with the owner's code. */
  readonly unclaimed?: boolean;
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

function ProviderButtons({ providers, returnTo }: SignInPageProps) {
  return (
    <div class="stack tight">
      {providers.map(({ name, label }) => (
        <ButtonLink full href={`/sign-in/${name}?${new URLSearchParams({ return_to: returnTo }).toString()}`}>
          {label}
        </ButtonLink>
      ))}
    </div>
  );
}

function NoWayIn() {
  return (
    <>
      <Notice tone="warning" title="There is no way to sign in here">
        <p>If somebody gave you this address, tell them what you see here.</p>
      </Notice>
      <div class="stack tight">
        <h2>If you run it</h2>
        <p>
          On your own computer, start it with <code>npm start</code>: that turns the development sign-in on. In a
          deployment, <code>npm run doctor -- --deployed</code> says which ways to sign in are set up.
        </p>
      </div>
    </>
  );
}

/** What the browser was given, and what the sign-in on this page does with it. */
function TicketNote({ ticket }: { readonly ticket: Ticket }) {
  return ticket.kind === 'owner' ? (
    <Notice title="You are about to own this Carrel">
      <p>The code was right. Whoever signs in now in this browser becomes the owner, and decides who else gets in.</p>
    </Notice>
  ) : (
    <Notice title="You are invited">
      <p>
        Whoever signs in now in this browser gets in, as {ticket.role === 'member' ? 'a' : 'an'} {ticket.role}.
      </p>
    </Notice>
  );
}

function Unclaimed() {
  return (
    <Notice tone="warning" title="Nobody owns this Carrel yet">
      <p>
        So nobody gets in. If you deployed it, run <code>npm run owner-code -- --remote</code> where you did, then{' '}
        <a href="/claim">claim it</a>.
      </p>
    </Notice>
  );
}

/** Where a person says who they are. It never skips consent: that follows, on a page of its own. */
export function SignInPage(props: SignInPageProps) {
  const { providers, error, clientName, ticket, returnTo } = props;
  const emailProvider = providers.find(({ kind }) => kind === 'email-form');
  const buttons = providers.filter(({ kind }) => kind === 'redirect');
  const passkey = providers.find(({ kind }) => kind === 'passkey');
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
        {props.ticket !== undefined && <TicketNote ticket={props.ticket} />}
        {props.unclaimed === true && props.ticket === undefined && providers.length > 0 && <Unclaimed />}
        {passkey && ticket && <PasskeyEntry returnTo={returnTo} />}
        {passkey && ticket && <hr class="rule" />}
        {(passkey !== undefined || buttons.length > 0) && (
          <div class="stack tight">
            {passkey && (
              <PasskeySignIn
                label={passkey.label}
                returnTo={returnTo}
                secondary={ticket !== undefined || emailProvider !== undefined}
              />
            )}
            {buttons.length > 0 && <ProviderButtons {...props} providers={buttons} />}
          </div>
        )}
        {passkey && <PasskeyHelp returnTo={returnTo} />}
        {(passkey !== undefined || buttons.length > 0) && emailProvider !== undefined && <hr class="rule" />}
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
          <p>
            Apps that you connected keep their access until you disconnect them, in the app or under connected apps
            here.
          </p>
        </div>
        <div class="row">
          <ButtonLink href="/">To the start page</ButtonLink>
        </div>
      </Card>
    </Page>
  );
}
