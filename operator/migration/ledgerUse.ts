import { isNode, unwrap } from './parseTree.ts';
import type { SqlStatement } from './statements.ts';

const ledger = 'pgrst_ledger';

/**
 * Why the statement must not run: it names the operator's own ledger, which the run that executes it relies on. Reading
 * the value of a secret is what SQL may do there. A name that a block puts together from strings is not seen.
 */
export function ledgerUse(statement: Pick<SqlStatement, 'node'>): string | undefined {
  return uses(statement.node)
    ? `The statement uses the schema ${ledger}, in which the operator keeps what it has done: only the operator changes it, and SQL may call nothing there but ${ledger}.secret(). Remove the statement.`
    : undefined;
}

/** Whether a part of a parse tree names the ledger's schema. */
function uses(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(uses);
  if (!isNode(value)) return false;
  return Object.entries(value).some(([type, body]) => {
    switch (type) {
      case 'String':
        return body['sval'] === ledger;
      case 'FuncCall':
        return isSecret(body['funcname']) ? uses(body['args']) : uses(body);
      case 'ColumnRef':
        // One name alone is a column's.
        return Array.isArray(body['fields']) && body['fields'].length > 1 && uses(body['fields']);
      case 'VariableSetStmt':
        return Array.isArray(body['args']) && body['args'].some(isLedgerConstant);
      default:
        return (schemaFields.has(type) && (body as unknown) === ledger) || uses(body);
    }
  });
}

/** The fields that hold a schema's name as plain text: of relations, of RENAME, and of SET SCHEMA. */
const schemaFields: ReadonlySet<string> = new Set(['schemaname', 'subname', 'newschema']);

function isSecret(name: unknown): boolean {
  return JSON.stringify(name) === secretName;
}
const secretName = JSON.stringify([{ String: { sval: ledger } }, { String: { sval: 'secret' } }]);

/** An item of `SET search_path = ...`. */
function isLedgerConstant(value: unknown): boolean {
  if (!isNode(value)) return false;
  const { body } = unwrap(value);
  return isNode(body['sval']) && (body['sval']['sval'] as unknown) === ledger;
}
