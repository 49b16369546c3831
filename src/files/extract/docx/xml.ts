import { Parser } from 'htmlparser2';

import { Stopped } from '../model.ts';

export type XmlAttributes = Readonly<Record<string, string>>;

/** Told what an XML document has, with the names of elements without their prefixes. */
export interface XmlHandler {
  open(name: string, attributes: XmlAttributes): void;
  close?(name: string): void;
  text?(data: string): void;
}

/**
 * Reads XML in UTF-8. Nothing is declared by the document itself: entities of its document type stay
 * as they are written, so none can be made of others.
 *
 * @param maxDepth elements inside one another
 * @throws Stopped `too_large` (nested deeper), and whatever `pieces` and `handler` throw
 */
export async function parseXml(
  pieces: AsyncIterable<Uint8Array>,
  handler: XmlHandler,
  maxDepth: number,
): Promise<void> {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        depth += 1;
        if (depth > maxDepth) throw new Stopped('too_large');
        handler.open(local(name), attributes);
      },
      onclosetag: (name) => {
        depth -= 1;
        handler.close?.(local(name));
      },
      ontext: (data) => handler.text?.(data),
    },
    { xmlMode: true, decodeEntities: true },
  );
  const decoder = new TextDecoder();
  for await (const piece of pieces) parser.write(decoder.decode(piece, { stream: true }));
  parser.end(decoder.decode());
}

/** An attribute by its name without a prefix. */
export function attribute(attributes: XmlAttributes, name: string): string | undefined {
  for (const [key, value] of Object.entries(attributes)) if (local(key) === name) return value;
  return undefined;
}

const local = (name: string) => name.slice(name.indexOf(':') + 1);
