import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A loopback address at which an app waits for its person to come back (RFC 8252 §7.3). */
export interface CallbackListener {
  readonly redirectUrl: string;
  /** The address with the code, or with the error that the person's refusal makes. */
  readonly callback: Promise<URL>;
  close(): void;
}

const PATH = '/callback';

const page = (title: string, text: string) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${title}</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 20vh auto; padding: 0 1rem">
<h1>${title}</h1><p>${text}</p></body></html>`;

/** Listens on a free port of 127.0.0.1, which other machines cannot reach. */
export async function listenForCallback(): Promise<CallbackListener> {
  let arrived: (url: URL) => void;
  const callback = new Promise<URL>((resolve) => {
    arrived = resolve;
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const answers = url.pathname === PATH && (url.searchParams.has('code') || url.searchParams.has('error'));
    response.statusCode = answers ? 200 : 404;
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Connection', 'close');
    if (!answers) return void response.end(page('Nothing is here', 'Follow the link that the terminal shows.'));
    response.end(
      url.searchParams.has('code')
        ? page('You are signed in', 'You can close this page and go back to the terminal.')
        : page('It was not allowed', 'Nothing was connected. You can close this page.'),
    );
    arrived(url);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { redirectUrl: `http://127.0.0.1:${port}${PATH}`, callback, close: () => void server.close() };
}
