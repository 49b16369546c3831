import type { Example } from '../http/operation.ts';
import { SAMPLE } from '../http/samples.ts';
import { shellQuoted } from '../lib/shell.ts';
import type { DescribedEndpoint } from './describe.ts';

/**
 * The request of an example as a command for a POSIX shell, a line for each part of it. The access
 * token stands in the variable `TOKEN`, so that no token is typed into a command that a shell remembers.
 */
export function curlCommand({ method, path, scopes }: DescribedEndpoint, { request, answer }: Example): string {
  const { json, form, file } = request;
  const words: string[] = [];
  // A method that curl would choose by itself is left out; `-i` shows an answer that is nothing but headers.
  const implied = file ? 'PUT' : json !== undefined || form ? 'POST' : 'GET';
  if (method !== implied) words.push(`-X ${method}`);
  if (answer.json === undefined && answer.text === undefined) words.push('-i');
  if (scopes) words.push('-H "Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(request.headers ?? {}))
    words.push(`-H ${shellQuoted(`${name}: ${value}`)}`);
  if (file) words.push(`-T ${shellQuoted(file.name)}`);
  if (json !== undefined) words.push("-H 'Content-Type: application/json'", `-d ${shellQuoted(JSON.stringify(json))}`);
  for (const [name, value] of Object.entries(form ?? {}))
    words.push(`--data-urlencode ${shellQuoted(`${name}=${value}`)}`);
  words.push(shellQuoted(SAMPLE.origin + exampleAddress(path, request)));
  return `curl ${words.join(' \\\n  ')}`;
}

/** The path and the query of an example. */
export function exampleAddress(path: string, { params, query }: Example['request']): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''));
  return query ? `${filled}?${new URLSearchParams(query).toString()}` : filled;
}
