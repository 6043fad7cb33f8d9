import { deepEqual, match } from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Secret, TOTP } from 'otpauth'
import type { Browser } from 'playwright-core'
import { newId } from '#lib/id.ts'
import { type TestServer, testServer } from '#manager/api/test-server.ts'
import { hashPassword } from '#manager/people/passwords.ts'
import { openTab, startBrowser, type Tab } from './browser.ts'

/** The account of a person, in a browser: nothing of it needs a host. */
const PASSWORD = 'a rope and a cleat'
const stack = new AsyncDisposableStack()
let manager: TestServer
let browser: Browser
let tab: Tab

before(async () => {
  manager = await testServer()
  stack.defer(() => manager.close())
  const url = await manager.server.listen({ port: 0, host: '127.0.0.1' })
  const person = { id: newId(), name: 'Ada', email: 'ada@example.org', role: 'admin', created_at: 1 } as const
  await manager.parts.db
    .insertInto('people')
    .values({ ...person, password: await hashPassword(PASSWORD) })
    .execute()
  browser = await startBrowser(stack)
  tab = await openTab(browser, url)
})
after(() => stack.disposeAsync())

test('where the role needs a second factor a person is led to turn one on, and signs in with a code from then on', async () => {
  const { page } = tab
  await manager.ask('PUT', '/api/v1/sign-in-rules', { two_factor: 'admins' })
  await signIn()
  await page.getByRole('heading', { name: 'My account' }).waitFor()
  match(page.url(), /\/account$/)
  await page.getByLabel('Your password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Set up' }).click()
  await page.getByRole('img', { name: /QR code/ }).waitFor()
  await tab.shoot('account-second-factor')
  deepEqual(await tab.faults(), [])
  const secret = /[A-Z2-7]{32}/.exec((await page.getByRole('main').textContent()) ?? '')?.[0] ?? ''
  // Of the next half minute, which holds already: a loaded browser may take a while.
  await page.getByLabel('Code', { exact: true }).fill(nextCode(secret))
  await page.getByRole('button', { name: 'Turn it on' }).click()
  await page.getByText('Your recovery codes', { exact: true }).waitFor()
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  await tab.shoot('account')
  deepEqual(await tab.faults(), [])

  const recovery = (await page.locator('ul.font-mono li').first().textContent()) ?? ''
  await page.getByRole('button', { name: 'Sign out' }).click()
  await signIn()
  await page.getByLabel('Code', { exact: true }).fill('000')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByText('This code is not valid').waitFor()
  await tab.shoot('login-second-factor')
  await page.getByLabel('Code', { exact: true }).fill(recovery)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  deepEqual([tab.complaints, tab.strangers], [[], []])
})

async function signIn(): Promise<void> {
  const { page } = tab
  await page.goto('/login')
  await page.getByLabel('E-mail address').fill('ada@example.org')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

function nextCode(secret: string): string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  return totp.generate({ timestamp: manager.parts.clock.now() + 30_000 })
}
