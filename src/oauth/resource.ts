/** Paths of this deployment that clients name as the resource they want a token for (RFC 8707). */
const RESOURCE_PATHS = new Set(['', '/mcp', '/files']);

/**
 * The one canonical resource, the bare origin, for every spelling of it that clients use: with and
 * without a trailing slash, with the path of the MCP endpoint, with a query. Anything else comes
 * back as it is, for the OAuth library to refuse as `invalid_target`.
 */
export function canonicalResource(value: string, origin: string): string {
  const url = URL.parse(value);
  if (!url || url.origin !== origin || url.username !== '' || url.password !== '' || value.includes('#')) return value;
  return RESOURCE_PATHS.has(url.pathname.replace(/\/$/, '')) ? origin : value;
}

/** Makes each `resource` parameter canonical, in a query or a form. */
export function canonicaliseResources(parameters: URLSearchParams, origin: string): void {
  const resources = parameters.getAll('resource');
  if (resources.length === 0) return;
  parameters.delete('resource');
  for (const resource of new Set(resources.map((value) => canonicalResource(value, origin))))
    parameters.append('resource', resource);
}
