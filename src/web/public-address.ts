import ipaddr from 'ipaddr.js';

/** Why an address is not fetched. */
export type AddressFault =
  | 'not_a_url'
  | 'too_long'
  | 'not_https'
  | 'credentials'
  | 'port'
  | 'not_a_public_host'
  | 'not_a_public_address'
  | 'this_deployment';

export interface AddressRules {
  /** The origin of this deployment, which never fetches itself. */
  readonly origin: string;
  /** Whether http to this machine is fetched, at any port: for tests and development. */
  readonly loopback: boolean;
}

/**
 * Last labels of names that are no public hosts: RFC 6761 and 6762, RFC 7686 (`onion`), RFC 9476 (`alt`), the name that
 * ICANN keeps for private use (`internal`), and those that home and office networks are known to use instead.
 * `arpa` holds no web sites, but `home.arpa` (RFC 8375) and reversed addresses.
 */
const NOT_PUBLIC: ReadonlySet<string> = new Set(
  'localhost local internal invalid test onion alt arpa localdomain lan home corp intranet private mail'.split(' '),
);

/**
 * Domains in which every name leads to the address that is written in it, or to 127.0.0.1. Anybody may have another one:
 * this keeps off what needs no preparation, and nothing else.
 */
const NAMES_FOR_ADDRESSES = /(?:^|\.)(?:(?:nip|sslip|xip)\.io|(?:localtest|lvh|vcap|traefik)\.me|lacolhost\.com)$/;

/** UTF-16 code units: what every server should take at least (RFC 9110, section 4.1). A redirect may name any length. */
export const MAX_ADDRESS = 8000;

/**
 * What keeps an address that somebody else chose from being fetched, as far as it can be told from the address:
 * what a name resolves to is not seen by a Worker.
 *
 * Every check looks at what the URL parser made of the text, because that is what `fetch` will go to: it has turned
 * `0x7f.1`, `017700000001`, `2130706433` and `１２７.0.0.1` into `127.0.0.1` already.
 */
export function addressFault(address: URL | null, { origin, loopback }: AddressRules): AddressFault | undefined {
  if (!address) return 'not_a_url';
  if (address.href.length > MAX_ADDRESS) return 'too_long';
  const own = new URL(origin);
  const onThisMachine = loopback && address.protocol === 'http:' && isThisMachine(address);
  if (address.protocol !== 'https:' && !onThisMachine) return 'not_https';
  if (address.username !== '' || address.password !== '') return 'credentials';
  // A deployment on this machine has several names, and its port is its own.
  if (onThisMachine) return address.port === own.port ? 'this_deployment' : undefined;
  if (address.port !== '') return 'port';
  const host = withoutDot(address.hostname);
  if (host === withoutDot(own.hostname)) return 'this_deployment';
  const bracketed = /^\[(.*)\]$/.exec(host)?.[1];
  if (bracketed !== undefined) return isPublicV6(bracketed) ? undefined : 'not_a_public_address';
  if (ipaddr.IPv4.isValidFourPartDecimal(host))
    return ipaddr.IPv4.parse(host).range() === 'unicast' ? undefined : 'not_a_public_address';
  const labels = host.split('.');
  return labels.length < 2 ||
    labels.includes('') ||
    NOT_PUBLIC.has(labels.at(-1) ?? '') ||
    NAMES_FOR_ADDRESSES.test(host)
    ? 'not_a_public_host'
    : undefined;
}

/** Whether a URL is of this machine: of `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isThisMachine({ hostname }: URL): boolean {
  const address = hostname.replaceAll(/[[\]]/g, '');
  return hostname === 'localhost' || (ipaddr.isValid(address) && ipaddr.parse(address).range() === 'loopback');
}

/** `localhost.` is `localhost`. */
function withoutDot(host: string): string {
  return host.replace(/\.$/, '');
}

/**
 * Whether an address is of 2000::/3, which is all that was ever given out, and there of no range with a purpose of its
 * own. Those that carry an IPv4 address (mapped, NAT64, 6to4, Teredo) are among what is refused, whichever they carry.
 */
function isPublicV6(text: string): boolean {
  if (!ipaddr.IPv6.isValid(text)) return false;
  const address = ipaddr.IPv6.parse(text);
  return (address.parts[0] ?? 0) >> 13 === 1 && address.range() === 'unicast';
}
