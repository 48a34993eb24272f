import type { ParseNode } from './parser.ts';

/** The fields of a parse node. */
export type Body = Readonly<Record<string, unknown>>;

/** Type and content of a parse node. */
export function unwrap(node: ParseNode): { readonly type: string; readonly body: Body } {
  const [type, body] = Object.entries(node)[0] ?? ['', {}];
  return { type, body };
}

/** The value as a list of parse nodes; none when it is no list. */
export function nodes(value: unknown): readonly ParseNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Whether the value is a parse node. */
export function isNode(value: unknown): value is ParseNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
