import type { Child } from 'hono/jsx';

import { AccountShell } from '../../console/account-shell.tsx';
import {
  Button,
  ButtonLink,
  Field,
  HiddenFields,
  Item,
  Items,
  Notice,
  Untrusted,
  When,
} from '../../console/components.tsx';
import type { SignedInShell } from '../../identity/signed-in.ts';
import { describeBytes } from '../../lib/bytes.ts';
import type { Level, ListedFile, ListedSessions, Trash } from './service.ts';

const PATH = '/account/files';
const TRASH = '/account/files/trash';

const to = (fields: Readonly<Record<string, string | undefined>>, path = PATH) => {
  const query = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  return query.length === 0 ? path : `${path}?${new URLSearchParams(query).toString()}`;
};

function Shelf({
  shell,
  lead,
  query,
  children,
}: {
  readonly shell: SignedInShell;
  readonly lead: Child;
  readonly query?: string;
  readonly children: Child;
}) {
  return (
    <AccountShell {...shell} title="Your files" current={PATH}>
      <div class="stack">
        <div class="stack tight">
          <h1>Your files</h1>
          <p>{lead}</p>
        </div>
        <form class="filter" method="get" action={PATH} role="search">
          <Field id="q" name="q" label="Search names and text" type="search" value={query} />
          <Button variant="secondary">Search</Button>
        </form>
      </div>
      {children}
    </AccountShell>
  );
}

/** What can be done with a file or a folder. Whoever only hears the page hears with which. */
function Actions({
  download,
  share,
  name,
}: {
  readonly download: string;
  readonly share: string;
  readonly name: string;
}) {
  const of = (
    <span class="unseen">
      {' '}
      <Untrusted>{name}</Untrusted>
    </span>
  );
  return (
    <>
      <a class="action" href={download}>
        Download{of}
      </a>
      <a class="action" href={share}>
        Share{of}
      </a>
    </>
  );
}

function FileItem({ file, shown }: { readonly file: ListedFile; readonly shown: string }) {
  const { id, size, type, updatedAt } = file;
  return (
    <Item
      title={<Untrusted>{shown}</Untrusted>}
      note={
        <>
          {describeBytes(size)}, <Untrusted>{type}</Untrusted>, <When at={updatedAt} />
        </>
      }
    >
      <Actions
        download={`${PATH}/${encodeURIComponent(id)}`}
        share={to({ file: id }, '/account/shares/new')}
        name={shown}
      />
    </Item>
  );
}

const More = ({ href }: { readonly href: string }) => (
  <div class="row">
    <ButtonLink href={href}>More</ButtonLink>
  </div>
);

/** The sessions that files are in. */
export function SessionsPage({ page, ...shell }: SignedInShell & { readonly page: ListedSessions }) {
  const { usage, sessions, nextCursor } = page;
  return (
    <Shelf shell={shell} lead="What you and your assistants keep here, session by session.">
      <Items>
        {sessions.map(({ slug, title }) => (
          <Item
            title={
              <a href={to({ session: slug })}>
                <Untrusted>{title}</Untrusted>
              </a>
            }
          />
        ))}
      </Items>
      {nextCursor !== undefined && <More href={to({ cursor: nextCursor })} />}
      <Room usage={usage} />
    </Shelf>
  );
}

/** What all files take of what they may, those of the trash and earlier versions among them. */
function Room({ usage: { bytes, files, quota } }: { readonly usage: ListedSessions['usage'] }) {
  const count = (value: number) => value.toLocaleString('en');
  return (
    <section class="stack tight" aria-labelledby="room">
      <h2 id="room">Room</h2>
      <meter class="room" min={0} max={quota.bytes} high={quota.bytes * 0.9} value={bytes} aria-labelledby="room" />
      <p class="muted small">
        {describeBytes(bytes)} of {describeBytes(quota.bytes)}, {count(files)} of {count(quota.files)} files. Earlier
        versions count, and what is in <a href={TRASH}>the trash</a>.
      </p>
    </section>
  );
}

/** What was deleted in the last thirty days. */
export function TrashPage({ trash, ...shell }: SignedInShell & { readonly trash: Trash }) {
  const { files, nextCursor } = trash;
  return (
    <AccountShell {...shell} title="The trash" current={PATH}>
      <div class="stack tight">
        <h1>The trash</h1>
        <p>
          What you or an assistant deleted stays here for thirty days. <a href={PATH}>All sessions</a>
        </p>
      </div>
      {files.length === 0 ? (
        <Notice title="The trash is empty">
          <p>Nothing waits here to be put back.</p>
        </Notice>
      ) : (
        <>
          <Items>
            {files.map(({ id, path, size, session, deletedAt }) => (
              <Item
                title={<Untrusted>{path}</Untrusted>}
                note={
                  <>
                    {describeBytes(size)}, of <Untrusted>{session.title}</Untrusted>
                    {deletedAt !== undefined && (
                      <>
                        , deleted <When at={deletedAt} />
                      </>
                    )}
                  </>
                }
              >
                <form method="post" action={`${TRASH}/put-back`}>
                  <HiddenFields values={{ form_token: shell.formToken, file: id }} />
                  <Button variant="quiet">
                    Put back
                    <span class="unseen">
                      {' '}
                      <Untrusted>{path}</Untrusted>
                    </span>
                  </Button>
                </form>
              </Item>
            ))}
          </Items>
          {nextCursor !== undefined && <More href={to({ cursor: nextCursor }, TRASH)} />}
          <div class="folds flat">
            <details>
              <summary>Empty the trash</summary>
              <form class="inside stack" method="post" action={`${TRASH}/empty`}>
                <HiddenFields values={{ form_token: shell.formToken }} />
                <p>Everything in it goes for good, with all earlier versions. Nobody can bring it back.</p>
                <div class="row">
                  <Button variant="secondary">Delete all of it for good</Button>
                </div>
              </form>
            </details>
          </div>
        </>
      )}
    </AccountShell>
  );
}

/** The way from all sessions to a folder. */
function Crumbs({ level: { session, folder } }: { readonly level: Level }) {
  const names = folder.split('/').slice(0, -1);
  const steps = [
    { name: session.title, folder: undefined },
    ...names.map((name, index) => ({ name, folder: `${names.slice(0, index + 1).join('/')}/` })),
  ];
  return (
    <nav class="crumbs" aria-label="Where you are">
      <a href={PATH}>All sessions</a>
      {steps.map((step, index) => (
        <>
          <span aria-hidden="true">/</span>
          {index === steps.length - 1 ? (
            <span aria-current="page">
              <Untrusted>{step.name}</Untrusted>
            </span>
          ) : (
            <a href={to({ session: session.slug, folder: step.folder })}>
              <Untrusted>{step.name}</Untrusted>
            </a>
          )}
        </>
      ))}
    </nav>
  );
}

/** One level of the folders of a session. */
export function LevelPage({ level, ...shell }: SignedInShell & { readonly level: Level }) {
  const { session, folder, folders, files, nextCursor } = level;
  const within = { session: session.slug, folder: folder || undefined };
  const isEmpty = folders.length + files.length === 0;
  return (
    <Shelf shell={shell} lead="Download or share a file, or all that is in a folder.">
      <section class="stack" aria-label="A folder of them">
        <Crumbs level={level} />
        {isEmpty ? (
          <Notice title={folder === '' ? 'There are no files in this session' : 'There is nothing in this folder'}>
            <p>Ask an assistant to keep something here, or to give you a page for adding files.</p>
          </Notice>
        ) : (
          <>
            <Items>
              {folders.map((path) => {
                const name = path.slice(folder.length);
                return (
                  <Item
                    title={
                      <a href={to({ session: session.slug, folder: path })}>
                        <Untrusted>{name}</Untrusted>
                      </a>
                    }
                  >
                    <Actions
                      download={to({ session: session.slug, folder: path }, `${PATH}/zip`)}
                      share={to({ session: session.slug, folder: path }, '/account/shares/new')}
                      name={name}
                    />
                  </Item>
                );
              })}
              {files.map((file) => (
                <FileItem file={file} shown={file.path.slice(folder.length)} />
              ))}
            </Items>
            {nextCursor !== undefined && <More href={to({ ...within, cursor: nextCursor })} />}
            <div class="row">
              <ButtonLink href={to(within, `${PATH}/zip`)}>Download all as a zip</ButtonLink>
              <ButtonLink href={to(within, '/account/shares/new')}>Share all of it</ButtonLink>
            </div>
          </>
        )}
      </section>
    </Shelf>
  );
}

interface FoundPageProps extends SignedInShell {
  readonly query: string;
  readonly found: readonly ListedFile[];
}

/** What a search found. */
export function FoundPage({ query, found, ...shell }: FoundPageProps) {
  return (
    <Shelf shell={shell} query={query} lead={<a href={PATH}>All sessions</a>}>
      {found.length === 0 ? (
        <Notice title="Nothing was found">
          <p>Each word must be in the name of a file, or in what it says.</p>
        </Notice>
      ) : (
        <section class="stack" aria-labelledby="found">
          <h2 id="found">{found.length === 1 ? 'One file' : `${found.length} files`}</h2>
          <Items>
            {found.map((file) => (
              <FileItem file={file} shown={file.path} />
            ))}
          </Items>
        </section>
      )}
    </Shelf>
  );
}
