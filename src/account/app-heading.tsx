import { Untrusted } from '../console/components.tsx';

interface AppHeadingProps {
  readonly id?: string;
  /** Untrusted: what the app calls itself. */
  readonly name: string | undefined;
  /** Whose document describes the app. */
  readonly domain: string | undefined;
  /** Where nothing names it. */
  readonly otherwise: string;
}

/** How an app is called, and whether anybody but itself says so. */
export function AppHeading({ id, name, domain, otherwise }: AppHeadingProps) {
  return (
    <>
      <h2 id={id}>
        <Untrusted>{domain ?? name ?? otherwise}</Untrusted>
      </h2>
      {domain === undefined ? (
        <p class="small">
          <strong class="doubtful">Unverified:</strong> this app named itself
        </p>
      ) : (
        <p class="small">
          <strong class="good">Verified:</strong> its details come from <strong>{domain}</strong>
        </p>
      )}
    </>
  );
}
