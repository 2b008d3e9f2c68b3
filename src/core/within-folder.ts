const slash = 0x2f

/** Whether `path` is `folder` or lies below it. Both are absolute and without `..`. */
export function isWithin(path: Uint8Array, folder: Uint8Array): boolean {
  const above = Buffer.from(folder)
  const base = above.at(-1) === slash ? above.subarray(0, -1) : above
  return base.equals(path.subarray(0, base.length)) && (path.length === base.length || path[base.length] === slash)
}
