import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import type { SourceMapPayload } from 'node:module';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ROOT } from '../paths.ts';
import type { ProfileNode } from './profiler.ts';

/** Where a function was written. */
export interface Place {
  /** A package, or a file of this checkout. */
  readonly group: string;
  readonly name: string;
}

const PACKAGE = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//;

function groupOf(path: string): string {
  const [, name] = PACKAGE.exec(path) ?? [];
  return name ?? path.replace(/^(?:\.\.?\/)+/, '');
}

interface MappedModule {
  readonly map: SourceMap;
  readonly payload: SourceMapPayload;
}

/** Says of functions in a bundle, or in files that run as they are, where they were written. */
export class SourcePlaces {
  readonly #bundle: string;
  readonly #modules = new Map<string, MappedModule | undefined>();

  /** @param bundle a folder with source maps beside the modules; it may not be there */
  constructor(bundle: string) {
    this.#bundle = bundle;
  }

  /** Undefined for what has no source: the runtime and what is built into it. */
  find({ functionName, url, lineNumber, columnNumber }: ProfileNode['callFrame']): Place | undefined {
    if (url === '') return undefined;
    if (url.startsWith('node:')) return { group: 'Node.js', name: functionName };
    const module = this.#module(basename(url));
    if (module) {
      const entry = module.map.findEntry(lineNumber, columnNumber);
      if (!('originalSource' in entry)) return { group: 'the bundle', name: functionName };
      return {
        group: groupOf(relative(ROOT, resolve(this.#bundle, entry.originalSource))),
        name: nameAt(module.payload, entry.originalSource, entry.originalLine, entry.originalColumn) ?? functionName,
      };
    }
    const path = url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)) : url;
    return { group: groupOf(path), name: functionName === '' ? `line ${lineNumber + 1}` : functionName };
  }

  #module(name: string): MappedModule | undefined {
    if (this.#modules.has(name)) return this.#modules.get(name);
    const file = join(this.#bundle, `${name}.map`);
    let module: MappedModule | undefined;
    if (existsSync(file)) {
      const payload = JSON.parse(readFileSync(file, 'utf8')) as SourceMapPayload;
      module = { map: new SourceMap(payload), payload };
    }
    this.#modules.set(name, module);
    return module;
  }
}

/** The name that a function has in its source; in the bundle it has been shortened. */
function nameAt(payload: SourceMapPayload, source: string, line: number, column: number): string | undefined {
  const text = payload.sourcesContent?.[payload.sources.indexOf(source)]?.split('\n')[line];
  if (text === undefined) return undefined;
  // A function begins at its name, at `(`, or at the parameter of an arrow, which mostly gets a name before.
  const here = /^[\w$#]+(?=\()/.exec(text.slice(column))?.[0];
  const before = /([\w$#]+)\s*[:=]?\s*(?:async\s*)?(?:function\s*)?\(*$/.exec(text.slice(0, column))?.[1];
  const name = here ?? before;
  return name === undefined || /^(?:async|function|return|await|new)$/.test(name) ? `line ${line + 1}` : name;
}
