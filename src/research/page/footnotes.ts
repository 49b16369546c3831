import { isElement } from './dom.ts';
import type { PageElement } from './dom.ts';
import { BLOCKS } from './elements.ts';

/** Set on what refers to a footnote: the note's label. */
export const NOTE = 'data-note';
/** Characters of a note; what is longer is a part of the text to which something links. */
const NOTE_CHARACTERS = 4000;
const MARKS = 2000;
const MARK_CHARACTERS = 12;

/** Notes by their labels. They are no part of the tree any more. */
export type Footnotes = ReadonlyMap<string, PageElement>;

const NOTE_ELEMENTS: ReadonlySet<string> = new Set(['aside', 'dd', 'div', 'footer', 'li', 'p']);
/** Ids that notes have: `fn1`, `_ftn1`, `cite_note-3`, `ref-12`. */
const NOTE_ID =
  /(?:^|[-_:.])(?:ftn|edn|fn|footnotes?|endnotes?|notes?|cite(?:_note)?|refs?|bib|sdfootnote)(?:[-_:.]|\d|$)/i;
/** Ids that the places in the text have to which notes link back. */
const BACK_ID = /fnref|ftnref|ednref|noteref|cite_ref|\d(?:anc|back)$/i;
const MARK = /^[[(]?\s*(?:\d{1,4}|[a-z]|[ivxlc]{1,6}|[*†‡§¶#]{1,4})\s*[\])]?$/iu;
const NOTE_ROLE = /\b(?:doc-)?(?:noteref|biblioref)\b/;
const NOTE_CLASS =
  /(?:^|[\s_-])(?:footnote-?(?:ref|anchor|link)?|noteref|fn-?ref|reference|citation|bibr)(?:$|[\s_-])/i;

/**
 * Takes the notes out of the tree to which marks in the text link, so that they stay whatever becomes of the
 * place in which they stood: lists of links are what readers of main content throw away.
 */
export function takeFootnotes(body: PageElement): Footnotes {
  const links = body.getElementsByTagName('a').filter(isWithinPage);
  const marks = links.filter(isMark).slice(0, MARKS);
  if (marks.length === 0) return new Map();
  const targets = targetsOf(body, new Set(marks.map(targetOf)));
  const notes = new Map<string, PageElement>();
  const labels = new Map<PageElement, string>();
  for (const mark of marks) {
    const target = targets.get(targetOf(mark));
    const note = target && noteAround(target);
    // Of a mark and its note, each of which links to the other, the first is the mark.
    if (!note || standsIn(mark, (around) => around === note || labels.has(around))) continue;
    const label = labels.get(note) ?? newLabel(mark, notes);
    labels.set(note, label);
    notes.set(label, note);
    mark.setAttribute(NOTE, label);
  }
  for (const note of notes.values()) {
    for (const link of note.getElementsByTagName('a')) if (leadsBack(link)) link.remove();
    takeOut(note, body);
  }
  return notes;
}

function isWithinPage(link: PageElement): boolean {
  return link.getAttribute('href')?.startsWith('#') === true;
}

function targetOf(link: PageElement): string {
  const id = (link.getAttribute('href') ?? '').slice(1);
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

function isMark(link: PageElement): boolean {
  const id = targetOf(link);
  if (id === '' || BACK_ID.test(id)) return false;
  if (NOTE_ROLE.test(`${link.getAttribute('role') ?? ''} ${link.getAttribute('epub:type') ?? ''}`)) return true;
  const text = (link.textContent ?? '').trim();
  if (text.length > MARK_CHARACTERS || !MARK.test(text)) return false;
  const raised = link.parentNode?.localName === 'sup' || link.children.some(({ localName }) => localName === 'sup');
  return raised || NOTE_CLASS.test(link.className) || NOTE_ID.test(id);
}

function targetsOf(body: PageElement, ids: ReadonlySet<string>): Map<string, PageElement> {
  const targets = new Map<string, PageElement>();
  for (const element of body.getElementsByTagName('*')) {
    const name = element.localName === 'a' ? element.getAttribute('name') : undefined;
    for (const id of [element.getAttribute('id'), name])
      if (id !== undefined && ids.has(id) && !targets.has(id)) targets.set(id, element);
  }
  return targets;
}

/** The block that a target is, or begins; undefined if that is no note. */
function noteAround(target: PageElement): PageElement | undefined {
  let note: PageElement | null = target;
  while (note && !BLOCKS.has(note.localName)) note = note.parentNode;
  if (!note || !NOTE_ELEMENTS.has(note.localName)) return undefined;
  const length = (note.textContent ?? '').trim().length;
  return length > 0 && length <= NOTE_CHARACTERS ? note : undefined;
}

function standsIn(element: PageElement, is: (around: PageElement) => boolean): boolean {
  for (let around = element.parentNode; around; around = around.parentNode) if (is(around)) return true;
  return false;
}

/** What the reader sees as the mark, if that can be a label. */
function newLabel(mark: PageElement, notes: Footnotes): string {
  const shown = (mark.textContent ?? '').replaceAll(/[^\p{L}\p{N}]/gu, '').slice(0, MARK_CHARACTERS);
  if (shown !== '' && !notes.has(shown)) return shown;
  return `${shown === '' ? 'note' : shown}-${notes.size + 1}`;
}

function leadsBack(link: PageElement): boolean {
  if (!isWithinPage(link)) return false;
  const said = `${link.getAttribute('role') ?? ''} ${link.className}`;
  return /backlink|backref|back-ref|reversefootnote/i.test(said) || (link.textContent ?? '').trim().length <= 5;
}

/** Removes a note, and the list that is empty without it. */
function takeOut(note: PageElement, body: PageElement): void {
  let around = note.parentNode;
  note.remove();
  while (around && around !== body && isEmpty(around)) {
    const outer: PageElement | null = around.parentNode;
    around.remove();
    around = outer;
  }
}

function isEmpty(element: PageElement): boolean {
  return element.childNodes.every((node) =>
    isElement(node) ? node.localName === 'hr' : (node.textContent ?? '').trim() === '',
  );
}
