import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';

/**
 * What a hostile server does, beside what the stranger does anyway. It is asked under whatever host a test names
 * (test/support/outside-world.ts), and keeps a log of each.
 */

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => unknown;

interface Log {
  readonly paths: string[];
  /** How many requests were under way at once, at most. */
  most: number;
  now: number;
  /** When each came, in ms. */
  readonly times: number[];
}

const logs = new Map<string, Log>();
const tries = new Map<string, number>();
/** What `/robots.txt` is, by host: a status and a text. */
const robots = new Map<string, { readonly status: number; readonly text: string; readonly to: string }>();

/** Notes a request of a host that a test has named. */
export function noted(request: IncomingMessage, response: ServerResponse): void {
  const host = request.headers.host ?? '';
  const log = logs.get(host) ?? { paths: [], most: 0, now: 0, times: [] };
  logs.set(host, log);
  log.paths.push(request.url ?? '');
  log.times.push(performance.now());
  log.most = Math.max(log.most, ++log.now);
  response.once('close', () => log.now--);
}

/** More than is let in, and little when encoded. */
const ZEROS = new Uint8Array(30_000_000);
const BOMBS: Readonly<Record<string, () => Uint8Array>> = {
  gzip: () => gzipSync(ZEROS),
  br: () => brotliCompressSync(ZEROS, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  deflate: () => deflateSync(ZEROS),
  'gzip, gzip': () => gzipSync(gzipSync(ZEROS)),
  'br, gzip': () => gzipSync(brotliCompressSync(ZEROS, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })),
};

export const HOSTILE: Readonly<Record<string, Answer>> = {
  '/': (_request, response) => response.end('reached'),
  /** What goes over the wire, to the letter: past all that Node would check. */
  '/raw': async (_request, response, url) => {
    const { socket } = response;
    for (const part of url.searchParams.getAll('wire'))
      socket?.write(Uint8Array.from(part, (character) => character.charCodeAt(0)));
    if (url.searchParams.get('then') === 'reset') {
      await sleep(20);
      socket?.resetAndDestroy();
    } else if (url.searchParams.get('then') !== 'hold') socket?.end();
  },
  '/bombs': (_request, response, url) => {
    const as = url.searchParams.get('as') ?? '';
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Encoding': as }).end(BOMBS[as]?.());
  },
  /** Half of what a whole would be. */
  '/half': (_request, response) => {
    const whole = gzipSync('half '.repeat(100_000));
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' });
    response.end(whole.subarray(0, whole.byteLength / 2));
  },
  /** As many bytes of headers as it is asked for. */
  '/headers': (_request, response, url) => {
    const { socket } = response;
    socket?.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n');
    const line = `X-Filler: ${'x'.repeat(1000)}\r\n`;
    for (let left = Number(url.searchParams.get('size')); left > 0; left -= line.length) socket?.write(line);
    socket?.end('Content-Length: 5\r\n\r\nhello');
  },
  /** A header that never ends. */
  '/header-drip': async (_request, response) => {
    const { socket } = response;
    socket?.write('HTTP/1.1 200 OK\r\nX-Filler: ');
    while (!response.destroyed) {
      socket?.write('x');
      await sleep(20);
    }
  },
  '/cookies': (_request, response) => {
    response.setHeader('Set-Cookie', ['session=secret; Path=/', 'other=1']);
    response.setHeader('Server', 'told');
    response.writeHead(302, { Location: '/asked' }).end();
  },
  /** Fails as often as it is told, and then gives a page. */
  '/flaky': (request, response, url) => {
    const key = request.url ?? '';
    const tried = (tries.get(key) ?? 0) + 1;
    tries.set(key, tried);
    const said = url.searchParams;
    if (tried > Number(said.get('fails')))
      return response.setHeader('Content-Type', 'text/html').end(`<p>at try ${tried}`);
    if (said.has('cut')) return response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut');
    const after = said.get('after');
    return response.writeHead(Number(said.get('status')), after === null ? {} : { 'Retry-After': after }).end('no');
  },
  '/slowly': async (_request, response, url) => {
    await sleep(Number(url.searchParams.get('ms')));
    response.setHeader('Content-Type', 'text/html').end('<p>slowly');
  },
  '/around/a': (_request, response) => response.writeHead(302, { Location: '/around/b' }).end(),
  '/around/b': (_request, response) => response.writeHead(302, { Location: '/around/a' }).end(),
  '/to-long': (_request, response) =>
    response.writeHead(302, { Location: `https://long.example.com/${'a'.repeat(9000)}` }).end(),
  '/robots.txt': (request, response) => {
    const { status, text, to } = robots.get(request.headers.host ?? '') ?? { status: 404, text: '', to: '' };
    if (status === 0) return undefined;
    return response.writeHead(status, { 'Content-Type': 'text/plain', ...(to !== '' && { Location: to }) }).end(text);
  },
  /** What `/robots.txt` of a host is from now on: 0 is no answer. */
  '/tell-robots': (_request, response, url) => {
    const { host = '', status = '200', text = '', to = '' } = Object.fromEntries(url.searchParams);
    robots.set(host, {
      status: Number(status),
      text: text + '#'.repeat(Number(url.searchParams.get('fill') ?? 0)),
      to,
    });
    response.end();
  },
  '/log': (_request, response, url) => {
    const { paths = [], most = 0, times = [] } = logs.get(url.searchParams.get('host') ?? '') ?? {};
    const gaps = times.slice(1).map((time, index) => Math.round(time - (times[index] ?? 0)));
    response.end(JSON.stringify({ paths, most, gaps }));
  },
};
