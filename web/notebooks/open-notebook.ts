import type { NotebookDocument } from '#contract/rest/notebooks.ts'
import type { VisitDocument } from '#contract/rest/visits.ts'
import { ApiError, post } from '#web/api/client.ts'

/** Opens the server of a notebook in a window of its own, for whoever is signed in here: they are asked for no token there. */
export async function openNotebook({ slug, url }: Pick<NotebookDocument, 'slug' | 'url'>): Promise<void> {
  // While the click counts as one: a window that is opened later is taken for advertising.
  const opened = open('about:blank')
  if (opened) {
    opened.opener = null
  }
  try {
    const target = await linkTo(slug, url)
    if (opened) {
      opened.location.replace(target)
    } else {
      location.assign(target)
    }
  } catch (error) {
    opened?.close()
    throw error
  }
}

async function linkTo(slug: string, url: string | null): Promise<string> {
  try {
    return (await post<VisitDocument>(`/apps/${slug}/visits`)).url
  } catch (error) {
    if (error instanceof ApiError && error.code === 'NAME_OPEN' && url !== null) {
      return url
    }
    throw error
  }
}
