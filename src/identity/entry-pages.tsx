import { Button, ButtonLink, Card, Field, HiddenFields, Notice, Untrusted, When } from '../console/components.tsx';
import { Page } from '../console/layout.tsx';
import type { InvitationOffer } from './admission.ts';

/** What each role that can be given lets a person do, after "as". */
const ROLES = {
  admin: {
    name: 'an admin',
    sentence: 'You get a workspace of your own, and you decide with others who else gets one.',
  },
  member: { name: 'a member', sentence: 'You get a private workspace, which your assistants reach when you let them.' },
  auditor: {
    name: 'an auditor',
    sentence: 'You see who came and went here, and nothing that anybody keeps. You get a workspace of your own, too.',
  },
} as const;

interface ClaimPageProps {
  readonly formToken: string;
  /** Somebody owns this deployment already. */
  readonly claimed: boolean;
  /** What prints the code. */
  readonly command: string;
  readonly error?: string | undefined;
}

/** Where whoever deployed this becomes its owner. */
export function ClaimPage({ formToken, claimed, command, error }: ClaimPageProps) {
  return (
    <Page title="Claim this deployment" status={error === undefined ? undefined : 'Error'}>
      <Card>
        {claimed ? (
          <>
            <div class="stack tight">
              <h1>This Carrel has an owner</h1>
              <p>
                It was claimed before, and has one owner. If that is you, sign in; if not, ask them for an invitation.
              </p>
            </div>
            <div class="row">
              <ButtonLink href="/sign-in">Sign in</ButtonLink>
            </div>
          </>
        ) : (
          <>
            <div class="stack tight">
              <h1>Claim this deployment</h1>
              <p>
                Nobody owns this Carrel yet. If you deployed it, run <code>{command}</code> where you did, and type here
                what it prints. Then you sign in, and it is yours.
              </p>
            </div>
            <form class="stack" method="post" action="/claim">
              <HiddenFields values={{ form_token: formToken }} />
              <Field id="code" name="code" label="Owner code" autocomplete="off" error={error} required autofocus />
              <Button full>Go on to sign in</Button>
            </form>
          </>
        )}
      </Card>
    </Page>
  );
}

interface InvitationPageProps {
  readonly offer: InvitationOffer;
  /** Where the button posts to: this page's own address. */
  readonly action: string;
  readonly formToken: string;
  /** Who is signed in in this browser: they are in already. */
  readonly signedInAs?: string | undefined;
}

/** What somebody sees who follows an invitation's link. To look at it changes nothing. */
export function InvitationPage({ offer, action, formToken, signedInAs }: InvitationPageProps) {
  const { name, sentence } = ROLES[offer.role];
  return (
    <Page title="You are invited">
      <Card>
        <div class="stack tight">
          <h1>You are invited to Carrel</h1>
          <p>
            {offer.by === undefined ? 'Whoever runs it' : <Untrusted>{offer.by}</Untrusted>} invites you as{' '}
            <strong>{name}</strong>. {sentence}
          </p>
        </div>
        {signedInAs === undefined ? (
          <form class="stack tight" method="post" action={action}>
            <HiddenFields values={{ form_token: formToken }} />
            <Button full>Accept and sign in</Button>
            <p class="muted small">
              For one person, until <When at={offer.expiresAt} />. It is used up when you have signed in.
            </p>
          </form>
        ) : (
          <>
            <Notice title="You are in already">
              <p>
                This browser is signed in as <Untrusted>{signedInAs}</Untrusted>. The invitation is for somebody who is
                not.
              </p>
            </Notice>
            <form class="row" method="post" action="/sign-out">
              <HiddenFields values={{ form_token: formToken, return_to: action }} />
              <Button variant="secondary">Sign out to use it</Button>
              <ButtonLink href="/account">Your account</ButtonLink>
            </form>
          </>
        )}
      </Card>
    </Page>
  );
}

/** For a link that lets nobody in any more. */
export function InvitationGonePage() {
  return (
    <Page title="This invitation is gone" status="Not invited">
      <Card>
        <div class="stack tight">
          <h1>This invitation cannot be used</h1>
          <p>It was used, taken back, or has expired: each one is for one person and for a week.</p>
          <p>Ask whoever sent it for another. If it was you who used it, sign in.</p>
        </div>
        <div class="row">
          <ButtonLink href="/sign-in">Sign in</ButtonLink>
        </div>
      </Card>
    </Page>
  );
}
