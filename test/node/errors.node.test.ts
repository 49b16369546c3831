import { describe, expect, test } from 'vitest';

import { problem, STATUS } from '../../src/http/problem.ts';
import { errorResponse } from '../../src/http/router.ts';
import { asCarrelError, CarrelError, ERROR_CODES } from '../../src/lib/errors.ts';
import { toolError } from '../../src/mcp/tool-errors.ts';

const program = new Request('http://localhost/x');
const person = new Request('http://localhost/x', { headers: { Accept: 'text/html,application/xhtml+xml' } });

describe.each(ERROR_CODES)('%s', (code) => {
  const error = new CarrelError(code, 'Do this next.', { details: { limit: 3 }, cause: new Error('for-the-log') });

  test('leaves HTTP as problem+json with its status, what to do and the request id', async () => {
    const response = problem(error, 'req1');
    expect(response.status).toBe(STATUS[code]);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({
      code,
      detail: 'Do this next.',
      status: STATUS[code],
      limit: 3,
      request_id: 'req1',
    });
    expect(body).not.toContain('for-the-log');
  });

  test('is a page for people and a problem for programs', async () => {
    const page = await errorResponse(error, person, 'req1');
    expect(page.status).toBe(STATUS[code]);
    expect(page.headers.get('Content-Type')).toContain('text/html');
    expect(page.headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'");
    const text = await page.text();
    expect(text).toContain('Do this next.');
    expect(text).toContain('req1');
    expect(text).not.toContain('for-the-log');
    const answer = await errorResponse(error, program, 'req1');
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
  });

  test('leaves a tool as an error result, without structured content', () => {
    const result = toolError(error, 'req1');
    expect(result).toEqual({
      isError: true,
      content: [{ type: 'text', text: expect.stringContaining(`${code}: Do this next.`) as string }],
      _meta: { 'carrel/error': { code, message: 'Do this next.', limit: 3 } },
    });
    expect(JSON.stringify(result)).not.toContain('for-the-log');
  });
});

test('an error that crossed RPC is the same error again; any other is `internal` and says nothing', () => {
  const crossed = Object.assign(new Error('Do this next.'), {
    name: 'CarrelError',
    code: 'conflict',
    details: { version: 2 },
  });
  expect(asCarrelError(crossed)).toMatchObject({ code: 'conflict', message: 'Do this next.', details: { version: 2 } });
  const foreign = asCarrelError(new Error('SQLITE_ERROR near per_secret'));
  expect(foreign.code).toBe('internal');
  expect(foreign.message).not.toContain('SQLITE');
});
