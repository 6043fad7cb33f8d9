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
  '/settings?tab=sign-in',
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

const WIDE = { width: 1280, height: 860 }
/** One of each kind: what is said of colours there holds for the others. */
const DARK = ['/', `/apps/${APP}?tab=settings`, '/notebooks', '/hosts', '/audit']

/** Every page, as everybody sees it: each is loaded once, read wide and light, and looked at narrow and dark. */
export function lookTests(world: () => World): void {
  test('T18 every page is usable by everybody, wide and light or narrow and dark, and asks nobody but the manager', async () => {
    const { browser, system, tab } = world()
    const other = await openTab(browser, system.together().url)
    await other.context.addCookies(await tab.context.cookies())
    const found: string[] = []
    const left = [...PAGES]
    const look = async (each: Tab) => {
      for (let path = left.shift(); path !== undefined; path = left.shift()) {
        await each.open(path)
        await each.page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
        found.push(...(await each.faults()).map(fault => `${path} ${fault}`), ...(await tooWide(each, path)))
        const name = path.split(/\W+/).filter(Boolean).join('-').replace(APP, 'app') || 'overview'
        await each.shoot(`${name}-wide`)
        await narrow(each)
        found.push(...(await tooWide(each, path)))
        await each.shoot(`${name}-phone`)
        await each.page.emulateMedia({ colorScheme: 'light' })
        await each.page.setViewportSize(WIDE)
      }
    }
    await Promise.all([look(tab), look(other)])
    deepEqual(found, [])
    deepEqual([...tab.complaints, ...other.complaints], [])
    deepEqual([...tab.strangers, ...other.strangers], [])
  })

  test('what is dark and narrow can be read, too', async () => {
    const { tab } = world()
    const found: string[] = []
    for (const path of DARK) {
      await tab.open(path)
      await tab.page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
      await narrow(tab)
      found.push(...(await tab.faults()).map(fault => `${path} ${fault}`))
    }
    deepEqual(found, [])
  })
}

const STILL = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))).then(() =>
  Promise.allSettled(
    document.getAnimations()
      .filter(each => Number.isFinite(each.effect.getComputedTiming().endTime))
      .map(each => each.finished)))`

async function narrow({ page }: Tab): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.setViewportSize({ width: 390, height: 844 })
  await page.locator('html.dark').waitFor()
  // Rows are measured anew, colours change gradually: the picture is of what a person finds, and not of that.
  await page.evaluate(STILL)
}

async function tooWide({ page }: Tab, path: string): Promise<string[]> {
  const isWider = await page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  )
  return isWider === true ? [`${path} is wider than ${page.viewportSize()?.width} pixels`] : []
}
