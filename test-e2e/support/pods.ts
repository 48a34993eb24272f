import type { Journey } from './journey.ts';

/** A pod of a revision of the example. */
interface NamedPod {
  readonly name: string;
  /** Whether it is being deleted: it still serves for some seconds. */
  readonly isEnding: boolean;
}

/** All pods of a revision, the stopping ones among them. */
export async function allPods(
  { kubectl, namespace }: Journey,
  revision: number,
): Promise<readonly NamedPod[]> {
  const selector = `pgrst.dev/instance=tasks,pgrst.dev/revision=${String(revision)}`;
  const { items } = JSON.parse(
    await kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'json']),
  ) as { items: readonly { metadata: { name: string; deletionTimestamp?: string } }[] };
  return items.map(({ metadata }) => ({
    name: metadata.name,
    isEnding: metadata.deletionTimestamp !== undefined,
  }));
}

/** Names of the pods of a revision, the stopping ones left out. */
export async function podsOf(journey: Journey, revision: number): Promise<readonly string[]> {
  const pods = await allPods(journey, revision);
  return pods.filter(({ isEnding }) => !isEnding).map(({ name }) => name);
}
