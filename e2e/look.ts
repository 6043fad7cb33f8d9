import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import { openTab, shootNarrow, type Tab } from './browser.ts'
import { APP, type World } from './world.ts'

const PAGES = [
  '/',
  '/new',
  '/apps',
  `/apps/${APP}`,
  `/apps/${APP}?tab=releases`,
  `/apps/${APP}?tab=deployments`,
  `/apps/${APP}?tab=logs`,
  `/apps/${APP}?tab=secrets`,
  `/apps/${APP}?tab=settings`,
  '/deployments',
  '/repositories',
  `/repositories/${APP}`,
  '/organisations',
  '/notebooks',
  '/stacks',
  '/stacks?tab=definitions',
  '/stacks?tab=images',
  '/systems',
  '/systems/new',
  '/artifacts',
  '/registry',
  '/hosts',
  '/secrets',
  '/notifications',
  '/account',
  '/settings',
  '/settings?tab=sign-in',
  '/settings?tab=ci+jobs',
  '/settings?tab=image+names',
  '/settings?tab=profiles',
  '/settings?tab=quotas',
  '/people',
  '/projects',
  '/projects/harbour',
  '/tokens',
  '/audit',
  '/nothing/here',
]

/** What those see who are not signed in; it opens for the others too. */
const GATES = ['/login', '/first-start', '/invitation']

/** Every page, as everybody sees it: each is loaded once, and looked at wide and light, then narrow and dark. */
export function lookTests(world: () => World): void {
  test('T18 every page is usable by everybody, wide and light or narrow and dark, and asks nobody but the manager', async () => {
    const { browser, system, tab } = world()
    const other = await openTab(browser, system.together().url)
    await other.context.addCookies(await tab.context.cookies())
    const { items } = await system
      .together()
      .client.get<{ items: DeploymentDocument[] }>(`/deployments?app=${APP}&state=succeeded`)
    const found: string[] = []
    const left = [...PAGES, `/deployments/${items[0]?.id}`, ...GATES]
    const look = async (each: Tab) => {
      for (let path = left.shift(); path !== undefined; path = left.shift()) {
        const name = path
          .split(/\W+/)
          .filter(Boolean)
          .map(word => (word === items[0]?.id ? 'succeeded' : word))
          .join('-')
          .replace(APP, 'app')
        found.push(...(await lookAt(each, path, name || 'overview')).map(fault => `${path} ${fault}`))
      }
    }
    await Promise.all([look(tab), look(other)])
    deepEqual(found, [])
    deepEqual([...tab.complaints, ...other.complaints], [])
    deepEqual([...tab.strangers, ...other.strangers], [])
  })
}

/** What is wrong with a page: it is another one, could not read something, or is not for everybody. */
async function lookAt(tab: Tab, path: string, name: string): Promise<string[]> {
  const { page } = tab
  await tab.open(path)
  await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
  const { pathname, search } = new URL(page.url())
  const errors = await page.getByRole('alert').allTextContents()
  await tab.shoot(`${name}-wide`)
  return [
    ...(pathname + search === path ? [] : [`leads to ${pathname}${search}`]),
    ...errors.map(text => `says ${text}`),
    ...(await tab.faults()),
    ...(await shootNarrow(tab, name)),
  ]
}
