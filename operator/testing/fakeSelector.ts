import type { Selection } from '../runtime/kubeClient.ts';
import type { KubeObject } from '../runtime/object.ts';

/** Whether the selection has this object. Throws for selectors that the fake server does not know. */
export function matches(object: KubeObject, selection: Selection): boolean {
  if (object.apiVersion !== selection.apiVersion || object.kind !== selection.kind) return false;
  if (selection.namespace !== undefined && object.metadata.namespace !== selection.namespace) return false;
  const labels = object.metadata.labels ?? {};
  return (
    requirements(selection.labelSelector).every((each) => matchesLabel(labels, each)) &&
    requirements(selection.fieldSelector).every((each) => matchesField(object, each))
  );
}

/** The comma-separated parts of a selector; commas inside `in (...)` do not part. */
function requirements(selector: string | undefined): string[] {
  return (selector ?? '').split(/,(?![^(]*\))/).filter((part) => part !== '');
}

function matchesLabel(labels: Readonly<Record<string, string>>, requirement: string): boolean {
  const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(requirement);
  if (set !== null) {
    const [, name = '', operator, values = ''] = set;
    const has = values.split(',').some((value) => value.trim() === labels[name]);
    return operator === 'in' ? has : !has;
  }
  const comparison = /^([^!=]+)(==|=|!=)(.*)$/.exec(requirement);
  if (comparison !== null) {
    const [, name = '', operator, value] = comparison;
    return (labels[name] === value) === (operator !== '!=');
  }
  return requirement.startsWith('!') ? !(requirement.slice(1) in labels) : requirement in labels;
}

function matchesField(object: KubeObject, requirement: string): boolean {
  const [field, value] = requirement.split('=');
  if (field === 'metadata.name') return object.metadata.name === value;
  if (field === 'metadata.namespace') return object.metadata.namespace === value;
  throw new Error(`the fake server does not know the field selector ${requirement}`);
}
