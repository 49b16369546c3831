import type { Page } from 'playwright-core';

/**
 * What is wrong with a page for somebody who does not see it, sees little, has a phone or no mouse.
 *
 * It runs in the page, and is a string because the types of the DOM are not part of this project.
 */
const FAULTS = String.raw`(() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility();
  const name = (element) => '<' + element.tagName.toLowerCase() + '> "' + (element.innerText || element.name || '').slice(0, 40) + '"';

  // The structure.
  if (document.documentElement.lang !== 'en') faults.push('the language is not set');
  if (!/\S · Carrel$/.test(document.title)) faults.push('the title is ' + document.title);
  const headings = all('h1, h2, h3, h4').map((heading) => Number(heading.tagName[1]));
  if (headings[0] !== 1 || headings.filter((level) => level === 1).length !== 1) faults.push('headings: ' + headings);
  if (headings.some((level, at) => at > 0 && level > headings[at - 1] + 1)) faults.push('a heading skips a level: ' + headings);
  for (const landmark of ['main', 'header', 'footer'])
    if (all('body > ' + landmark).length !== 1) faults.push('there is not one ' + landmark);
  const ids = all('[id]').map(({ id }) => id);
  if (new Set(ids).size !== ids.length) faults.push('an id is there twice: ' + ids);
  for (const attribute of ['for', 'aria-describedby', 'aria-labelledby'])
    for (const element of all('[' + attribute + ']'))
      for (const id of element.getAttribute(attribute).split(' '))
        if (!document.getElementById(id)) faults.push(attribute + ' names ' + id + ', which is not there');

  // The controls.
  for (const control of all('input:not([type=hidden]), select, textarea'))
    if (control.labels.length !== 1) faults.push('no label: ' + control.name);
  for (const control of all('button, a, summary').filter(shown)) if (!control.innerText.trim()) faults.push('no text: ' + control.outerHTML);
  for (const control of all('input:not([type=hidden]), button, summary, .button').filter(shown)) {
    const { width, height } = control.getBoundingClientRect();
    if (width < 24 || height < 24) faults.push('too small to hit: ' + name(control));
  }

  // The looks.
  if (document.styleSheets.length !== 1 || document.styleSheets[0].cssRules.length < 50) faults.push('no stylesheet');
  if (document.documentElement.scrollWidth > innerWidth) faults.push('it scrolls sideways');
  const parse = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return { channels: [red, green, blue], alpha };
  };
  const over = (top, bottom) => top.channels.map((channel, at) => channel * top.alpha + bottom[at] * (1 - top.alpha));
  const luminance = (channels) => {
    const [red, green, blue] = channels.map((channel) =>
      channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (lighter + 0.05) / (darker + 0.05);
  };
  /** Every colour that may lie behind an element: gradients have several. */
  const behind = (element) => {
    if (!element) return [[255, 255, 255]];
    const { backgroundColor, backgroundImage } = getComputedStyle(element);
    const own = parse(backgroundColor);
    const plain = own.alpha === 1 ? [own.channels] : behind(element.parentElement).map((under) => over(own, under));
    const stops = (backgroundImage.match(/rgba?\([^)]*\)/g) ?? []).map(parse);
    return [...plain, ...stops.flatMap((stop) => plain.map((under) => over(stop, under)))];
  };
  const texts = all('body *').filter((element) => {
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    return (says || element.matches('input:not([type=hidden], [type=checkbox])')) && shown(element);
  });
  for (const element of texts)
    for (const background of behind(element)) {
      const contrast = ratio(over(parse(getComputedStyle(element).color), background), background);
      if (contrast < 4.5) faults.push('contrast ' + contrast.toFixed(2) + ': ' + name(element));
    }
  if (texts.length < 3) faults.push('hardly any text was looked at');
  return faults;
})()`;

/** Puts the focus before the first control, whatever took it when the page came. */
const REWIND = `document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute('tabindex');
  window.reached = new Set();`;

/** Whether what has the focus shows it and lies in view; undefined when the focus has been there before or left the page. */
const FOCUS = `(() => {
  const element = document.activeElement;
  if (element === document.body || window.reached.has(element)) return undefined;
  window.reached.add(element);
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const { top, bottom, left, right } = element.getBoundingClientRect();
  const inView = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
  return { name: element.innerText || element.name, seen: outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2 && inView };
})()`;

const UNREACHED = `[...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
  .filter((element) => element.checkVisibility() && !window.reached.has(element))
  .map((element) => 'Tab does not reach ' + (element.innerText || element.name))`;

/** Faults of the page as it stands, one line each. */
export async function faultsOf(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(FAULTS);
}

/** Goes through the page with Tab, from its top. Faults: what cannot be reached, and what does not show its focus. */
export async function focusFaultsOf(page: Page): Promise<string[]> {
  const faults: string[] = [];
  await page.evaluate(REWIND);
  for (;;) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate<{ name: string; seen: boolean } | undefined>(FOCUS);
    if (!focus) return [...faults, ...(await page.evaluate<string[]>(UNREACHED))];
    if (!focus.seen) faults.push(`the focus cannot be seen on ${focus.name}`);
  }
}
