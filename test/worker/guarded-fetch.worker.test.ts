import { afterEach, describe, expect, inject, it, vi } from 'vitest';

import { guardedFetch } from '../../src/web/guarded-fetch.ts';
import type { GuardedFetch } from '../../src/web/guarded-fetch.ts';

/** A server on this machine, over the network (test/support/stranger.ts). */
const stranger = inject('stranger');

const fetchFrom = async (address: string, more: Partial<GuardedFetch> = {}) =>
  guardedFetch({
    address: address.startsWith('/') ? stranger + address : address,
    origin: 'https://carrel.example.com',
    loopback: true,
    maxBytes: 1_000_000,
    timeoutMs: 10_000,
    ...more,
  });
const textOf = async (address: string, more?: Partial<GuardedFetch>) =>
  new Response((await fetchFrom(address, more)).body).text();
/** What it throws, wherever on the way. */
const refusalOf = async (address: string, more?: Partial<GuardedFetch>) =>
  textOf(address, more).then(
    (text) => `came: ${text.slice(0, 100)}`,
    (error: { code: string; details: object }) => ({ code: error.code, ...error.details }),
  );

describe('what is fetched', () => {
  it('comes with its type, its length where it is said, and the place it came from', async () => {
    const { url, length, headers, body } = await fetchFrom('/hops?left=1');
    expect([url.href, length, headers.get('Content-Type')]).toEqual([`${stranger}/hello.txt`, 5, 'text/plain']);
    expect(await new Response(body).text()).toBe('hello');
    expect(await fetchFrom('/chunked.csv')).toMatchObject({ length: undefined });
    expect(await textOf('/chunked.csv')).toBe('a,b\n1,2\n');
    expect(await textOf('/empty')).toBe('');
    expect((await textOf('/bytes?size=999999')).length).toBe(999_999);
    expect(await fetchFrom('/zipped.txt')).toMatchObject({ length: undefined });
    expect(await textOf('/zipped.txt')).toBe('zipped');
  });

  it('is read as a stream of bytes', async () => {
    const reader = (await fetchFrom('/bytes?size=100000')).body.getReader({ mode: 'byob' });
    let size = 0;
    for (;;) {
      const { value } = await reader.readAtLeast(30_000, new Uint8Array(30_000));
      if (!value?.byteLength) break;
      size += value.byteLength;
    }
    expect(size).toBe(100_000);
  });

  it('is asked for without a cookie, a credential or a referrer, by name', async () => {
    const asked = JSON.parse(await textOf('/asked', { accept: 'text/html' })) as Record<string, string>;
    expect(asked).toMatchObject({
      accept: 'text/html',
      'accept-encoding': 'identity',
      'user-agent': expect.stringMatching(/^Carrel\/[\d.]+ \(\+https:\/\/carrel\.example\.com\)$/) as string,
    });
    expect(Object.keys(asked).filter((name) => /cookie|authori[sz]ation|referer|forwarded/.test(name))).toEqual([]);
  });
});

describe('what is not fetched', () => {
  it.each([
    [301, 'https://10.0.0.1/', 'not_a_public_address'],
    [302, 'https://169.254.169.254/latest/meta-data/', 'not_a_public_address'],
    [303, 'https://[::ffff:7f00:1]/', 'not_a_public_address'],
    [307, 'https://0x7f.1/', 'not_a_public_address'],
    [308, 'https://metadata.google.internal/', 'not_a_public_host'],
    [302, 'http://example.com/', 'not_https'],
    [302, 'https://user:secret@example.com/', 'credentials'],
    [302, 'https://example.com:8443/', 'port'],
    [302, 'https://carrel.example.com/files', 'this_deployment'],
    [302, 'file:///etc/passwd', 'not_https'],
    [302, 'https://[', 'not_a_url'],
  ])('is what a redirect (%i) to %s leads to', async (status, to, reason) => {
    const asked = vi.spyOn(globalThis, 'fetch');
    const redirect = `/redirect?status=${status}&to=${encodeURIComponent(to)}`;
    expect(await refusalOf(redirect)).toEqual({ code: 'invalid_input', reason });
    expect(asked.mock.calls.map(([address]) => address)).toEqual([stranger + redirect]);
  });

  it('is what runs on this machine, when a page elsewhere leads there', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.redirect(`${stranger}/hello.txt`));
    expect(await refusalOf('https://example.com/')).toEqual({ code: 'invalid_input', reason: 'not_https' });
    expect(globalThis.fetch).toHaveBeenCalledTimes(1);
  });

  it('is what runs on this machine, where that was not allowed', async () => {
    const asked = vi.spyOn(globalThis, 'fetch');
    expect(await refusalOf('/hello.txt', { loopback: false })).toEqual({ code: 'invalid_input', reason: 'not_https' });
    expect(asked).not.toHaveBeenCalled();
  });

  it('is what comes after a sixth redirect', async () => {
    expect(await textOf('/hops?left=4')).toBe('hello');
    expect(await refusalOf('/hops?left=5')).toEqual({ code: 'invalid_input', reason: 'too_many_redirects' });
  });

  it.each([
    [404, 'invalid_input'],
    [401, 'invalid_input'],
    [304, 'invalid_input'],
    [204, 'invalid_input'],
    [206, 'invalid_input'],
    [429, 'unavailable'],
    [500, 'unavailable'],
  ])('is an answer with status %i', async (status, code) => {
    expect(await refusalOf(`/status?is=${status}`)).toEqual({ code, status });
  });

  it('is a redirect that says nowhere', async () => {
    vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(null, { status: 302 }));
    expect(await refusalOf('https://example.com/')).toEqual({ code: 'invalid_input', status: 302 });
  });

  it('is an encoding that nobody here decodes', async () => {
    for (const as of ['zstd', 'gzip, gzip', 'x', 'GZIP', 'deflate'])
      expect(await refusalOf(`/encoded?as=${as}`)).toMatchObject({ code: 'unsupported' });
  });
});

describe('what is larger than may be', () => {
  it.each(['/endless', '/bomb', '/bytes?size=1000001'])('%s ends at the limit', async (path) => {
    expect(await refusalOf(path)).toEqual({ code: 'too_large', limit: 1_000_000 });
  });

  it('is not begun where the answer says so', async () => {
    expect(await refusalOf('/claims?length=1000001&sends=x')).toEqual({ code: 'too_large', limit: 1_000_000 });
  });

  it('is let go: the stranger writes no more', async () => {
    expect(await refusalOf('/endless?let-go')).toMatchObject({ code: 'too_large' });
    await expect.poll(() => textOf(`/cut?path=${encodeURIComponent('/endless?let-go')}`)).toBe('1');
  });
});

describe('what takes too long', () => {
  it.each(['/never', '/drip'])('%s ends at the deadline', async (path) => {
    const began = Date.now();
    expect(await refusalOf(path, { timeoutMs: 500 })).toEqual({ code: 'unavailable', reason: 'too_slow' });
    expect(Date.now() - began).toBeLessThan(3000);
  });

  it('ends when its caller has gone', async () => {
    const caller = new AbortController();
    const refused = refusalOf('/drip', { signal: caller.signal });
    setTimeout(() => caller.abort(), 100);
    expect(await refused).toMatchObject({ code: 'unavailable' });
  });
});

describe('what breaks off', () => {
  it('is shorter than it said', async () => {
    expect(await refusalOf('/claims?length=100&sends=short')).toEqual({ code: 'unavailable', reason: 'unreachable' });
  });

  it('ends where it said, whatever comes behind', async () => {
    expect(await textOf('/claims?length=5&sends=hello-and-more')).toBe('hello');
  });

  it('was never there', async () => {
    expect(await refusalOf('http://127.0.0.1:1/')).toEqual({ code: 'unavailable', reason: 'unreachable' });
  });
});

afterEach(() => vi.restoreAllMocks());
