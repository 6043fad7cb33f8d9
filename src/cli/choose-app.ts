import type { AppDocument } from '#contract/rest/apps.ts'
import type { Client } from './client.ts'
import { NO_APP_NAMED, NOT_AN_APP_NAME } from './errors.ts'
import { inertLine } from './inert.ts'
import type { Page } from './page.ts'

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/

/** The app that was named, else the only one there is; its name can be part of a path. */
export async function chooseApp(client: Client, named: string | undefined): Promise<string> {
  if (named !== undefined) {
    if (!NAME.test(named)) {
      throw NOT_AN_APP_NAME(inertLine(named, 60))
    }
    return named
  }
  const { items } = await client.get<Page<AppDocument>>('/apps?limit=50')
  const [only, another] = items
  if (!only || another) {
    throw NO_APP_NAMED(inertLine(items.map(app => app.name).join(', ')))
  }
  return only.name
}
