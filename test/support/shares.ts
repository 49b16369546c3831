import { Owner } from './files.ts';
import { Visitor } from './people.ts';
import { ORIGIN, send, sendForm } from './person.ts';

/** Somebody with files, an assistant that writes them, and a browser in which they share them. */
export class Sharer extends Visitor {
  readonly owner: Owner;

  private constructor(owner: Owner, email: string) {
    super(email);
    this.owner = owner;
  }

  static async come(email: string): Promise<Sharer> {
    const sharer = new Sharer(await Owner.signIn(email), email);
    await sharer.signIn();
    return sharer;
  }

  /** What the form of the page sends. @returns the page that follows */
  async form(fields: Record<string, string>) {
    return this.post('/account/files', '/account/shares', { days: '7', uses: '', password: '', ...fields });
  }

  /** Shares a file, or a folder. @returns the link that the list shows for it */
  async share(fields: Record<string, string>): Promise<string> {
    const before = new Set(await this.links());
    const page = await this.form(fields);
    if (page.url.pathname !== '/account/shares' || page.status !== 200) throw new Error(`${page.status}: ${page.body}`);
    const link = (await this.links()).find((each) => !before.has(each));
    if (link === undefined) throw new Error('there is no new link');
    return link;
  }

  /** The links that the person's page shows, newest first. */
  async links(): Promise<string[]> {
    const { body } = await this.browser.open('/account/shares');
    return [...body.matchAll(/http:\/\/localhost:8787\/s\/[\w.-]+/g)].map(([link]) => link);
  }

  /** Ends the share of a link, or one of somebody else's. @returns the page that follows */
  async end(link: string) {
    return this.post('/account/shares', '/account/shares/end', { share: shareOf(link) });
  }
}

/** The id of a link's share. */
export const shareOf = (link: string) => new URL(link).pathname.split('.')[1] ?? '';

/** The page that a visitor sees. */
export const visit = async (link: string) => send(link, { headers: { Accept: 'text/html' } });

/** What the button of that page does. */
export const take = async (link: string, password?: string) =>
  sendForm(new URL(link).pathname, password === undefined ? {} : { password }, { Origin: ORIGIN });

/** A refusal without what is new in every answer. */
export async function refusal(response: Response): Promise<unknown> {
  const { request_id: _new, ...rest } = await response.json<Record<string, unknown>>();
  return { ...rest, status: response.status };
}
