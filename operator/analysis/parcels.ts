/**
 * A piece of a value on its way between two threads. Both ends pay for a message at once, on their own thread, so that
 * large values travel in pieces between which the event loop turns.
 */
export type Parcel =
  /** A small value as it is. */
  | { readonly kind: 'value'; readonly value: unknown }
  /** The next elements of the list that is open. */
  | { readonly kind: 'items'; readonly values: readonly unknown[] }
  /** Opens a value that is too large for one piece. */
  | { readonly kind: 'open'; readonly of: 'list' | 'record' | 'text' }
  /** The next value belongs to this key of the record that is open. */
  | { readonly kind: 'key'; readonly key: string }
  /** The next part of the text that is open. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'close' };

/** What a piece may weigh: 64 for each value in it, and the length of each text in UTF-16 units; 256 KB at most. */
export const parcelWeight = 128 * 1024;
const valueWeight = 64;

/** Cuts plain data (texts, numbers, booleans, undefined, null, lists, records) into pieces. */
export function* pack(value: unknown): Generator<Parcel, void> {
  if (weightOf(value, parcelWeight) <= parcelWeight) {
    yield { kind: 'value', value };
  } else if (typeof value === 'string') {
    yield { kind: 'open', of: 'text' };
    for (let at = 0; at < value.length; at += parcelWeight)
      yield { kind: 'text', text: value.slice(at, at + parcelWeight) };
    yield { kind: 'close' };
  } else if (Array.isArray(value)) {
    yield { kind: 'open', of: 'list' };
    yield* packItems(value);
    yield { kind: 'close' };
  } else {
    yield { kind: 'open', of: 'record' };
    for (const [key, field] of Object.entries(value as object)) {
      yield { kind: 'key', key };
      yield* pack(field);
    }
    yield { kind: 'close' };
  }
}

function* packItems(items: readonly unknown[]): Generator<Parcel, void> {
  let values: unknown[] = [];
  let weight = 0;
  for (const item of items) {
    const more = weightOf(item, parcelWeight);
    if (values.length > 0 && weight + more > parcelWeight) {
      yield { kind: 'items', values };
      values = [];
      weight = 0;
    }
    if (more > parcelWeight) {
      yield* pack(item);
    } else {
      values.push(item);
      weight += more;
    }
  }
  if (values.length > 0) yield { kind: 'items', values };
}

// Ends early once it is over the limit.
function weightOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return valueWeight + value.length;
  if (typeof value !== 'object' || value === null) return valueWeight;
  let weight = valueWeight;
  for (const each of Object.values(value)) {
    weight += weightOf(each, limit - weight);
    if (weight > limit) break;
  }
  return weight;
}

/** Puts the pieces of `pack` together again. */
export interface Unpacker {
  /** Takes the next piece. */
  add(parcel: Parcel): void;
  /** The value, once all pieces are in; the unpacker is empty afterwards. */
  take(): unknown;
}

type Container =
  | { readonly of: 'list'; readonly items: unknown[] }
  | { readonly of: 'record'; readonly entries: [string, unknown][]; key: string }
  | { readonly of: 'text'; readonly parts: string[] };

/** See `Unpacker`. */
export function createUnpacker(): Unpacker {
  const open: Container[] = [];
  let whole: unknown;

  const place = (value: unknown): void => {
    const into = open.at(-1);
    if (into === undefined) whole = value;
    else if (into.of === 'list') into.items.push(value);
    else if (into.of === 'record') into.entries.push([into.key, value]);
  };
  const close = (): void => {
    const container = open.pop();
    if (container === undefined) return;
    if (container.of === 'list') place(container.items);
    else if (container.of === 'record') place(Object.fromEntries(container.entries));
    else place(container.parts.join(''));
  };

  return {
    add(parcel) {
      const into = open.at(-1);
      switch (parcel.kind) {
        case 'value':
          place(parcel.value);
          break;
        case 'items':
          parcel.values.forEach(place);
          break;
        case 'open':
          open.push(emptyContainer(parcel.of));
          break;
        case 'key':
          if (into?.of === 'record') into.key = parcel.key;
          break;
        case 'text':
          if (into?.of === 'text') into.parts.push(parcel.text);
          break;
        case 'close':
          close();
          break;
      }
    },
    take() {
      const value = whole;
      whole = undefined;
      return value;
    },
  };
}

function emptyContainer(of: Container['of']): Container {
  switch (of) {
    case 'list':
      return { of, items: [] };
    case 'record':
      return { of, entries: [], key: '' };
    case 'text':
      return { of, parts: [] };
  }
}
