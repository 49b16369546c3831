import type { Json } from '../jobs/definition.ts';
import { MAX_DEPTH, MAX_ITEMS, MAX_LOOPS, MAX_STEPS, MAX_STEPS_DONE } from './model.ts';
import type { Condition, ForEachStep, Plan, Step, ToolStep } from './model.ts';
import { formOf, parseReference, textParts } from './references.ts';
import type { Reference } from './references.ts';
import { isForRecipes } from './tool-port.ts';
import type { ToolInfo } from './tool-port.ts';

/** What is wrong, and where. */
export interface Fault {
  readonly place: string;
  readonly problem: string;
}

/** Where a step stands: in which blocks, from the outermost in, and in which branch of each. */
interface Standing {
  readonly place: string;
  readonly blocks: readonly { readonly id: string; readonly kind: Step['do']; readonly branch: string }[];
}

/** What can be referred to at one place. */
interface Sight {
  /** The step that is looked at and the blocks that it is in. */
  readonly self: readonly string[];
  /** Steps that have been done by then, in every run. */
  readonly done: ReadonlySet<string>;
  /** Loops around it, the innermost last. */
  readonly loops: readonly string[];
  readonly depth: number;
}

/**
 * One walk over a plan, in the order in which it runs: what its steps may refer to, which tools and scopes they need, and how
 * many of them are done at most, as far as that is known before.
 */
export class Walk {
  readonly faults: Fault[] = [];
  readonly scopes = new Set<string>();
  steps = 0;
  readonly #plan: Plan;
  readonly #tools: (name: string) => ToolInfo | undefined;
  readonly #inputs: Readonly<Record<string, Json>> | undefined;
  readonly #standings = new Map<string, Standing>();
  /** Which steps a step refers to. */
  readonly #uses = new Map<string, Set<string>>();
  /** References to what has not been done by then, told when all that refers to something is known. */
  readonly #early: { readonly place: string; readonly from: string; readonly to: string }[] = [];

  /** @param inputs what it is started with, if that is known */
  constructor(
    plan: Plan,
    tools: (name: string) => ToolInfo | undefined,
    inputs: Readonly<Record<string, Json>> | undefined,
  ) {
    this.#plan = plan;
    this.#tools = tools;
    this.#inputs = inputs;
  }

  begin(): void {
    this.#survey(this.#plan.steps, 'steps', []);
    if (this.steps > MAX_STEPS) {
      this.#fault('steps', `has ${this.steps} steps, and at most ${MAX_STEPS} may be written`);
      return;
    }
    const done = this.#list(this.#plan.steps, 'steps', { self: [], done: new Set(), loops: [], depth: 0 });
    if (this.#plan.result !== undefined)
      this.#value(this.#plan.result, 'result', { self: [], done, loops: [], depth: 0 });
    for (const { place, from, to } of this.#early)
      this.#fault(
        place,
        this.#reaches(to, from)
          ? `\`${from}\` and \`${to}\` wait for each other: a cycle`
          : `\`${to}\` comes later: it has not been done by then`,
      );
    const most = this.#count(this.#plan.steps);
    if (most > MAX_STEPS_DONE)
      this.#fault('steps', `${most} steps would be done, and at most ${MAX_STEPS_DONE} may be`);
  }

  #fault(place: string, problem: string): void {
    this.faults.push({ place, problem });
  }

  /** Finds every step, before any is looked at. */
  #survey(steps: readonly Step[], place: string, blocks: Standing['blocks']): void {
    for (const [index, step] of steps.entries()) {
      const at = `${place}[${index}]`;
      this.steps += 1;
      const there = this.#standings.get(step.id);
      if (there) this.#fault(at, `the id \`${step.id}\` is that of ${there.place} already`);
      else this.#standings.set(step.id, { place: at, blocks });
      for (const [branch, inner] of listsOf(step))
        this.#survey(inner, `${at}.${branch}`, [...blocks, { id: step.id, kind: step.do, branch }]);
    }
  }

  /** @returns what has been done afterwards */
  #list(steps: readonly Step[], place: string, sight: Sight): ReadonlySet<string> {
    const done = new Set(sight.done);
    for (const [index, step] of steps.entries()) {
      const here = { ...sight, self: [...sight.self, step.id], done };
      for (const id of this.#step(step, `${place}[${index}]`, here)) done.add(id);
      done.add(step.id);
    }
    return done;
  }

  /** @returns steps within it that have been done in any case when it is over */
  #step(step: Step, place: string, sight: Sight): ReadonlySet<string> {
    switch (step.do) {
      case 'tool':
        this.#tool(step, place, sight);
        return new Set();
      case 'sleep':
        if (step.until !== undefined) this.#value(step.until, `${place}.until`, sight);
        return new Set();
      case 'approve':
        this.#value(step.summary, `${place}.summary`, sight);
        this.#value(step.details, `${place}.details`, sight);
        this.#value(step.files, `${place}.files`, sight);
        return new Set();
      case 'when':
        this.#condition(step.condition, `${place}.condition`, sight);
        break;
      case 'for_each':
        this.#items(step, place, sight);
        break;
      case 'parallel':
    }
    if (sight.depth >= MAX_DEPTH) {
      this.#fault(place, `is the ${MAX_DEPTH + 1}th block within blocks, and there may be ${MAX_DEPTH}`);
      return new Set();
    }
    const loops = step.do === 'for_each' ? [...sight.loops, step.id] : sight.loops;
    if (loops.length > MAX_LOOPS) this.#fault(place, `is a loop within ${MAX_LOOPS} loops already`);
    const inner = { ...sight, loops, depth: sight.depth + 1 };
    const within = listsOf(step).map(([branch, steps]) => this.#list(steps, `${place}.${branch}`, inner));
    return step.do === 'parallel' ? new Set(within.flatMap((ids) => [...ids])) : new Set();
  }

  #tool(step: ToolStep, place: string, sight: Sight): void {
    for (const [name, each] of Object.entries(step.arguments)) this.#value(each, `${place}.arguments.${name}`, sight);
    const tool = isForRecipes(step.tool) ? this.#tools(step.tool) : undefined;
    const named = `\`${step.tool.slice(0, 60)}\``;
    if (!tool) {
      this.#fault(
        `${place}.tool`,
        isForRecipes(step.tool) ? `there is no tool ${named}` : `a recipe may not call ${named}`,
      );
      return;
    }
    this.scopes.add(tool.scope);
    const open: PropertyKey[][] = [];
    const parsed = tool.input.safeParse(withoutReferences(step.arguments, [], open));
    for (const issue of parsed.error?.issues ?? []) {
      const isOpen = open.some((path) => isPrefix(path, issue.path) || isPrefix(issue.path, path));
      // What a reference stands for is known when it is called; a rule across fields may depend on it.
      if (issue.code === 'unrecognized_keys')
        for (const key of issue.keys.slice(0, 5))
          this.#fault(`${place}.arguments`, `${named} has no argument \`${key.slice(0, 40)}\``);
      else if (!isOpen && !(issue.code === 'custom' && open.length > 0))
        this.#fault([`${place}.arguments`, ...issue.path.map(String)].join('.').slice(0, 200), issue.message);
    }
  }

  #items(step: ForEachStep, place: string, sight: Sight): void {
    this.#value(step.items, `${place}.items`, sight);
    const known = this.#known(step.items);
    if (known === undefined) return;
    if (!Array.isArray(known)) this.#fault(`${place}.items`, 'must be a list, or refer to one');
    else if (known.length > MAX_ITEMS)
      this.#fault(`${place}.items`, `has ${known.length} items, and there may be ${MAX_ITEMS}`);
  }

  /** What a value is, if it is known before the run. */
  #known(value: Json): Json | undefined {
    const form = formOf(value);
    if (form.kind === 'plain') return value;
    if (form.kind === 'literal') return form.value;
    const { root, path } = (form.kind === 'ref' && parseReference(form.text)) || {};
    const [name, ...deeper] = path ?? [];
    if (root !== 'inputs' || typeof name !== 'string' || deeper.length > 0 || !this.#inputs) return undefined;
    return Object.hasOwn(this.#inputs, name) ? this.#inputs[name] : undefined;
  }

  #condition(condition: Condition, place: string, sight: Sight): void {
    for (const name of ['equals', 'gt', 'lt', 'in'] as const)
      for (const [index, each] of (condition[name] ?? []).entries())
        this.#value(each, `${place}.${name}[${index}]`, sight);
    if (condition.exists !== undefined) {
      this.#value(condition.exists, `${place}.exists`, sight);
      if (formOf(condition.exists).kind !== 'ref') this.#fault(`${place}.exists`, 'must be a reference');
    }
    if (condition.not) this.#condition(condition.not, `${place}.not`, sight);
    for (const name of ['and', 'or'] as const)
      for (const [index, each] of (condition[name] ?? []).entries())
        this.#condition(each, `${place}.${name}[${index}]`, sight);
  }

  #value(value: Json, place: string, sight: Sight): void {
    const form = formOf(value);
    if (form.kind === 'wrong') this.#fault(place, form.problem);
    else if (form.kind === 'ref') this.#reference(form.text, parseReference(form.text), place, sight);
    else if (form.kind === 'text') {
      for (const part of textParts(form.text))
        if (typeof part !== 'string') this.#reference(part.text, part.reference, place, sight);
    } else if (form.kind === 'plain' && typeof value === 'object' && value !== null)
      for (const [name, each] of Object.entries(value as Readonly<Record<string, Json>>))
        this.#value(each, Array.isArray(value) ? `${place}[${name}]` : `${place}.${name.slice(0, 40)}`, sight);
  }

  #reference(text: string, reference: Reference | undefined, place: string, sight: Sight): void {
    const shown = `\`${text.slice(0, 60)}\``;
    if (!reference) {
      this.#fault(place, `${shown} is no reference: they begin with inputs., steps., item, index or each.`);
      return;
    }
    const { root, path } = reference;
    const [name, field] = path;
    if (root === 'item' || root === 'index') {
      if (sight.loops.length === 0) this.#fault(place, `${shown} is only there within a for_each`);
      else if (root === 'index' && path.length > 0) this.#fault(place, `${shown}: an index has no fields`);
      return;
    }
    if (typeof name !== 'string') this.#fault(place, `${shown} says ${root} and not which`);
    else if (root === 'inputs') {
      if (!Object.hasOwn(this.#plan.inputs.properties, name))
        this.#fault(place, `there is no input \`${name.slice(0, 40)}\``);
    } else if (root === 'each') {
      if (!sight.loops.includes(name)) this.#fault(place, `${shown} is not within a for_each of that id`);
      else if (field !== 'item' && field !== 'index') this.#fault(place, `${shown} must go on with .item or .index`);
    } else this.#stepReference(name, place, sight);
  }

  #stepReference(to: string, place: string, { self, done }: Sight): void {
    const from = self.at(-1);
    const standing = this.#standings.get(to);
    if (from !== undefined) this.#uses.set(from, (this.#uses.get(from) ?? new Set()).add(to));
    if (done.has(to)) return;
    if (!standing) this.#fault(place, `there is no step \`${to.slice(0, 40)}\``);
    else if (to === from) this.#fault(place, `\`${to}\` refers to itself: a cycle`);
    else if (self.includes(to)) this.#fault(place, `\`${to}\` is the block that this is in: it is not over yet`);
    else {
      const mine = from === undefined ? [] : (this.#standings.get(from)?.blocks ?? []);
      const apart = standing.blocks.find(
        ({ id, branch }) => !mine.some((block) => block.id === id && block.branch === branch),
      );
      if (apart && mine.some(({ id }) => id === apart.id))
        this.#fault(place, `\`${to}\` is in another branch of \`${apart.id}\`: it may not have been done by then`);
      else if (apart && apart.kind !== 'parallel' && done.has(apart.id))
        this.#fault(place, `\`${to}\` is inside \`${apart.id}\`: outside of it there is \`steps.${apart.id}\``);
      else if (from === undefined) this.#fault(place, `\`${to}\` may not have been done by then`);
      else this.#early.push({ place, from, to });
    }
  }

  /** Whether one step needs another, by whatever it refers to. */
  #reaches(from: string, to: string): boolean {
    const seen = new Set<string>();
    const open = [from];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (at === to) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      open.push(...(this.#uses.get(at) ?? []));
    }
    return false;
  }

  /** How many steps are done at most, as far as it is known: a loop over what is not counts as one round. */
  #count(steps: readonly Step[]): number {
    let count = 0;
    for (const step of steps) {
      const inner = listsOf(step).map(([, list]) => this.#count(list));
      if (step.do === 'for_each') {
        const known = this.#known(step.items);
        count += (Array.isArray(known) ? known.length : 1) * (inner[0] ?? 0);
      } else if (step.do === 'when') count += Math.max(0, ...inner);
      else if (step.do === 'parallel') count += inner.reduce((sum, each) => sum + each, 0);
      else count += 1;
    }
    return count;
  }
}

/** The lists of steps in a step, by where they stand in it. */
function listsOf(step: Step): (readonly [string, readonly Step[]])[] {
  if (step.do === 'parallel')
    return Object.entries(step.branches).map(([name, list]) => [`branches.${name}`, list] as const);
  if (step.do === 'for_each') return [['steps', step.steps]];
  if (step.do === 'when')
    return [
      ['steps', step.steps],
      ['else', step.else],
    ];
  return [];
}

/** The value with nothing where a reference stands. @param open is told where */
function withoutReferences(value: Json, path: PropertyKey[], open: PropertyKey[][]): unknown {
  const form = formOf(value);
  if (form.kind === 'literal') return form.value;
  if (form.kind === 'text' && !form.text.includes('${')) return form.text;
  if (form.kind !== 'plain') {
    open.push(path);
    return undefined;
  }
  if (Array.isArray(value)) return value.map((each: Json, index) => withoutReferences(each, [...path, index], open));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, Json>>).map(([name, each]) => [
      name,
      withoutReferences(each, [...path, name], open),
    ]),
  );
}

function isPrefix(short: readonly PropertyKey[], long: readonly PropertyKey[]): boolean {
  return short.every((segment, index) => segment === long[index]);
}
