/**
 * What a Worker under test fetches over https goes to the stranger, whatever host it names, so that a test reaches a
 * hostile server as a public one: with every rule of the guard, and without an exception for this machine. That is a
 * Worker of its own which changes neither request nor answer. The stranger knows the host that was meant by `Host`.
 */
const ROUTER = `export default {
  async fetch(request, { STRANGER }) {
    const url = new URL(request.url);
    if (url.protocol !== 'https:') return fetch(request);
    return STRANGER.fetch(request);
  },
};`;

/** Options of miniflare that put the stranger at this origin in place of the Internet. */
export function outsideWorld(stranger: string) {
  return {
    outboundService: 'outside-world',
    workers: [
      {
        name: 'outside-world',
        modules: true,
        script: ROUTER,
        compatibilityDate: '2026-09-01',
        serviceBindings: { STRANGER: { external: { address: new URL(stranger).host, http: {} } } },
      },
    ],
  };
}
