import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

/** Of Debian's package: scripts/setup brings it. */
const CHROMIUM = '/usr/bin/chromium'
const WIDE = { width: 1280, height: 860 }
const NARROW = { width: 390, height: 844 }
const SHOTS = join(import.meta.dirname, 'screenshots')
/** Beside the messages that pop up the library has two places that hand the focus on as soon as they get it. */
const GUARDS = ['div[role="region"] > span[aria-hidden="true"]']
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Of a loaded machine: only so that a test that hangs ends. */
const PATIENCE_MS = 60_000

/**
 * Chromium cuts off what it is loading when an address of the machine changes, as every network of a deployed app makes it
 * do. The page loads what is missing anew.
 */
const CUT_OFF = /dynamically imported module|Unable to preload|ERR_NETWORK_CHANGED/

export interface Tab {
  readonly page: Page
  readonly context: BrowserContext
  /** Complaints of the browser: errors of scripts, refused requests, dialogs that a script opened. */
  readonly complaints: string[]
  /** Requests to anybody else than the manager. */
  readonly strangers: string[]
  open(path: string): Promise<void>
  shoot(name: string): Promise<void>
  /** What axe-core finds that is serious. */
  faults(): Promise<string[]>
}

/** One browser for all tests. */
export async function startBrowser(stack: AsyncDisposableStack): Promise<Browser> {
  mkdirSync(SHOTS, { recursive: true })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  stack.defer(() => browser.close())
  return browser
}

/** A window of its own, as a person who comes for the first time has. */
export async function openTab(browser: Browser, origin: string): Promise<Tab> {
  const context = await browser.newContext({
    baseURL: origin,
    viewport: WIDE,
    colorScheme: 'light',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const complaints: string[] = []
  const strangers: string[] = []
  page.on('pageerror', error => {
    if (!CUT_OFF.test(error.message)) {
      complaints.push(String(error.stack))
    }
  })
  page.on('dialog', dialog => {
    complaints.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', message => {
    // An answer that is no success is shown to the person, and told by every browser too.
    const text = message.text()
    if (message.type() === 'error' && !text.startsWith('Failed to load resource') && !CUT_OFF.test(text)) {
      complaints.push(message.text())
    }
  })
  page.on('request', request => {
    if (!request.url().startsWith(origin) && !/^(?:blob|data):/.test(request.url())) {
      strangers.push(request.url())
    }
  })
  return {
    page,
    context,
    complaints,
    strangers,
    async open(path) {
      const heading = page.getByRole('heading', { level: 1 })
      for (let tries = 1; ; tries++) {
        const isThere = await page
          .goto(path)
          .then(() => heading.waitFor({ timeout: PATIENCE_MS / 3 }))
          .then(
            () => true,
            () => false,
          )
        if (isThere) {
          return
        }
        if (tries === 3) {
          throw new Error(`${path} does not open`)
        }
      }
    },
    async shoot(name) {
      await page.screenshot({ path: join(SHOTS, `${name}.png`) })
    },
    async faults() {
      // Through the protocol: a script element would be refused by the policy of the page.
      await page.evaluate(AXE)
      const found = (await page.evaluate(
        `axe.run({ exclude: ${JSON.stringify(GUARDS)} }, { resultTypes: ["violations"] }).then(({ violations }) => violations)`,
      )) as { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[]
      return found
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => {
          const [first] = nodes
          return `${id}: ${nodes.map(node => node.target.join(' ')).join(' | ')} (${first?.failureSummary})`
        })
    },
  }
}

/** A picture of the window as a phone in the dark shows it; gives what axe-core finds there, and whether it is too wide. */
export async function shootNarrow(tab: Tab, name: string): Promise<string[]> {
  const { page } = tab
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.setViewportSize(NARROW)
  await page.locator('html.dark').waitFor()
  // Rows are measured anew, colours change gradually: the picture is of what a person finds, and not of that.
  await page.evaluate(STILL)
  const width = await page.evaluate<number>('document.documentElement.scrollWidth')
  const faults = await tab.faults()
  await tab.shoot(`${name}-phone`)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(WIDE)
  await page.locator('html:not(.dark)').waitFor()
  return [...faults, ...(width > NARROW.width ? [`is ${width} pixels wide`] : [])]
}

const STILL = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))).then(() =>
  Promise.allSettled(
    document.getAnimations()
      .filter(each => Number.isFinite(each.effect.getComputedTiming().endTime))
      .map(each => each.finished)))`

/** Every window that is open, as it is when a test has failed. */
export async function shootAll(browser: Browser, test: string): Promise<void> {
  const pages = browser.contexts().flatMap(context => context.pages())
  const name = `failed-${test.split(/\W+/).slice(0, 6).join('-')}`
  await Promise.all(
    pages.map((page, index) =>
      page.screenshot({ path: join(SHOTS, `${name}-${index}.png`), timeout: 10_000 }),
    ),
  )
}
