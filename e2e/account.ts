import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { after, test } from 'node:test'
import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { selfSignedCertificate } from '#cli/demo/certificate.ts'
import { freePort } from '#cli/demo/free-port.ts'
import { newId } from '#lib/id.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { hashPassword } from '#manager/people/passwords.ts'
import { openTab, type Tab } from './browser.ts'
import { startProvider } from './provider.ts'
import type { World } from './world.ts'

const PASSWORD = 'a rope and a cleat'
const ROWS = 10_000
const POLL = JSON.stringify({ kind: 'poll', by: '' })
const REGISTRY = 'registry.example.org'

interface Desk {
  readonly manager: TestServer
  readonly tab: Tab
}

/** The account of a person, and what needs a manager without anything: it has one of its own, which has no host. */
export function accountTests(world: () => World): void {
  const stack = new AsyncDisposableStack()
  let opened: Promise<Desk> | undefined
  const openedDesk = () => (opened ??= openDesk(stack, world().browser))
  after(() => stack.disposeAsync())

  test('where the role needs a second factor a person is led to turn one on, and signs in with a code from then on', async () => {
    const desk = await openedDesk()
    const { tab } = desk
    const { page } = tab
    await desk.manager.ask('PUT', '/api/v1/sign-in-rules', { two_factor: 'admins' })
    await signIn(page)
    await page.getByRole('heading', { name: 'My account' }).waitFor()
    match(page.url(), /\/account$/)
    await page.getByLabel('Your password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Set up' }).click()
    await page.getByRole('img', { name: /QR code/ }).waitFor()
    await tab.shoot('account-second-factor')
    deepEqual(await tab.faults(), [])
    const secret = /[A-Z2-7]{32}/.exec((await page.getByRole('main').textContent()) ?? '')?.[0] ?? ''
    // Of the next half minute, which holds already: a loaded browser may take a while.
    await page.getByLabel('Code', { exact: true }).fill(nextCode(desk, secret))
    await page.getByRole('button', { name: 'Turn it on' }).click()
    await page.getByText('Your recovery codes', { exact: true }).waitFor()
    await page.getByRole('heading', { name: 'Sessions' }).waitFor()
    await tab.shoot('account')
    deepEqual(await tab.faults(), [])

    const recovery = (await page.locator('ul.font-mono li').first().textContent()) ?? ''
    await page.getByRole('button', { name: 'Sign out' }).click()
    await signIn(page)
    await page.getByLabel('Code', { exact: true }).fill('000')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('This code is not valid').waitFor()
    await tab.shoot('login-second-factor')
    await page.getByLabel('Code', { exact: true }).fill(recovery)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    deepEqual([tab.complaints, tab.strangers], [[], []])
  })

  test('a device becomes a passkey, opens a session without password and code, and does not once it is removed', async () => {
    const desk = await openedDesk()
    const { tab } = desk
    const { page } = tab
    const devtools = await tab.context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    })
    await tab.open('/account')
    // A browser gives passkeys only to the window that is in front.
    await page.bringToFront()
    const panel = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Passkeys' }) })
    await panel.getByText('None yet.').waitFor()
    await panel.getByLabel('Name of the device').fill('laptop')
    await panel.getByLabel('Your password').fill('not the password')
    await panel.getByRole('button', { name: 'Add a passkey' }).click()
    await panel.getByRole('alert').waitFor()
    await panel.getByLabel('Your password').fill(PASSWORD)
    await panel.getByRole('button', { name: 'Add a passkey' }).click()
    await panel.getByText('laptop', { exact: true }).waitFor()
    await tab.shoot('account-passkeys')
    deepEqual(await tab.faults(), [])
    const byPasskey = async () => {
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    }
    await byPasskey()
    await page.getByRole('heading', { name: 'My account' }).waitFor()
    await tab.open('/account')
    await panel.getByRole('button', { name: 'Remove the passkey laptop' }).click()
    await page.getByLabel('Type laptop to confirm').fill('laptop')
    await page.getByRole('button', { name: 'Remove it' }).click()
    await panel.getByText('None yet.').waitFor()
    await byPasskey()
    await page.getByText('This passkey opens nothing here.').waitFor()
    await tab.shoot('login-passkey-refused')
    await page.getByRole('button', { name: 'Use a token instead' }).click()
    await page.getByLabel('Token').fill(desk.manager.token)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('heading', { name: 'My account' }).waitFor()
    deepEqual(tab.complaints, [])
  })

  test('a login provider is added in a form, opens a session for a person it knows, and is removed by its name', async () => {
    const desk = await openedDesk()
    const { page } = desk.tab
    const { publicUrl } = desk.manager.parts.config
    const provider = await startProvider(`${publicUrl}/sign-in/corp/callback`)
    try {
      await desk.tab.open('/settings?tab=sign-in')
      await page.getByRole('button', { name: 'Add a provider' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Name here').fill('corp')
      await dialog.getByLabel('Issuer').fill('http://127.0.0.1:9/')
      await dialog.getByLabel('Client ID').fill('fairlead')
      await dialog.getByLabel('Claim that decides the role').fill('groups')
      await dialog.getByLabel('Roles by what is in the claim').fill('operators = king')
      await dialog.getByText('Each line is a value').waitFor()
      await dialog.getByLabel('Roles by what is in the claim').fill('operators = viewer')
      await dialog.getByText('Whoever has no account here gets one').click()
      await dialog.getByRole('button', { name: 'Keep it' }).click()
      await dialog.getByRole('alert').waitFor()
      deepEqual(await desk.tab.faults(), [])
      await desk.tab.shoot('provider-refused')
      await dialog.getByLabel('Issuer').fill(provider.issuer)
      await dialog.getByRole('button', { name: 'Keep it' }).click()
      await page.getByText('/sign-in/corp/callback').waitFor()
      await desk.tab.shoot('providers')
      deepEqual(await desk.tab.faults(), [])
      const { providers } = (await desk.manager.ask('GET', '/api/v1/sign-in')).json()
      deepEqual(providers, [{ name: 'corp', url: '/sign-in/corp' }])
      await signInElsewhere(await openTab(world().browser, publicUrl))
      await page.getByRole('button', { name: 'Remove corp' }).click()
      await dialog.getByLabel('Type corp to confirm').fill('corp')
      await dialog.getByRole('button', { name: 'Remove it' }).click()
      await page.getByRole('heading', { name: 'People sign in with an account of this manager' }).waitFor()
      deepEqual(desk.tab.complaints, [])
    } finally {
      provider.close()
    }
  })

  test('a registry is made in a form: a certificate for another name is refused, the right one begins its deployment', async () => {
    const desk = await openedDesk()
    const { page } = desk.tab
    await desk.tab.open('/registry')
    await page.getByRole('button', { name: 'Make one with my certificate' }).click()
    const dialog = page.getByRole('dialog')
    const fill = async ({ certificate, key }: { certificate: string; key: string }) => {
      await dialog.getByLabel('Certificate (PEM)').fill(certificate)
      await dialog.getByLabel('Its key (PEM)').fill(key)
      await dialog.getByRole('button', { name: 'Make it' }).click()
    }
    await dialog.getByLabel('Name').first().fill(REGISTRY)
    await dialog.getByLabel('Password').fill('a-password-of-the-test')
    await fill(await selfSignedCertificate(['other.example.org']))
    await dialog.getByRole('alert').waitFor()
    deepEqual(await desk.tab.faults(), [])
    await desk.tab.shoot('registry-refused')
    await fill(await selfSignedCertificate([REGISTRY]))
    await page.waitForURL(/\/deployments\//)
    const { app } = (await desk.manager.ask('GET', '/api/v1/registry')).json()
    equal(app.name, 'registry')
    deepEqual(desk.tab.complaints, [])
  })

  test('a list of 10,000 rows is scrolled to its end, and only rows near the window exist', async () => {
    const { manager, tab } = await openedDesk()
    const { page } = tab
    const { app } = await seedApp(manager, 'long')
    for (let first = 0; first < ROWS; first += 1000) {
      await manager.parts.db.insertInto('deployments').values(past(app, first)).execute()
    }
    await tab.open('/deployments?state=succeeded')
    const rows = page.getByRole('main').getByRole('listitem')
    await rows.getByText('change 9999', { exact: true }).waitFor()
    const most = await page.evaluate<number>(TO_THE_END)
    await rows.getByText('change 0', { exact: true }).waitFor()
    ok(most > 5 && most < 100, `${most} rows exist`)
    const height = await page.evaluate<number>('document.documentElement.scrollHeight')
    ok(height > ROWS * 40, `it is ${height} pixels high`)
    await page.keyboard.press('Home')
    await rows.getByText('change 9999', { exact: true }).waitFor()
    deepEqual(tab.complaints, [])
  })

  test('the secrets of an app that is not there are those of nobody, and until an answer comes its place is held', async () => {
    const { tab } = await openedDesk()
    const { page } = tab
    const answer = Promise.withResolvers<void>()
    await page.route('**/api/v1/apps/nobody/secrets', async route => {
      await answer.promise
      await route.continue()
    })
    await tab.open('/secrets?of=/apps/nobody')
    const panel = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: 'Secrets', level: 2 }) })
    await panel.getByRole('status', { name: 'Loading' }).waitFor()
    answer.resolve()
    await panel.getByText('There is no app "nobody".').waitFor()
    equal(await page.getByRole('status', { name: 'Loading' }).count(), 0)
    equal(await page.getByRole('button', { name: 'Add a secret' }).count(), 0)
    equal(await page.getByLabel('They belong to').inputValue(), '/apps/nobody')
    await page.getByLabel('They belong to').selectOption('/apps/long')
    await panel.getByText('None yet.').waitFor()
    match(page.url(), /\?of=(?:\/|%2F)apps(?:\/|%2F)long$/)
    await tab.open('/secrets?of=/people/ada')
    await page.getByText('This address names nobody who could have secrets').waitFor()
    await tab.shoot('secrets-of-nobody')
    deepEqual(await tab.faults(), [])
  })
}

/** As somebody who keeps the key pressed; gives the most rows that were there at once. */
const TO_THE_END = `new Promise(done => {
  let most = 0
  const until = performance.now() + 180_000
  const step = () => {
    const rows = [...document.querySelectorAll('main li')]
    most = Math.max(most, rows.length)
    const isAtEnd = rows.some(row => [...row.querySelectorAll('span')].some(each => each.textContent.trim() === 'change 0'))
    if (isAtEnd || performance.now() > until) {
      done(most)
    } else {
      scrollTo(0, document.documentElement.scrollHeight)
      requestAnimationFrame(step)
    }
  }
  step()
})`

/** A thousand deployments of long ago. */
function past(app: string, first: number) {
  const fixed = {
    app_id: app,
    kind: 'deploy',
    state: 'succeeded',
    trigger: POLL,
    cancel_requested: 0,
  } as const
  return Array.from({ length: 1000 }, (_, index) => ({
    ...{ ...fixed, id: newId(), commit_subject: `change ${first + index}` },
    ...{ created_at: 1_700_000_000_000 + first + index, started_at: 1, finished_at: 2 },
  }))
}

async function openDesk(stack: AsyncDisposableStack, browser: Browser): Promise<Desk> {
  const port = await freePort()
  // Passkeys belong to a name.
  const url = `http://localhost:${port}`
  const manager = await testServer({
    environment: { FAIRLEAD_ALLOW_PRIVATE: '127.0.0.0/8', FAIRLEAD_PUBLIC_URL: url },
  })
  stack.defer(() => manager.close())
  await manager.server.listen({ port, host: '127.0.0.1' })
  const person = {
    id: newId(),
    name: 'Ada',
    email: 'ada@example.org',
    role: 'admin',
    created_at: 1,
  } as const
  await manager.parts.db
    .insertInto('people')
    .values({ ...person, password: await hashPassword(PASSWORD) })
    .execute()
  return { manager, tab: await openTab(browser, url) }
}

async function signIn(page: Page): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('E-mail address').fill('ada@example.org')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

function nextCode({ manager }: Desk, secret: string): string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  return totp.generate({ timestamp: manager.parts.clock.now() + 30_000 })
}

/** A person without an account, in a browser of their own. */
async function signInElsewhere(tab: Tab): Promise<void> {
  const { page } = tab
  await tab.open('/login?to=/apps')
  await page.getByRole('link', { name: 'Sign in with corp' }).waitFor()
  await tab.shoot('login-providers')
  await page.getByRole('link', { name: 'Sign in with corp' }).click()
  await page.getByRole('button', { name: 'I am Grace' }).click()
  await page.getByRole('heading', { level: 1, name: 'Apps' }).waitFor()
  await page.getByText('Grace', { exact: true }).first().waitFor()
  await tab.shoot('signed-in-elsewhere')
  deepEqual(tab.complaints, [])
  await tab.context.close()
}
