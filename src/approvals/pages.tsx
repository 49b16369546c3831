import { AccountShell } from '../console/account-shell.tsx';
import {
  Badge,
  Button,
  Fact,
  Facts,
  HiddenFields,
  Item,
  Items,
  Notice,
  Untrusted,
  When,
} from '../console/components.tsx';
import type { SignedInShell } from '../identity/signed-in.ts';
import { describeBytes } from '../lib/bytes.ts';
import { parseJson } from '../lib/json.ts';
import type { Approval, ApprovalStatus } from './model.ts';
import type { AskedBy } from './service.ts';
import { visible } from './visible.ts';

const PATH = '/approvals';

const STATUS_WORDS: Readonly<Record<ApprovalStatus, string>> = {
  pending: 'Waits for you',
  approved: 'Approved, not done yet',
  denied: 'Denied',
  expired: 'Expired',
  used: 'Approved and done',
  outdated: 'Out of date',
};

const UNKNOWN: AskedBy = { name: 'An app', domain: undefined, place: 'unknown' };

/** An app's name, and the domain that vouches for it if one does. */
function Name({ asker: { name, domain } }: { readonly asker: AskedBy }) {
  return <Untrusted>{domain ?? name}</Untrusted>;
}

interface ApprovalsPageProps extends SignedInShell {
  readonly list: { readonly pending: readonly Approval[]; readonly recent: readonly Approval[] };
  readonly askers: ReadonlyMap<string, AskedBy>;
}

function Row({ approval, asker }: { readonly approval: Approval; readonly asker: AskedBy }) {
  const { id, status, summary, tool, destructive, files, fileCount, createdAt, expiresAt } = approval;
  const [first] = files;
  return (
    <Item
      title={
        <>
          <a href={`${PATH}/${id}`}>{visible(summary)}</a> {destructive && <Badge tone="doubtful">may destroy</Badge>}
        </>
      }
      note={
        <>
          <p>
            <code>{visible(tool)}</code>
            {first && (
              <>
                {' '}
                on <Untrusted>{visible(first.path)}</Untrusted>
                {fileCount > 1 && ` and ${fileCount - 1} more`}
              </>
            )}
            , asked by <Name asker={asker} />
          </p>
          <p>
            {status === 'pending' ? (
              <>
                Answer until <When at={expiresAt} />
              </>
            ) : (
              <>
                {STATUS_WORDS[status]}, asked <When at={createdAt} />
              </>
            )}
          </p>
        </>
      }
    />
  );
}

/** What waits for a person, and what they answered. */
export function ApprovalsPage(props: ApprovalsPageProps) {
  const { list, askers } = props;
  const rows = (approvals: readonly Approval[]) => (
    <Items>
      {approvals.map((approval) => (
        <Row approval={approval} asker={askers.get(approval.grantId) ?? UNKNOWN} />
      ))}
    </Items>
  );
  return (
    <AccountShell {...props} title="Approvals" current={PATH}>
      <div class="stack tight">
        <h1>Approvals</h1>
        <p>
          What your apps and jobs may only do once you have said so.{' '}
          <a href={`${PATH}/rules`}>Choose when you are asked</a>.
        </p>
      </div>
      {list.pending.length === 0 ? (
        <Notice title="Nothing waits for you">
          <p>What you are asked for stands here for a day. What you do not answer is not done.</p>
        </Notice>
      ) : (
        <section class="stack tight" aria-labelledby="pending">
          <h2 id="pending">Waiting</h2>
          {rows(list.pending)}
        </section>
      )}
      {list.recent.length > 0 && (
        <section class="stack tight" aria-labelledby="recent">
          <h2 id="recent">Recent</h2>
          {rows(list.recent)}
        </section>
      )}
    </AccountShell>
  );
}

/** The arguments as somebody would read them, with nothing in them that cannot be seen. */
function argumentsText({ arguments: text }: Approval): string {
  const value = parseJson(text);
  const whole = value === undefined ? text : JSON.stringify(value, undefined, 2);
  return whole.split('\n').map(visible).join('\n');
}

function Outcome({ approval }: { readonly approval: Approval }) {
  const { status, decidedAt, decidedBy, expiresAt } = approval;
  const how =
    decidedBy === 'page' ? 'on this page' : decidedBy === 'client' ? 'through the app' : 'with a personal token';
  const decided = decidedAt !== undefined && (
    <p>
      Answered <When at={decidedAt} />, {how}.
    </p>
  );
  switch (status) {
    case 'approved':
      return (
        <Notice title="You approved this">
          <p>
            It is done once, when the app calls again, until <When at={expiresAt} />. Tell it to go on.
          </p>
          {decided}
        </Notice>
      );
    case 'used':
      return (
        <Notice title="You approved this, and it was done">
          <p>The same once more needs another approval.</p>
          {decided}
        </Notice>
      );
    case 'denied':
      return (
        <Notice tone="warning" title="You denied this">
          <p>It was not done.</p>
          {decided}
        </Notice>
      );
    case 'expired':
      return (
        <Notice tone="warning" title="This has expired">
          <p>Nobody answered, or used the answer, in time. It was not done.</p>
        </Notice>
      );
    case 'outdated':
      return (
        <Notice tone="warning" title="A file was changed since this was asked">
          <p>
            It cannot be approved any more. You are asked again, about the file as it is now, if the app still wants it.
          </p>
        </Notice>
      );
    case 'pending':
      return <></>;
  }
}

function Answer({
  approval: { id, status, jobId },
  formToken,
}: {
  readonly approval: Approval;
  readonly formToken: string;
}) {
  // A job waits until it is told; whoever made a call has its answer already.
  if (status === 'outdated' && jobId !== undefined)
    return (
      <form class="row" method="post" action={`${PATH}/${id}/approve`}>
        <HiddenFields values={{ form_token: formToken }} />
        <Button variant="secondary">Have the job ask again</Button>
      </form>
    );
  if (status !== 'pending') return <></>;
  return (
    <div class="choices">
      <form method="post" action={`${PATH}/${id}/deny`}>
        <HiddenFields values={{ form_token: formToken }} />
        <Button variant="secondary" full>
          Deny
        </Button>
      </form>
      <form method="post" action={`${PATH}/${id}/approve`}>
        <HiddenFields values={{ form_token: formToken }} />
        <Button full>Approve once</Button>
      </form>
    </div>
  );
}

interface ApprovalPageProps extends SignedInShell {
  readonly approval: Approval;
  readonly asker: AskedBy | undefined;
}

/** Exactly what would happen. */
export function ApprovalPage(props: ApprovalPageProps) {
  const { approval, asker = UNKNOWN, formToken } = props;
  const { summary, tool, destructive, files, fileCount, bytes, status, jobId, createdAt, expiresAt } = approval;
  return (
    <AccountShell {...props} title={visible(summary)} current={PATH}>
      <div class="stack tight">
        <p>
          <a href={PATH}>All approvals</a>
        </p>
        <h1>{visible(summary)}</h1>
        <p class="row">
          <Badge>{STATUS_WORDS[status]}</Badge>
          {destructive && <Badge tone="doubtful">may destroy</Badge>}
        </p>
      </div>
      <Outcome approval={approval} />
      <Facts>
        <Fact term="Who asks">
          <strong>
            <Name asker={asker} />
          </strong>
          {asker.domain === undefined ? ' (named itself)' : ' (verified)'}
          <p class="muted small">
            Its access goes to <Untrusted>{asker.place}</Untrusted>
            {jobId !== undefined && (
              <>
                . In a job: <code>{jobId}</code>
              </>
            )}
          </p>
        </Fact>
        <Fact term="What is called">
          <code>{visible(tool)}</code>
        </Fact>
        <Fact term="Asked">
          <When at={createdAt} />
        </Fact>
        {status === 'pending' && (
          <Fact term="Answer until">
            <When at={expiresAt} />
            <p class="muted small">After that it counts as denied.</p>
          </Fact>
        )}
      </Facts>
      <section class="stack tight" aria-labelledby="files">
        <h2 id="files">Files affected</h2>
        {files.length === 0 ? (
          <p>None that is there now.</p>
        ) : (
          <Items>
            {files.map(({ id, session, path, version, size, inTrash }) => (
              <Item
                title={<Untrusted>{visible(path)}</Untrusted>}
                note={
                  <>
                    <p>
                      Version {version}, {describeBytes(size)}, in <Untrusted>{visible(session)}</Untrusted>
                      {inTrash && ', in the trash'}
                    </p>
                    <p>
                      <code>{id}</code>
                    </p>
                  </>
                }
              />
            ))}
          </Items>
        )}
        {fileCount > files.length && <p>and {fileCount - files.length} more, of which each version counts as well.</p>}
        <p class="muted small">
          {Number.isFinite(bytes) ? describeBytes(bytes) : 'Nobody knows how many bytes'} together, with what the call
          brings. If one of these files is changed before you answer, or before it is done, you are asked again.
        </p>
      </section>
      <section class="stack tight" aria-labelledby="arguments">
        <h2 id="arguments">Arguments</h2>
        <pre class="copy plain">{argumentsText(approval)}</pre>
        {approval.argumentsLength > approval.arguments.length && (
          <p>
            <strong>This is the beginning:</strong> the first {approval.arguments.length} of {approval.argumentsLength}{' '}
            characters.
          </p>
        )}
        <p class="muted small">
          SHA-256 of the arguments <code>{approval.argumentsSha256}</code>
        </p>
        <p class="muted small">
          SHA-256 of all that you approve <code>{approval.hash}</code>
        </p>
      </section>
      <Answer approval={approval} formToken={formToken} />
    </AccountShell>
  );
}
