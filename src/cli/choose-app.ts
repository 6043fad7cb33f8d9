import type { AppDocument } from '#contract/rest/apps.ts'
import type { Client } from './client.ts'
import { NO_APP_NAMED } from './errors.ts'
import { inertLine } from './inert.ts'
import type { Page } from './page.ts'

/** The app that was named, else the only one there is, as a part of a path. */
export async function chooseApp(client: Client, named: string | undefined): Promise<string> {
  if (named !== undefined) {
    return encodeURIComponent(named)
  }
  const { items } = await client.get<Page<AppDocument>>('/apps?limit=50')
  const [only, another] = items
  if (!only || another) {
    throw NO_APP_NAMED(inertLine(items.map(app => app.name).join(', ')))
  }
  return encodeURIComponent(only.name)
}
