/**
 * Stands in for npm's `debug` in the Worker's bundle (see `alias` in wrangler.toml). A dependency of
 * file-type logs through it, which nobody could switch on here, and it brings 9 KB with it.
 */
export default function createDebug(): () => void {
  return () => undefined;
}
