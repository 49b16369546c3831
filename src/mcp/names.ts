const NOUN_VERB = {
  form: /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/,
  words: 'words of lower-case letters and digits with `_` between them, such as `cart_add_item`',
};

/** How what a toolset defines is called. Its own name is one word: scopes are made of it, and lists name it. */
const NAMES = {
  tool: NOUN_VERB,
  prompt: NOUN_VERB,
  toolset: { form: /^[a-z][a-z0-9]*$/, words: 'one word of lower-case letters and digits, such as `cart`' },
};

/** @throws TypeError that says what such a name looks like */
export function refuseMisnamed(kind: keyof typeof NAMES, name: string): void {
  const { form, words } = NAMES[kind];
  if (!form.test(name)) throw new TypeError(`no ${kind} can be called \`${name}\`: its name is ${words}`);
}
