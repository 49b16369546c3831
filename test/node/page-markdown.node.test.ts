import { describe, expect, it } from 'vitest';

import { markdownOf, page, PROSE, textOf } from '../fixtures/pages/reading.ts';

describe('an article as Markdown', () => {
  it('is without what stands around it', async () => {
    const { markdown, extent } = await textOf(page('<h2>Wings</h2><p>They beat 230 times a second.</p>'));
    expect(extent).toBe('main');
    expect(markdown).toContain('## Wings\n\nThey beat 230 times a second.');
    expect(markdown).not.toMatch(/cookies|Accept|World|Most read|First!|all rights/);
  });

  it('keeps emphasis, links, breaks and images', async () => {
    expect(
      await markdownOf(`<p>A <b>bold</b> <i>word</i>, a <a href="/world?x=(1)">link</a>,<br>a <code>span \`x\`</code>,
        <del>old</del>, H<sub>2</sub>O, x<sup>2</sup>, the 1<sup>st</sup>, e<sup>kx</sup>.</p>
        <figure><img src="bee.jpg" alt="A bee [close]"><figcaption>A bee</figcaption></figure>
        <p><img src="data:image/gif;base64,AA==" data-src="/lazy.png" alt="late"><img src="pixel.gif" alt=""></p>`),
    ).toBe(
      [
        'A **bold** *word*, a [link](https://news.example/world?x=%281%29),  \na `` span `x` ``, ~~old~~, H₂O, x², the 1st, e^(kx).',
        '![A bee \\[close\\]](https://news.example/2024/03/01/bee.jpg)',
        'A bee',
        '![late](https://news.example/lazy.png)',
      ].join('\n\n'),
    );
  });

  it('escapes what would be more than text, and nothing else', async () => {
    expect(
      await markdownOf(`<p># no heading, snake_case and 2 * 3 stay</p><p>1. no list</p><p>- nor this</p><p>&gt; no quote</p>
        <p>*stars* _lines_ \`ticks\` &lt;b&gt; &amp;amp; [a](b) [^1] ~~x~~ C:\\dir a\\*b</p><p>It costs $5 and $10.</p>`),
    ).toBe(
      [
        '\\# no heading, snake_case and 2 * 3 stay',
        '1\\. no list',
        '\\- nor this',
        '\\> no quote',
        '\\*stars\\* \\_lines\\_ \\`ticks\\` \\<b> &amp;amp; [a\\](b) \\[^1] \\~~x\\~~ C:\\dir a\\\\\\*b',
        'It costs $5 and $10.',
      ].join('\n\n'),
    );
  });

  it('keeps lists within lists, with their numbers', async () => {
    expect(
      await markdownOf(`<ul><li>Worker<ol start="3"><li>nurse<ul><li>young</li><li>old</li></ul></li><li>forager</li></ol></li>
        <li>Drone</li></ul><ol><li><p>One, and</p><p>more of it.</p></li><li><p>Two</p></li></ol>
        <ul><li><input type="checkbox" checked> done</li><li><input type="checkbox"> open</li></ul>
        <dl><dt>Comb</dt><dd>Cells of wax</dd><dt>Brood</dt><dd>Eggs</dd><dd>Larvae</dd></dl>`),
    ).toBe(
      [
        '- Worker\n  3. nurse\n     - young\n     - old\n  4. forager\n- Drone',
        '1. One, and\n\n   more of it.\n\n2. Two',
        '- [x] done\n- [ ] open',
        '- **Comb**: Cells of wax\n- **Brood**: Eggs\n- Larvae',
      ].join('\n\n'),
    );
  });

  it('keeps quotations, with what is in them', async () => {
    expect(
      await markdownOf('<blockquote><p>To bee</p><blockquote>or not</blockquote><ul><li>to</li></ul></blockquote>'),
    ).toBe('> To bee\n>\n> > or not\n>\n> - to');
  });

  it('gives a page whose article nobody can tell from the rest', async () => {
    const { markdown, extent } = await textOf(
      '<title>t</title><nav>Menu</nav><h2>Short</h2><p>One line.</p><footer>F</footer>',
    );
    expect([extent, markdown]).toEqual(['whole', '## Short\n\nOne line.']);
  });
});

describe('tables', () => {
  it('are kept, with spans, bars, and what else stands in a cell', async () => {
    expect(
      await markdownOf(`<table><caption>Castes</caption><thead><tr><th>Caste<th>Role<th>Days</tr></thead>
        <tr><td rowspan=2>Worker<td>nurse | cleaner<td>1–12<tr><td><ul><li>guard</li><li>forager</li></ul><td>18–42
        <tr><td colspan=2>Drone<td><code>a|b</code></tr></table>`),
    ).toBe(
      [
        '**Castes**',
        [
          '| Caste | Role | Days |',
          '| --- | --- | --- |',
          '| Worker | nurse \\| cleaner | 1–12 |',
          '| Worker | guard<br>forager | 18–42 |',
          '| Drone |  | `a\\|b` |',
        ].join('\n'),
      ].join('\n\n'),
    );
  });

  it('have an empty head when there is none, as Markdown wants one', async () => {
    expect(await markdownOf('<table><tr><td>a<td>1<tr><td>b<td>2</table>')).toBe(
      '|  |  |\n| --- | --- |\n| a | 1 |\n| b | 2 |',
    );
  });

  it('that only put things in their places are none', async () => {
    const { markdown } = await textOf(
      `<table><tr><td><nav>Menu</nav></td><td>${PROSE}<table><tr><td>x<td>y<tr><td>z<td>w</table></td></tr></table>`,
    );
    expect(markdown).toContain('Bees navigate by the sun');
    expect(markdown).toContain('| x | y |');
    expect(markdown.startsWith('|')).toBe(false);
  });
});

describe('code', () => {
  it('keeps its lines, its indentation and its language', async () => {
    const highlighted = `<div class="highlight highlight-source-js"><pre class="lang-js"><span class="k">if</span> (a &lt; b) {
  <span class="f">go</span>();

}</pre></div>`;
    expect(await markdownOf(highlighted)).toBe('```js\nif (a < b) {\n  go();\n\n}\n```');
    expect(await markdownOf('<pre><code class="hljs language-c++">a\n\tb</code></pre>')).toBe('```c++\na\n\tb\n```');
    expect(await markdownOf('<pre>one<br>two<div>three</div><div>four</div></pre>')).toBe(
      '```\none\ntwo\nthree\nfour\n```',
    );
  });

  it('is not ended by the backticks in it', async () => {
    expect(await markdownOf('<pre>```\n# x</pre>')).toBe('````\n```\n# x\n````');
  });

  it('is without the numbers of its lines', async () => {
    expect(
      await markdownOf(`<figure class="highlight python"><table><tr><td class="gutter"><pre>1\n2</pre></td>
        <td class="code"><pre><code class="language-python">def f():\n    pass</code></pre></td></tr></table></figure>`),
    ).toBe('```python\ndef f():\n    pass\n```');
  });
});

describe('formulas', () => {
  const annotated = (tex: string, display = 'inline') =>
    `<math display="${display}"><semantics><mrow><mi>E</mi></mrow><annotation encoding="application/x-tex">${tex}</annotation></semantics></math>`;

  it('keep the TeX from which they were made', async () => {
    const katex = `<span class="katex"><span class="katex-mathml">${annotated('E=mc^2')}</span><span class="katex-html" aria-hidden="true"><span>E=mc2</span></span></span>`;
    expect(await markdownOf(`<p>That ${katex} holds.</p>`)).toBe('That $E=mc^2$ holds.');
    expect(await markdownOf(`<span class="katex-display">${katex}</span>`)).toBe('$$\nE=mc^2\n$$');
    expect(
      await markdownOf(`<p>Wikipedia has <span class="mwe-math-element"><span class="mwe-math-mathml-inline mwe-math-mathml-a11y" style="display: none;">
        ${annotated('{\\displaystyle a_{1}\\times b}')}</span><img src="x.svg" class="mwe-math-fallback-image-inline" aria-hidden="true" alt="a"></span> so.</p>`),
    ).toBe('Wikipedia has $a_{1}\\times b$ so.');
    expect(await markdownOf('<p>LaTeXML <math alttext="x\\in X"><mi>x</mi></math>.</p>')).toBe('LaTeXML $x\\in X$.');
    expect(
      await markdownOf(
        '<p>MathJax <span class="MathJax_Preview">x</span><span class="MathJax"><span>∑</span></span><script type="math/tex">\\sum_i</script>, too.</p>',
      ),
    ).toBe('MathJax $\\sum_i$, too.');
    expect(await markdownOf('<p>Not run: \\(a_1*b_2*c\\) and \\[x\\] here.</p>')).toBe(
      'Not run: $a_1*b_2*c$ and $x$ here.',
    );
  });

  it('get TeX when they are in MathML alone', async () => {
    expect(
      await markdownOf(`<mjx-container display="true"><mjx-math><mjx-mi></mjx-mi></mjx-math><mjx-assistive-mml><math display="block">
        <mfrac><mn>1</mn><msqrt><mi>x</mi></msqrt></mfrac></math></mjx-assistive-mml></mjx-container>`),
    ).toBe('$$\n\\frac{1}{\\sqrt{x}}\n$$');
  });

  it('survive in a table', async () => {
    const table = `<table><tr><th>f<th>g</tr><tr><td>${annotated('|x|')}<td>${annotated('y', 'block')}</tr></table>`;
    expect(await markdownOf(table)).toBe('| f | g |\n| --- | --- |\n| $\\vert x\\vert $ | $y$ |');
  });
});

describe('footnotes', () => {
  it('are found wherever they stand, without their way back', async () => {
    const { markdown } = await textOf(
      page(
        '<p>A claim<sup id="fnref:1"><a href="#fn:1" class="footnote-ref">1</a></sup>, another<a href="#n2" role="doc-noteref">*</a>, the first again<sup><a href="#fn:1">1</a></sup>.</p>',
      ).replace(
        '<footer>',
        `<section class="footnotes"><hr><ol><li id="fn:1"><p>Von Frisch, <i>Tanzsprache</i>, 1965. <a href="#fnref:1" class="footnote-backref">↩︎</a></p></li>
         <li id="n2"><p>Or so.</p><pre>code</pre></li></ol></section><footer>`,
      ),
    );
    expect(markdown).toContain('A claim[^1], another[^note-2], the first again[^1].');
    expect(markdown).toMatch(
      /\n\n\[\^1\]: Von Frisch, \*Tanzsprache\*, 1965\.\n\n\[\^note-2\]: Or so\.\n\n {4}```\n {4}code\n {4}```$/,
    );
  });

  it('of encyclopedias are too', async () => {
    const { markdown } = await textOf(
      page(`<p>Bees dance.<sup class="reference"><a href="https://news.example/2024/03/01/bees#cite_note-a-1">[1]</a></sup></p>
        <ol class="references"><li id="cite_note-a-1"><span class="mw-cite-backlink"><b><a href="#cite_ref-a_1-0">^</a></b></span> <span>Dances, p. 4</span></li></ol>`),
    );
    expect(markdown).toContain('Bees dance.[^1]');
    expect(markdown.endsWith('[^1]: Dances, p. 4')).toBe(true);
  });

  it('that are parts of the text are links to nowhere, and stay words', async () => {
    expect(
      await markdownOf(
        '<p>See <a href="#method">the method</a> and <sup><a href="#gone">3</a></sup>.</p><h2 id="method">Method</h2>',
      ),
    ).toBe('See the method and ³.\n\n## Method');
  });
});
