import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { openTab, type Tab } from './browser.ts'
import { APP, type World } from './world.ts'

const PAGES = [
  '/',
  '/new',
  '/apps',
  `/apps/${APP}`,
  `/apps/${APP}?tab=releases`,
  `/apps/${APP}?tab=deployments`,
  `/apps/${APP}?tab=logs`,
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
  '/settings',
  '/settings?tab=ci+jobs',
  '/settings?tab=image+names',
  '/settings?tab=quotas',
  '/people',
  '/projects',
  '/projects/harbour',
  '/tokens',
  '/audit',
  '/nothing/here',
]

/** Every page, as everybody sees it. */
export function lookTests(world: () => World): void {
  test('T18 every page is usable by everybody, wide and light or narrow and dark, and asks nobody but the manager', async () => {
    const { browser, system, tab } = world()
    const phone = await openTab(browser, system.together().url, { width: 390, height: 844, dark: true })
    await phone.context.addCookies(await tab.context.cookies())
    const found: string[] = []
    const look = async (each: Tab, kind: string) => {
      for (const path of PAGES) {
        await each.open(path)
        await each.page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
        found.push(...(await each.faults()).map(fault => `${path} ${kind} ${fault}`))
        const wider = await each.page.evaluate(
          'document.documentElement.scrollWidth > document.documentElement.clientWidth',
        )
        found.push(...(wider === true ? [`${path} ${kind} is wider than the window`] : []))
        const name = path.split(/\W+/).filter(Boolean).join('-').replace(APP, 'app') || 'overview'
        await each.shoot(`${name}-${kind}`)
      }
    }
    await Promise.all([look(tab, 'wide'), look(phone, 'phone')])
    deepEqual(found, [])
    deepEqual([...tab.complaints, ...phone.complaints], [])
    deepEqual([...tab.strangers, ...phone.strangers], [])
  })
}
