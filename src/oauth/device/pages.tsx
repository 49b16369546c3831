import { Button, Card, Fact, Facts, Field, HiddenFields, Notice, Untrusted } from '../../console/components.tsx';
import { Page } from '../../console/layout.tsx';
import { DecisionButtons, ScopeChoices } from '../../console/scope-choices.tsx';
import type { DeviceQuestion } from './grants.ts';

interface Signed {
  readonly email: string;
  readonly formToken: string;
}

interface DevicePageProps extends Signed {
  /** Untrusted: what stands in the address, or was typed before. */
  readonly userCode?: string | undefined;
  readonly problem?: string | undefined;
}

/** Where a person enters the code that a device shows. */
export function DevicePage({ email, formToken, userCode, problem }: DevicePageProps) {
  return (
    <Page title="Connect a device" status={problem === undefined ? undefined : 'Error'} person={{ email, formToken }}>
      <Card>
        <div class="stack tight">
          <h1>Connect a device</h1>
          <p>Enter the code that your terminal or device shows. You see what it asks for before you allow anything.</p>
        </div>
        <form class="stack" method="post" action="/device">
          <HiddenFields values={{ form_token: formToken }} />
          <Field
            id="user_code"
            name="user_code"
            label="Code"
            value={userCode}
            hint="Eight letters, such as WDJB-MJHT."
            error={problem}
            autocomplete="off"
            autofocus
            required
          />
          <Button full>Continue</Button>
        </form>
      </Card>
    </Page>
  );
}

interface DeviceConsentProps extends Signed {
  readonly question: DeviceQuestion;
  readonly problem?: string | undefined;
}

/** Asks the person whether this device may use their workspace. */
export function DeviceConsentPage({ email, formToken, question, problem }: DeviceConsentProps) {
  const { clientName, userCode, scopes, handle } = question;
  return (
    <Page title="Allow access" status={problem === undefined ? undefined : 'Error'} person={{ email, formToken }}>
      <Card>
        <h1>Let this device use your workspace?</h1>
        <Facts>
          <Fact term="App">
            <div class="chief">
              <Untrusted>{clientName}</Untrusted>
            </div>
            <span class="small">
              <strong class="doubtful">Unverified:</strong> this app named itself
            </span>
          </Fact>
          <Fact term="Code on the device">
            <code class="chief">{userCode}</code>
          </Fact>
        </Facts>
        <Notice tone="warning" title="Did you start this yourself, on a device before you?">
          <p>
            Whoever showed you this code gets the access. If it came in a message, a call or a chat, somebody else
            started it: deny it.
          </p>
        </Notice>
        <form class="stack" method="post" action="/device/answer">
          <HiddenFields values={{ form_token: formToken, handle, user_code: userCode }} />
          <ScopeChoices scopes={scopes} error={problem} />
          <DecisionButtons />
          <p class="muted small">
            The access ends at once when you disconnect it in your account here, and by itself when the app stays away
            for weeks.
          </p>
        </form>
      </Card>
    </Page>
  );
}

interface DeviceDoneProps extends Signed {
  readonly answer: 'allowed' | 'denied';
}

export function DeviceDonePage({ email, formToken, answer }: DeviceDoneProps) {
  const allowed = answer === 'allowed';
  return (
    <Page title={allowed ? 'Device connected' : 'Device denied'} person={{ email, formToken }}>
      <Card>
        <div class="stack tight">
          <h1>{allowed ? 'Your device is connected' : 'Nothing was allowed'}</h1>
          <p>
            {allowed
              ? 'Go back to it: it goes on by itself within seconds. You can close this page.'
              : 'The device is told so. You can close this page.'}
          </p>
        </div>
        <p>
          <a href="/account/apps">Your connected apps</a>
        </p>
      </Card>
    </Page>
  );
}
