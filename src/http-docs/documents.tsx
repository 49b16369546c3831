import { raw } from 'hono/html';

import type { Route } from '../http/route.ts';
import { SAMPLE } from '../http/samples.ts';
import type { Scope } from '../oauth/scopes.ts';
import { describeRoutes } from './describe.ts';
import { openApiDocument } from './openapi.ts';
import { DocsPage } from './page.tsx';

/** Both documents, with the origin of a deployment in the place of the one in the examples. */
export class Documents {
  readonly #openApi: string;
  readonly #page: string;

  private constructor(openApi: string, page: string) {
    this.#openApi = openApi;
    this.#page = page;
  }

  static async of(routes: readonly Route[], scopes: readonly Scope[]): Promise<Documents> {
    const description = await describeRoutes(routes);
    const openApi = JSON.stringify(openApiDocument(description, scopes), undefined, 2);
    return new Documents(openApi, String(<DocsPage description={description} scopes={scopes} />));
  }

  /** @param origin as the guard accepted it: it has no character that JSON or HTML would write otherwise */
  openApi(origin: string): string {
    return this.#openApi.replaceAll(SAMPLE.origin, origin);
  }

  page(origin: string) {
    return raw(this.#page.replaceAll(SAMPLE.origin, origin));
  }
}
