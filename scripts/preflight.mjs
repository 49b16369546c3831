/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access -- not in tsconfig.json */
// Loaded before a script, in plain JavaScript: without the dependencies npm takes the Node.js of this
// machine, and an old one fails on the first TypeScript file with a message that helps nobody.
import { existsSync } from 'node:fs';

const installed = existsSync(new URL('../node_modules/wrangler/package.json', import.meta.url));
if (!installed || !process.features.typescript) {
  process.stderr.write(
    installed
      ? `\n  ✘ Node.js ${process.version} cannot run this. Start it through npm, such as: npm start\n\n`
      : '\n  ✘ Run npm ci first. It installs what this needs, its own Node.js too.\n\n',
  );
  process.exit(1);
}
