/**
 * Whose request this is, for counting: the address that the edge saw, undefined where there is no edge.
 * Of IPv6 it is the network of 64 bits, because whoever has one address has all of that.
 */
export function clientAddress(headers: Headers): string | undefined {
  const address = headers.get('CF-Connecting-IP') ?? undefined;
  if (address === undefined || !address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - last.length)).fill('0');
  const network = [...groups, ...zeros, ...last].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
