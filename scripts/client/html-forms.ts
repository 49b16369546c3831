/** A form as a browser without scripts sees it. */
export interface HtmlForm {
  /** As it stands in the page. */
  readonly action: string;
  readonly fields: readonly HtmlField[];
}

export interface HtmlField {
  readonly name: string;
  readonly value: string;
  readonly type: string;
  readonly checked: boolean;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return ENTITIES[name?.toLowerCase() ?? ''] ?? whole;
    },
  );
}

function attributes(tag: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, bare] of tag.matchAll(/([a-z-]+)(?:="([^"]*)"|=([^\s>]+))?/gi))
    if (!found.has(name)) found.set(name, decodeEntities(quoted ?? bare ?? ''));
  return found;
}

/** The forms of one of Carrel's own pages. No parser for the web at large. */
export function htmlForms(page: string): HtmlForm[] {
  return [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, head = '', body = '']) => ({
    action: attributes(head).get('action') ?? '',
    fields: [...body.matchAll(/<(input|button)\b([^>]*)>/g)].map(([, tag = '', inside = '']) => {
      const values = attributes(inside);
      return {
        name: values.get('name') ?? '',
        value: values.get('value') ?? '',
        type: values.get('type') ?? (tag === 'button' ? 'submit' : 'text'),
        checked: values.has('checked'),
      };
    }),
  }));
}
