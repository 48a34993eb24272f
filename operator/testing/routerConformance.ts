import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import { probeHeader } from '../resources/gate.ts';
import { names, type Owner } from '../resources/names.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { TrafficIntent, TrafficRouter } from '../traffic/router.ts';
import { instanceSpec, owner } from './resourceCases.ts';

const other: Owner = { ...owner, name: 'notes', uid: 'f00dbeef-0000-4000-8000-000000000001' };
const kinds = ['weights', 'main', 'canary', 'stable'] as const;
const onlyMain: TrafficIntent = { main: 'stable', canary: undefined, preview: undefined };

const canaries = fc.record({ revision: fc.integer({ min: 1, max: 99_999 }), weight: fc.nat(100) });
const mains = fc.constantFrom('stable' as const, 'from' as const);
const previews = fc.option(fc.stringMatching(/^[A-Za-z0-9._~-]{1,64}$/), { nil: undefined });
const intents: fc.Arbitrary<TrafficIntent> = fc.record({
  main: mains,
  canary: fc.option(canaries, { nil: undefined }),
  preview: previews,
});
const paths = fc.constantFrom('/', '/todo', '/v1.0/todo');

/**
 * What every router has to do, whatever its dialect, as far as objects show it; what its data plane makes of them is for
 * the journeys in a cluster. `expose` is what the dialect needs in `spec.expose` beside host and path.
 */
export function routerConformance(name: string, router: TrafficRouter, expose: object): void {
  const specOf = (path = '/', host = 'todo.example.com'): ApiInstanceSpec =>
    instanceSpec({
      expose: { host, path, ...expose },
      rollout: { from: { service: { name: 'legacy', port: 8000 } } },
    });
  const spec = specOf();
  const objects = (intent: TrafficIntent, by = owner) => router.objects(by, spec, intent);

  describe(`the router ${name}`, () => {
    test('reads what it wrote', () => {
      fc.assert(
        fc.property(intents, paths, (intent, path) => {
          const written = stored(router.objects(owner, specOf(path), intent));
          expect(router.read(owner.name, specOf(path), written)).toEqual({
            main: intent.main,
            canary: intent.canary,
          });
        }),
      );
    });

    test('reads nothing where there is nothing, and nothing of another instance', () => {
      const nothing = { main: undefined, canary: undefined };
      expect(router.read(owner.name, spec, [])).toEqual(nothing);
      const theirs = objects({ ...onlyMain, canary: { revision: 3, weight: 50 } }, other);
      expect(router.read(owner.name, spec, stored(theirs))).toEqual(nothing);
    });

    test('makes only objects that it names, each once, and all of them belong to the instance', () => {
      const refs = router.objectRefs(owner).map(identity);
      expect(new Set(refs).size).toBe(refs.length);
      fc.assert(
        fc.property(intents, (intent) => {
          const made = objects(intent);
          expect(refs).toEqual(expect.arrayContaining(made.map(objectIdentity)));
          expect(new Set(made.map(objectIdentity)).size).toBe(made.length);
          for (const { metadata } of made) expect(metadata.ownerReferences?.[0]?.uid).toBe(owner.uid);
        }),
      );
    });

    test('changes one object when the share changes, whoever gets it and how much, and one when the main route does', () => {
      fc.assert(
        fc.property(canaries, canaries, mains, mains, previews, (one, another, main, mainAfter, preview) => {
          const before = objects({ main, canary: one, preview });
          expect(changed(before, objects({ main, canary: another, preview }))).toBeLessThanOrEqual(1);
          expect(changed(before, objects({ main: mainAfter, canary: one, preview }))).toBeLessThanOrEqual(1);
        }),
      );
    });

    test('tells shares, revisions and main routes apart', () => {
      const canary = { revision: 3, weight: 50 };
      const variants: TrafficIntent[] = [
        onlyMain,
        { ...onlyMain, main: 'from' },
        { ...onlyMain, canary },
        { ...onlyMain, canary: { ...canary, weight: 51 } },
        { ...onlyMain, canary: { ...canary, revision: 4 } },
        { ...onlyMain, canary, preview: 'secret' },
        { ...onlyMain, canary, preview: 'other' },
      ];
      expect(new Set(variants.map((intent) => JSON.stringify(objects(intent)))).size).toBe(variants.length);
    });

    test('knows the stable Service before the main route leads there', () => {
      const away = objects({ ...onlyMain, main: 'from', canary: { revision: 3, weight: 100 } });
      const { stableService } = names(owner.name);
      expect(router.read(owner.name, spec, stored(away)).main).toBe('from');
      expect(router.probe(owner, spec, 'stable')).not.toEqual(router.probe(owner, spec, 'main'));
      expect(JSON.stringify(away)).toContain(`"${stableService}"`);
    });

    test('asks the gates, at the host, a request for each expectation', () => {
      const asked = kinds.map((kind) => router.probe(owner, spec, kind));
      for (const { host, path, headers } of asked) {
        expect(host).toBe('todo.example.com');
        expect(path).toMatch(/^\//);
        expect(headers).toHaveProperty(probeHeader);
      }
      expect(new Set(asked.map((request) => JSON.stringify(request))).size).toBe(kinds.length);
    });

    test('steers nobody else: what one instance is asked by says nothing to another', () => {
      const steered = ({ headers, path }: ReturnType<TrafficRouter['probe']>) => [path, headers];
      for (const kind of ['main', 'canary', 'stable'] as const) {
        expect(steered(router.probe(owner, spec, kind))).not.toEqual(
          steered(router.probe(other, spec, kind)),
        );
      }
    });

    test('finds who else claims its host and path, and nobody else', () => {
      const ours = stored(objects({ ...onlyMain, canary: { revision: 3, weight: 50 } }));
      const claim = (path: string, host: string) =>
        stored(router.objects(other, specOf(path, host), onlyMain));
      expect(router.rival(owner, spec, ours)).toBeUndefined();
      expect(router.rival(owner, spec, [...ours, ...claim('/', 'todo.example.com')])?.metadata.name).toBe(
        other.name,
      );
      expect(router.rival(owner, spec, [...ours, ...claim('/notes', 'todo.example.com')])).toBeUndefined();
      expect(router.rival(owner, spec, [...ours, ...claim('/', 'notes.example.com')])).toBeUndefined();
    });

    test('does not take a share of somebody else for a claim', () => {
      const share = stored(objects({ ...onlyMain, canary: { revision: 3, weight: 50 } }, other)).filter(
        ({ metadata }) => metadata.name === names(other.name).canaryIngress,
      );
      expect(router.rival(owner, spec, share)).toBeUndefined();
    });
  });
}

/** As the API server gives objects back: what is undefined is gone. */
function stored(objects: readonly KubeObject[]): readonly KubeObject[] {
  return JSON.parse(JSON.stringify(objects)) as readonly KubeObject[];
}

function identity(ref: { kind: string; namespace?: string | undefined; name: string }): string {
  return `${ref.kind} ${ref.namespace ?? ''}/${ref.name}`;
}

function objectIdentity({ kind, metadata: { namespace, name } }: KubeObject): string {
  return identity({ kind, namespace, name });
}

/** How many objects differ. */
function changed(before: readonly KubeObject[], after: readonly KubeObject[]): number {
  const texts = (objects: readonly KubeObject[]) =>
    new Map(objects.map((object) => [objectIdentity(object), JSON.stringify(object)]));
  const [old, now] = [texts(before), texts(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key)).length;
}
