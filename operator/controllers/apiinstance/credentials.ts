import { createHmac, randomBytes } from 'node:crypto';
import type { CredentialMarks } from '../../resources/podTemplate.ts';
import type { RevisionContent, RevisionSnapshot } from '../../resources/revision.ts';
import type { EventNote, Key } from '../../runtime/reconciler.ts';
import type { NewRevision } from './desired.ts';
import type { Credentials, SecretValue, World } from './world.ts';

/** One key of a Secret in the namespace of the instance. */
export interface SecretRef {
  readonly name: string;
  readonly key: string;
}

/** What this process remembers of Secrets, so that another label on one replaces no pod. */
export interface SecretMemory {
  /**
   * Takes in what was read just now for an instance. `marks` are those that its Deployments carry: beyond them, and
   * beyond what is there now, nothing is remembered.
   */
  see(
    instance: Key,
    found: ReadonlyMap<string, SecretValue>,
    marks: readonly (string | undefined)[],
  ): Credentials;
  /** Forgets an instance that is gone. */
  forget(instance: Key): void;
}

/** A memory without content. Of the values it keeps digests under a key of its own, which never leave it. */
export function createSecretMemory(): SecretMemory {
  const salt = randomBytes(32);
  const known = new Map<Key, ReadonlyMap<string, string>>();
  return {
    see(instance, found, marks) {
      const before = known.get(instance);
      const now = [...found].flatMap(([ref, secret]) => {
        if (secret.state === 'missing') return [];
        const digest = createHmac('sha256', salt).update(secret.value).digest('base64');
        return [{ ref, version: secret.version, token: `${ref}=${secret.version}`, digest }];
      });
      const kept = new Set(marks.flatMap((mark) => mark?.split(' ') ?? []));
      const digests = new Map([...(before ?? [])].filter(([token]) => kept.has(token)));
      for (const { token, digest } of now) digests.set(token, digest);
      known.set(instance, digests);
      const isSame = (token: string): boolean =>
        now.some(({ ref, digest }) => token.startsWith(`${ref}=`) && digests.get(token) === digest);
      return {
        versions: new Map(now.map(({ ref, version }) => [ref, version])),
        same: new Set([...digests.keys()].filter(isSame)),
      };
    },
    forget(instance) {
      known.delete(instance);
    },
  };
}

/**
 * The Secrets that the pods of a revision read when they start. Behind the pooler the database's credentials are
 * PgBouncer's business.
 */
export function secretsOf({ postgrest, database }: RevisionContent): readonly SecretRef[] {
  return [
    ...(postgrest.jwtSecretRef ? [postgrest.jwtSecretRef] : []),
    ...(database.pooled ? [] : [database.uriSecretRef]),
  ];
}

/** How a Secret's key is called in marks. */
export function refText({ name, key }: SecretRef): string {
  return `${name}/${key}`;
}

/**
 * What the Deployment of a revision is to say about its credentials. One that says nothing yet, as an older operator has
 * left it, is taken to run with what is there now: that rolls nothing. Once a value is another one, the pod template says
 * so too, and goes on saying it: the Deployment replaces the pods one after the other. A Secret that cannot be read
 * changes nothing.
 */
export function credentialMarks(
  { number, content }: RevisionSnapshot | NewRevision,
  { credentials, deployments }: Pick<World, 'credentials' | 'deployments'>,
): CredentialMarks {
  const before = deployments.get(number);
  const marks = before?.credentials ?? {};
  const tokens = secretsOf(content).flatMap((ref) => {
    const version = credentials.versions.get(refText(ref));
    return version === undefined ? [] : [`${refText(ref)}=${version}`];
  });
  if (tokens.length === 0 || tokens.length < secretsOf(content).length) return marks;
  const seen = tokens.join(' ');
  if (marks.seen === undefined || marks.seen === seen) return { ...marks, seen };
  const isOther = marks.seen
    .split(' ')
    .some((token) => !tokens.includes(token) && !credentials.same.has(token));
  // Without pods there is nothing to replace: those to come start with what is there then.
  return isOther && (before?.replicas ?? 0) > 0 ? { seen, rolled: seen } : { ...marks, seen };
}

/** An Event for the revisions whose pods this decision has replaced. */
export function credentialNotes(
  revisions: readonly (RevisionSnapshot | NewRevision)[],
  world: Pick<World, 'credentials' | 'deployments'>,
): EventNote[] {
  const replaced = revisions.filter((revision) => {
    const { rolled } = credentialMarks(revision, world);
    return rolled !== undefined && rolled !== world.deployments.get(revision.number)?.credentials.rolled;
  });
  if (replaced.length === 0) return [];
  const secrets = new Set(replaced.flatMap(({ content }) => secretsOf(content).map(({ name }) => name)));
  const numbers = replaced.map(({ number }) => number).sort((a, b) => a - b);
  return [
    {
      type: 'Normal',
      reason: 'CredentialsChanged',
      note: `A credential in ${[...secrets].sort().join(', ')} has changed: the pods of revision ${numbers.join(', ')} are replaced one after the other.`,
    },
  ];
}
