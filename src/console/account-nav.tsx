import type { Role } from '../directory/types.ts';

/** What the pages of a signed-in person are, by their paths. */
export type AccountPath =
  | '/account'
  | '/account/apps'
  | '/account/passkeys'
  | '/account/tokens'
  | '/account/files'
  | '/account/shares'
  | '/approvals'
  | '/admin/people'
  | '/admin/audit';

interface AccountNavProps {
  readonly current: AccountPath;
  readonly role: Role;
  /** Whether there are passkeys here. */
  readonly passkeys: boolean;
  /** Whether there are files here. */
  readonly files: boolean;
  /** How many approvals wait; undefined where nobody counted. */
  readonly approvals?: number | undefined;
}

/** The way between the pages of a signed-in person: only those that this person may open. */
export function AccountNav({ current, role, passkeys, files, approvals = 0 }: AccountNavProps) {
  const manages = role === 'owner' || role === 'admin';
  const pages: readonly (readonly [AccountPath, string, boolean])[] = [
    ['/account', 'You', true],
    ['/account/apps', 'Connected apps', true],
    ['/account/passkeys', 'Passkeys', passkeys],
    ['/account/tokens', 'Tokens', true],
    ['/account/files', 'Files', files],
    ['/account/shares', 'Shared', files],
    ['/approvals', approvals === 0 ? 'Approvals' : `Approvals (${approvals})`, true],
    ['/admin/people', 'People', manages],
    ['/admin/audit', 'Audit', manages || role === 'auditor'],
  ];
  return (
    <nav class="tabs" aria-label="Your pages">
      {pages
        .filter(([, , shown]) => shown)
        .map(([path, label]) => (
          <a href={path} aria-current={path === current ? 'page' : undefined}>
            {label}
          </a>
        ))}
    </nav>
  );
}
