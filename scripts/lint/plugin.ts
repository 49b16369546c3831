import type { RuleTester } from 'oxlint/plugins-dev';

/**
 * The few rules of ours that oxlint has no setting for. They live in the linter, not in a script of
 * their own, so that editors show them and `oxlint-disable` comments are counted.
 */
type Rule = Parameters<RuleTester['run']>[1];
type Visitor = ReturnType<NonNullable<Rule['create']>>;
type MemberExpression = Parameters<NonNullable<Visitor['MemberExpression']>>[0];
type Expression = MemberExpression['object'];
type Key = MemberExpression['property'] | Parameters<NonNullable<Visitor['Property']>>[0]['key'];

/** Begins like a statement. Upper case only: "Select a session" is a sentence. */
const SQL =
  /^\s*(?:SELECT\s|INSERT\s+(?:OR\s+[A-Z]+\s+)?INTO\s|REPLACE\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|VIEW|TRIGGER|VIRTUAL)\b|WITH\s+\S+\s+AS\s|PRAGMA\s)/;

const noSql: Rule = {
  create(context) {
    const message = "SQL belongs in a store.ts or the directory's repo.ts.";
    return {
      Literal(node) {
        if (typeof node.value === 'string' && SQL.test(node.value)) context.report({ node, message });
      },
      TemplateLiteral(node) {
        if (SQL.test(node.quasis[0]?.value.raw ?? '')) context.report({ node, message });
      },
    };
  },
};

const noTry: Rule = {
  create(context) {
    return {
      TryStatement(node) {
        context.report({
          node,
          message:
            'A face has no try/catch: one wrapper maps every error. A failure that is expected is a result of the service.',
        });
      },
    };
  },
};

/** `env.X`, `this.env.X`, `c.env['X']` and `const { X } = env`. With option `names`, only these X. */
const noEnvRead: Rule = {
  meta: { schema: [{ type: 'object', properties: { names: { type: 'array', items: { type: 'string' } } } }] },
  create(context) {
    const [option] = context.options as [{ names?: string[] }?];
    const message = option?.names
      ? 'Only src/settings.ts reads vars and secrets.'
      : 'Only src/settings.ts reads vars and secrets, and only src/app.ts and src/index.ts read bindings: take what you need as an argument.';
    const matters = (name: string | undefined) =>
      option?.names === undefined || (name !== undefined && option.names.includes(name));
    return {
      MemberExpression(node) {
        if (isEnv(node.object) && matters(keyName(node.property, node.computed))) context.report({ node, message });
      },
      VariableDeclarator(node) {
        if (!node.init || !isEnv(node.init) || node.id.type !== 'ObjectPattern') return;
        for (const property of node.id.properties)
          if (property.type === 'Property' && matters(keyName(property.key, property.computed)))
            context.report({ node: property, message });
      },
    };
  },
};

function isEnv(node: Expression): boolean {
  if (node.type === 'TSNonNullExpression' || node.type === 'TSAsExpression') return isEnv(node.expression);
  if (node.type === 'Identifier') return node.name === 'env';
  return node.type === 'MemberExpression' && keyName(node.property, node.computed) === 'env';
}

/** The name that `.name`, `['name']` or `{ name }` spells; undefined when it is only known at run time. */
function keyName(key: Key, computed: boolean): string | undefined {
  if (key.type === 'Identifier' && !computed) return key.name;
  return key.type === 'Literal' ? String(key.value) : undefined;
}

const plugin = { meta: { name: 'carrel' }, rules: { 'no-env-read': noEnvRead, 'no-sql': noSql, 'no-try': noTry } };
export default plugin;
