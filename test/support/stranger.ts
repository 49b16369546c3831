import { createGzip } from 'node:zlib';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { TestProject } from 'vitest/node';

import { HOSTILE, noted } from './hostile.ts';
import { listen } from './listen.ts';

/** Types of what {@link setup} tells the tests. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** The origin of a server on this machine that nobody should trust. */
    readonly stranger: string;
  }
}

const SIXTEEN_KB = new Uint8Array(16 * 1024).fill(0x78);

/** Writes until whoever reads has gone. */
async function endlessly(response: ServerResponse | ReturnType<typeof createGzip>, piece: Uint8Array): Promise<void> {
  while (!response.destroyed && !response.closed)
    if (!response.write(piece)) await Promise.race([new Promise((done) => response.once('drain', done)), sleep(50)]);
}

/** How many connections sent something when they were closed, by the path that was asked. */
const cut = new Map<string, number>();

const held = new Map<string, () => void>();

const PATHS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse, url: URL) => unknown>> = {
  '/hello.txt': (_request, response) => response.setHeader('Content-Type', 'text/plain').end('hello'),
  '/chunked.csv': (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/csv' });
    response.write('a,b\n');
    response.end('1,2\n');
  },
  '/empty': (_request, response) => response.end(),
  /** As many bytes as it is asked for, without saying how many. */
  '/bytes': (_request, response, url) => {
    const left = Number(url.searchParams.get('size'));
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    for (let sent = 0; sent < left; sent += SIXTEEN_KB.length)
      response.write(SIXTEEN_KB.subarray(0, Math.min(SIXTEEN_KB.length, left - sent)));
    response.end();
  },
  '/named': (_request, response, url) => {
    response.setHeader('Content-Disposition', url.searchParams.get('disposition') ?? '');
    response.setHeader('Content-Type', url.searchParams.get('type') ?? 'application/octet-stream').end('named');
  },
  '/asked': (request, response) => response.end(JSON.stringify(request.headers)),
  '/redirect': (_request, response, url) => {
    response.writeHead(Number(url.searchParams.get('status') ?? 302), { Location: url.searchParams.get('to') ?? '' });
    response.end('moved');
  },
  /** Leads on as often as it is told, and then to the text. */
  '/hops': (_request, response, url) => {
    const left = Number(url.searchParams.get('left'));
    response.writeHead(302, { Location: left > 0 ? `/hops?left=${left - 1}` : '/hello.txt' }).end();
  },
  '/status': (_request, response, url) => response.writeHead(Number(url.searchParams.get('is'))).end('no'),
  '/endless': async (request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    await endlessly(response, SIXTEEN_KB);
    cut.set(request.url ?? '', (cut.get(request.url ?? '') ?? 0) + 1);
  },
  '/drip': async (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    while (!response.destroyed) {
      response.write('.');
      await sleep(20);
    }
  },
  /** The beginning at once, the end when `/release` is asked. */
  '/held': (_request, response, url) => {
    response.write('begun ');
    held.set(url.searchParams.get('key') ?? '', () => response.end('ended'));
  },
  '/release': (_request, response, url) => {
    held.get(url.searchParams.get('key') ?? '')?.();
    response.end();
  },
  '/never': () => undefined,
  '/claims': (_request, response, url) => {
    const text = url.searchParams.get('sends') ?? '';
    // Past the checks of Node: what goes over the wire says what it says.
    response.socket?.end(
      `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${url.searchParams.get('length')}\r\nConnection: close\r\n\r\n${text}`,
    );
  },
  '/bomb': async (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' });
    const zipped = createGzip();
    zipped.pipe(response);
    response.once('close', () => zipped.destroy());
    await endlessly(zipped, new Uint8Array(1024 * 1024));
  },
  '/zipped.txt': (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' });
    const zipped = createGzip();
    zipped.pipe(response);
    zipped.end('zipped');
  },
  '/encoded': (_request, response, url) => {
    response.setHeader('Content-Encoding', url.searchParams.get('as') ?? '').end('encoded');
  },
  ...HOSTILE,
  '/cut': (_request, response, url) => response.end(String(cut.get(url.searchParams.get('path') ?? '') ?? 0)),
};

let close = () => {};

/** Runs the stranger beside the tests of a project. */
export async function setup(project: TestProject): Promise<void> {
  const server = await listen((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stranger');
    response.on('error', () => undefined);
    request.socket.on('error', () => undefined);
    noted(request, response);
    void (PATHS[url.pathname] ?? PATHS['/never'])?.(request, response, url);
  });
  project.provide('stranger', server.url);
  ({ close } = server);
}

export function teardown(): void {
  close();
}
