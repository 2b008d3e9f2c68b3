import type { Page, PageRequest } from '../core/messages.ts'

/** All items of a list that comes in pages. */
export async function* allPages<T>(load: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let pageToken = ''
  do {
    const page = await load({ pageSize: 0, pageToken })
    yield* page.items
    pageToken = page.nextPageToken
  } while (pageToken !== '')
}
