import { AccountShell } from '../../console/account-shell.tsx';
import {
  Button,
  ButtonLink,
  Card,
  CopyLine,
  Fact,
  Facts,
  Field,
  HiddenFields,
  Notice,
  Select,
  Untrusted,
  When,
} from '../../console/components.tsx';
import { Page } from '../../console/layout.tsx';
import type { SignedInShell } from '../../identity/signed-in.ts';
import { describeBytes } from '../../lib/bytes.ts';
import { MAX_SHARE_USES, MIN_PASSWORD, SHARE_DAYS } from './service.ts';
import type { ListedShare, Offered, ShareSubject, Visit } from './service.ts';

const USUAL_DAYS = '7';

const downloads = (count: number) => (count === 1 ? 'one download' : `${count} downloads`);

const downloadsSoFar = (count: number) => (count === 0 ? 'Never' : count === 1 ? 'Once' : `${count} times`);

interface SharesPageProps extends SignedInShell {
  readonly origin: string;
  readonly shares: readonly ListedShare[];
}

function Share({
  share,
  origin,
  formToken,
}: { readonly share: ListedShare } & Pick<SharesPageProps, 'origin' | 'formToken'>) {
  const { id, path, session, address, isLocked, createdAt, expiresAt, lastUsedAt, uses, maxUses } = share;
  return (
    <article class="card stack" aria-labelledby={id}>
      <div class="stack tight">
        <h2 id={id}>
          <Untrusted>{path === '' ? `All files of ${session}` : path}</Untrusted>
        </h2>
        {path !== '' && (
          <p class="muted small">
            {path.endsWith('/') ? 'A folder' : 'A file'} of <Untrusted>{session}</Untrusted>
          </p>
        )}
      </div>
      <CopyLine text={`${origin}${address}`} />
      <Facts>
        <Fact term="Works until">
          <When at={expiresAt} />
          <p class="muted small">
            Made <When at={createdAt} />
          </p>
        </Fact>
        <Fact term="Downloaded">
          {maxUses === undefined ? downloadsSoFar(uses) : `${uses} of ${downloads(maxUses)}`}
          {lastUsedAt !== undefined && (
            <p class="muted small">
              Last <When at={lastUsedAt} />
            </p>
          )}
        </Fact>
        <Fact term="Password">{isLocked ? 'The one that you chose' : 'None: the link is enough'}</Fact>
      </Facts>
      <form class="row" method="post" action="/account/shares/end">
        <HiddenFields values={{ form_token: formToken, share: id }} />
        <Button variant="secondary">Stop sharing</Button>
        <span class="muted small">The link is of no use from then on.</span>
      </form>
    </article>
  );
}

/** What a person shares, with its links. */
export function SharesPage(props: SharesPageProps) {
  const { shares, origin, formToken } = props;
  return (
    <AccountShell {...props} title="What you share" current="/account/shares">
      <div class="stack">
        <div class="stack tight">
          <h1>What you share</h1>
          <p>
            Whoever has one of these links can download what it is for, without an account. One click selects a link. A
            file that you delete is no longer shared.
          </p>
        </div>
        {shares.length > 0 && (
          <div class="row">
            <ButtonLink href="/account/files">Share something else</ButtonLink>
          </div>
        )}
      </div>
      {shares.length === 0 ? (
        <Notice title="You share nothing">
          <p>
            Choose a file or a folder among <a href="/account/files">your files</a>.
          </p>
        </Notice>
      ) : (
        shares.map((share) => <Share share={share} origin={origin} formToken={formToken} />)
      )}
    </AccountShell>
  );
}

/** What was typed into the form and was refused. */
export interface ShareForm {
  readonly days: string;
  readonly uses: string;
  readonly password: string;
  readonly faults: Readonly<Partial<Record<'days' | 'uses' | 'password', readonly string[] | undefined>>>;
}

interface NewShareProps extends SignedInShell {
  readonly subject: ShareSubject;
  readonly offered: Offered;
  readonly form: ShareForm | undefined;
}

function About({ offered: { name, type, size, files } }: { readonly offered: Offered }) {
  return (
    <>
      <Fact term="Name">
        <span class="chief">
          <Untrusted>{name}</Untrusted>
        </span>
      </Fact>
      <Fact term="Size">{describeBytes(size)}</Fact>
      <Fact term="Type">
        {files === undefined ? (
          <Untrusted>{type}</Untrusted>
        ) : (
          `A zip of ${files === 1 ? 'one file' : `${files} files`}`
        )}
      </Fact>
    </>
  );
}

/** Where a person says on which terms something is shared. */
export function NewSharePage(props: NewShareProps) {
  const { subject, offered, form, formToken } = props;
  const hidden = 'fileId' in subject ? { file: subject.fileId } : subject;
  return (
    <AccountShell {...props} title={form ? 'Error: Share' : 'Share'} current="/account/shares">
      <div class="stack tight">
        <h1>{offered.files === undefined ? 'Share a file' : 'Share a folder'}</h1>
        <p>
          {offered.files === undefined
            ? 'Whoever has the link can download it, always its newest version.'
            : 'Whoever has the link can download all that is in it then, as a zip: also what comes into it later.'}
        </p>
      </div>
      <Card>
        <Facts>
          <About offered={offered} />
        </Facts>
        <form class="stack" method="post" action="/account/shares">
          <HiddenFields values={{ form_token: formToken, ...hidden }} />
          <Select
            id="days"
            name="days"
            label="How long the link works"
            value={form?.days ?? USUAL_DAYS}
            options={SHARE_DAYS.map((days) => ({
              value: String(days),
              label: days === 1 ? 'One day' : `${days} days`,
            }))}
          />
          <Field
            id="uses"
            name="uses"
            label="How often it may be downloaded"
            type="number"
            min={1}
            max={MAX_SHARE_USES}
            value={form?.uses}
            error={form?.faults.uses?.[0]}
            hint="Leave it empty for any number of times."
          />
          <Field
            id="password"
            name="password"
            label="Password"
            value={form?.password}
            error={form?.faults.password?.[0]}
            autocomplete="off"
            hint={`At least ${MIN_PASSWORD} characters, or empty for none. It is not shown again: tell it to them another way than the link.`}
          />
          <div class="row">
            <Button>Make the link</Button>
            <ButtonLink href="/account/files">Cancel</ButtonLink>
          </div>
        </form>
      </Card>
    </AccountShell>
  );
}

interface VisitPageProps {
  readonly visit: Visit;
  /** The password was. */
  readonly isWrong?: boolean;
}

/** What somebody sees who was given the link. */
export function VisitPage({ visit, isWrong = false }: VisitPageProps) {
  const { offered, expiresAt, usesLeft } = visit;
  return (
    <Page title="Shared with you" status={isWrong ? 'Error' : undefined}>
      <Card>
        <div class="stack tight">
          <h1>Shared with you</h1>
          <p>
            {offered
              ? 'Download it only if you know who gave you this link.'
              : 'It opens with a password, which you have from whoever gave you this link.'}
          </p>
        </div>
        <Facts>
          {offered && <About offered={offered} />}
          <Fact term="You can download it until">
            <When at={expiresAt} />
            {usesLeft !== undefined && <p class="muted small">{downloads(usesLeft)} left, for everybody together</p>}
          </Fact>
        </Facts>
        <form class="stack" method="post">
          {!offered && (
            <Field
              id="password"
              name="password"
              label="Password"
              type="password"
              autocomplete="off"
              error={isWrong ? 'This is not the password.' : undefined}
              autofocus
              required
            />
          )}
          <Button full>Download</Button>
        </form>
      </Card>
    </Page>
  );
}
