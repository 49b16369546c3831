import type { TextCollector } from '../collector.ts';
import { Stopped } from '../model.ts';
import type { ExtractionLimits } from '../model.ts';
import type { Pace } from '../pace.ts';
import { DocumentText } from './document-text.ts';
import { HeadingStyles } from './styles.ts';
import { attribute, parseXml } from './xml.ts';
import type { XmlAttributes, XmlHandler } from './xml.ts';
import { ZipArchive } from './zip.ts';

/** Bytes with which a compound file begins ([MS-CFB] §2.2). */
const COMPOUND_FILE = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
/** The stream of a compound file in which an encrypted document is ([MS-OFFCRYPTO] §2.3.4.4). */
const ENCRYPTED_PACKAGE = 'EncryptedPackage';
/** Code units of the title that are read. */
const TITLE_CHARACTERS = 1000;

/**
 * A Word document (ECMA-376): paragraphs as lines, headings begin sections, cells of a row stand on one
 * line with tabs between them, notes follow at the end. Deleted, moved-away and hidden text is left out.
 *
 * @throws Stopped `encrypted`, `malformed`, `too_large`, `too_slow`
 */
export async function readDocx(
  bytes: Uint8Array,
  collector: TextCollector,
  limits: ExtractionLimits,
  pace: Pace,
): Promise<void> {
  // A document with a password is a compound file around an encrypted archive.
  if (COMPOUND_FILE.every((byte, index) => bytes[index] === byte))
    throw new Stopped(holdsUtf16(bytes, ENCRYPTED_PACKAGE) ? 'encrypted' : 'malformed');
  const archive = new ZipArchive(bytes, limits, pace);
  const parse = async (name: string, handler: XmlHandler) => parseXml(archive.read(name), handler, limits.depth);

  const relationships = new MainDocument();
  await parse('_rels/.rels', relationships);
  const main = relationships.target ?? 'word/document.xml';
  if (!archive.has(main)) throw new Stopped('malformed');
  const folder = main.slice(0, main.lastIndexOf('/') + 1);

  const properties = new CoreProperties();
  await parse('docProps/core.xml', properties);
  collector.title = properties.title;
  const styles = new HeadingStyles();
  await parse(`${folder}styles.xml`, styles);

  for (const [name, label] of [
    [main, undefined],
    [`${folder}footnotes.xml`, 'Footnotes'],
    [`${folder}endnotes.xml`, 'Endnotes'],
  ] as const) {
    const text = new DocumentText(collector, styles, label);
    await parse(name, text);
    text.end();
  }
}

/** Finds the name of the entry with the document itself (ECMA-376 part 2, §9.3). */
class MainDocument implements XmlHandler {
  target: string | undefined;

  open(name: string, attributes: XmlAttributes): void {
    if (name === 'Relationship' && attribute(attributes, 'Type')?.endsWith('/officeDocument') === true)
      this.target ??= attribute(attributes, 'Target')?.replace(/^\//, '');
  }
}

/** Finds the title (ECMA-376 part 2, §11). */
class CoreProperties implements XmlHandler {
  title: string | undefined;
  #inTitle = false;

  open(name: string): void {
    this.#inTitle = name === 'title' && this.title === undefined;
  }

  close(): void {
    this.#inTitle = false;
  }

  text(data: string): void {
    if (this.#inTitle && (this.title?.length ?? 0) < TITLE_CHARACTERS) this.title = (this.title ?? '') + data;
  }
}

function holdsUtf16(bytes: Uint8Array, text: string): boolean {
  const wanted = Array.from(text, (character) => [character.charCodeAt(0), 0]).flat();
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1))
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return true;
  return false;
}
