import { cacheKey, type KubeObject } from './object.ts';

/** From an object to the values it is found under. */
export type Indexer = (object: KubeObject) => readonly string[];

/** Objects by key, with indexes. */
export interface Store {
  get(key: string): KubeObject | undefined;
  list(): readonly KubeObject[];
  /** Throws for an index that was not declared. */
  byIndex(name: string, value: string): readonly KubeObject[];
  /** Returns what was there before. */
  put(object: KubeObject): KubeObject | undefined;
  /** Returns what was there before. */
  delete(key: string): KubeObject | undefined;
}

/** An empty store with the given indexes. */
export function createStore(indexers: Readonly<Record<string, Indexer>>): Store {
  const objects = new Map<string, KubeObject>();
  const indexes = new Map(
    Object.entries(indexers).map(([name, indexer]) => [
      name,
      { indexer, keys: new Map<string, Set<string>>() },
    ]),
  );

  function file(key: string, object: KubeObject): void {
    for (const { indexer, keys } of indexes.values())
      for (const value of indexer(object)) {
        const filed = keys.get(value) ?? new Set();
        filed.add(key);
        keys.set(value, filed);
      }
  }

  function unfile(key: string, object: KubeObject): void {
    for (const { indexer, keys } of indexes.values())
      for (const value of indexer(object)) {
        const filed = keys.get(value);
        filed?.delete(key);
        if (filed?.size === 0) keys.delete(value);
      }
  }

  function remove(key: string): KubeObject | undefined {
    const object = objects.get(key);
    if (object === undefined) return undefined;
    unfile(key, object);
    objects.delete(key);
    return object;
  }

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    byIndex(name, value) {
      const index = indexes.get(name);
      if (index === undefined) throw new Error(`no index ${name} was declared`);
      return [...(index.keys.get(value) ?? [])].flatMap((key) => objects.get(key) ?? []);
    },
    put(object) {
      const key = cacheKey(object.metadata);
      const previous = remove(key);
      objects.set(key, object);
      file(key, object);
      return previous;
    },
    delete: remove,
  };
}
