import type { Browser, Page } from 'playwright-core'
import { type IncusHost, startIncus, whyNoIncus } from '#world/incus.ts'
import { makeNotebookBases } from '#world/notebook-setting.ts'
import { smallBase } from '#world/small-notebook.ts'
import { type Remote, type System, startSystem } from '#world/system.ts'
import { openTab, startBrowser, type Tab } from './browser.ts'

/** What a person with a browser finds: the whole of Fairlead with real parts behind it. One for all tests. */
export interface World {
  readonly system: System
  readonly browser: Browser
  /** Of the person who made the first account. */
  readonly tab: Tab
  readonly remote: Remote
  /** Undefined where none can run; the test that needs it says so. */
  readonly incus: IncusHost | undefined
}

export const APP = `web-${process.pid}`
/** Of the cluster that systems run in. */
export const MEMBER = 'member-one'
/** What nobody who prints or names something may get run in a page. */
export const HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'

export async function startWorld(stack: AsyncDisposableStack): Promise<World> {
  // What a worker uses ends after it.
  const below = stack.use(new AsyncDisposableStack())
  const [incus, system, browser] = await Promise.all([
    whyNoIncus().then(why => (why === undefined ? startOnlyMember(below) : undefined)),
    startSystem(stack),
    startBrowser(below),
  ])
  const remote = await system.pushedRepository(APP, appFiles(system, 'one'))
  const environment = {
    ...(incus ? settingsFor(incus) : {}),
    ...(await makeNotebookBases(system, [smallBase(system.baseImage)])),
  }
  await system.restart({ environment })
  return { system, incus, browser, remote, tab: await openTab(browser, system.together().url) }
}

/** A cluster of one: it has all that is shown of clusters, and nobody to move anything to. */
async function startOnlyMember(stack: AsyncDisposableStack): Promise<IncusHost> {
  const incus = await startIncus(stack)
  await incus.ask('PATCH', '/1.0', { config: { 'core.https_address': `${incus.ip}:8443` } })
  await incus.ask('PUT', '/1.0/cluster', { server_name: MEMBER, enabled: true })
  return incus
}

function settingsFor({ socket, pool, network }: IncusHost): Readonly<Record<string, string>> {
  return {
    FAIRLEAD_INCUS_SOCKET: socket,
    FAIRLEAD_INCUS_POOL: pool,
    FAIRLEAD_INCUS_NETWORK: network,
    FAIRLEAD_SYSTEM_ADDRESS: '0.0.0.0',
  }
}

export function appFiles({ baseImage }: System, word: string): Record<string, string> {
  return {
    Dockerfile: `FROM ${baseImage}\nRUN echo the building says ${word}\nCOPY index.html /www/index.html\nEXPOSE 8080\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    'index.html': word,
    'fairlead.yaml': `version: 1\napps:\n  ${APP}:\n    target: container\n    drain: 0s\n`,
  }
}

export async function deployFrom(page: Page): Promise<void> {
  await page.goto(`/apps/${APP}`)
  await page.getByRole('button', { name: 'Deploy', exact: true }).click()
  await page.waitForURL(/\/deployments\//)
}

/** Waits until the deployment that is shown has ended so. */
export async function ended(page: Page, label: string): Promise<void> {
  await page.waitForURL(/\/deployments\//)
  await page.getByRole('heading', { level: 1 }).getByText(label, { exact: true }).waitFor()
}

/** Searches the log, whatever the case of letters, and waits until the line is seen. */
export async function inLog(page: Page, text: string): Promise<void> {
  await page.getByLabel('Search the log').fill(text.toUpperCase())
  await page.getByRole('log').getByText(text).first().waitFor()
}
