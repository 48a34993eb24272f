/** What stands before every path of an API whose `expose.path` is `path`: nothing at the root, else the path itself. */
export function pathPrefix(path: string): string {
  return path === '/' ? '' : path;
}
