/** The network of the one address that every Worker of another zone comes from. */
const WORKERS = '2a06:98c0:3600:0::/64';

/**
 * Whose request this is, for counting: the address that the edge saw, undefined where there is no edge.
 * Of IPv6 it is the network of 64 bits, because whoever has one address has all of that.
 *
 * Requests that Workers of other zones send share one address, `2a06:98c0:3600::103`; theirs name the zone behind
 * it, as the edge says it in `CF-Worker`, so that one zone cannot use up what everybody's Workers may do. Of other
 * addresses that header counts nothing: whoever sent it would choose how they are counted.
 * https://developers.cloudflare.com/fundamentals/reference/http-headers/
 */
export function clientAddress(headers: Headers): string | undefined {
  const network = networkOf(headers);
  const zone = headers.get('CF-Worker');
  return network === WORKERS && zone !== null ? `${network} ${zone.toLowerCase().slice(0, 255)}` : network;
}

function networkOf(headers: Headers): string | undefined {
  const address = headers.get('CF-Connecting-IP') ?? undefined;
  if (address === undefined || !address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - last.length)).fill('0');
  const network = [...groups, ...zeros, ...last].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
