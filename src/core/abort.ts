/** An abort controller that also follows `parent`; `release` removes the listener when the work is done. */
export function linkedController(parent: AbortSignal | undefined): {
  controller: AbortController
  release: () => void
} {
  const controller = new AbortController()
  if (parent === undefined) return { controller, release: () => undefined }
  const follow = (): void => controller.abort(parent.reason)
  if (parent.aborted) follow()
  else parent.addEventListener('abort', follow, { once: true })
  return { controller, release: () => parent.removeEventListener('abort', follow) }
}
