/** A duration as nginx writes it: whole seconds as `55s`, anything else in milliseconds. */
export function nginxTime(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

/** A size of the spec (`10Mi`, or a number of bytes) as nginx writes it: its k, m and g are powers of 1024 too. */
export function nginxSize(size: string): string {
  return size.replace(/([KMG])i$/, (_, unit: string) => unit.toLowerCase());
}
