import type { Child } from 'hono/jsx';

import type { SignedInShell } from '../identity/signed-in.ts';
import { AccountNav } from './account-nav.tsx';
import type { AccountPath } from './account-nav.tsx';
import { Page } from './layout.tsx';

interface ShellProps extends SignedInShell {
  readonly title: string;
  readonly current: AccountPath;
  readonly children: Child;
}

/** The frame of a signed-in person's pages: who it is, and the way to the other pages. */
export function AccountShell({ person, formToken, passkeys, files, approvals, title, current, children }: ShellProps) {
  return (
    <Page title={title} wide person={{ email: person.email ?? person.id, formToken }}>
      <div class="stack loose">
        <AccountNav current={current} role={person.role} passkeys={passkeys} files={files} approvals={approvals} />
        {children}
      </div>
    </Page>
  );
}
