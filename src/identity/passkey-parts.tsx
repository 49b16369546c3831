import type { Child } from 'hono/jsx';

import { Button, Field, HiddenFields } from '../console/components.tsx';
import { PASSKEY_SCRIPT_PATH } from './passkey-script.ts';

interface PasskeyFormProps {
  /** `new` makes a passkey, `use` asks for one. */
  readonly purpose: 'new' | 'use';
  /** The script sends to addresses beneath it; a browser without the script is told so there. */
  readonly action: string;
  readonly values: Readonly<Record<string, string>>;
  readonly button: Child;
  /** Its fields. */
  readonly children?: Child;
}

/** A form that the script sends. What goes wrong is said in it. */
export function PasskeyForm({ purpose, action, values, button, children }: PasskeyFormProps) {
  return (
    <form class="stack" method="post" action={action} data-passkey={purpose}>
      <HiddenFields values={values} />
      {children}
      <div class="stack tight">
        {button}
        <p class="problem" role="alert" data-problem hidden></p>
      </div>
    </form>
  );
}

/** Once a page, after its forms. */
export function PasskeyScript() {
  return (
    <>
      <noscript>
        <p class="muted small">
          Passkeys need JavaScript: switch it on for this page. Without it, a{' '}
          <a href="/sign-in/recovery">recovery code</a> lets you in.
        </p>
      </noscript>
      <script type="module" src={PASSKEY_SCRIPT_PATH}></script>
    </>
  );
}

interface SignInPartProps {
  readonly label: string;
  readonly returnTo: string;
  /** Not the chief thing on the page. */
  readonly secondary: boolean;
}

/** Asks for a passkey, on the sign-in page. */
export function PasskeySignIn({ label, returnTo, secondary }: SignInPartProps) {
  return (
    <PasskeyForm
      purpose="use"
      action="/sign-in/passkey"
      values={{ return_to: returnTo }}
      button={
        <Button full variant={secondary ? 'secondary' : 'primary'}>
          {label}
        </Button>
      }
    />
  );
}

/** What to do where a passkey does not help. */
export function PasskeyHelp({ returnTo }: { readonly returnTo: string }) {
  return (
    <div class="stack tight">
      <p class="muted small">
        Lost your passkeys?{' '}
        <a href={`/sign-in/recovery?${new URLSearchParams({ return_to: returnTo }).toString()}`}>Use a recovery code</a>
      </p>
      <PasskeyScript />
    </div>
  );
}

/** The way in for somebody who was given one and is new here. */
export function PasskeyEntry({ returnTo }: { readonly returnTo: string }) {
  return (
    <section class="stack" aria-labelledby="new-here">
      <div class="stack tight">
        <h2 id="new-here">New here?</h2>
        <p class="muted">
          Make a passkey. It takes the place of a password: your device keeps it, and you unlock it as you unlock the
          device.
        </p>
      </div>
      <PasskeyForm
        purpose="new"
        action="/sign-in/passkey/new"
        values={{ return_to: returnTo }}
        button={<Button full>Create a passkey</Button>}
      >
        <Field
          id="address"
          name="address"
          label="Your e-mail address"
          type="email"
          autocomplete="email"
          required
          hint="It says whose account this is, to you and to whoever runs this deployment. Nothing is sent to it."
        />
      </PasskeyForm>
    </section>
  );
}
