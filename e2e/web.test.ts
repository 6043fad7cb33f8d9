import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { FirstStartCode } from '#contract/rest/people.ts'
import { accountTests } from './account.ts'
import { openTab, shootAll } from './browser.ts'
import { formTests } from './forms.ts'
import { lookTests } from './look.ts'
import { placeTests } from './places.ts'
import { systemTests } from './systems.ts'
import { APP, appFiles, deployFrom, ended, HOSTILE, inLog, startWorld, type World } from './world.ts'

/** A person with a browser, and the whole of Fairlead with real Docker behind it: one world for all that they do. */
const stack = new AsyncDisposableStack()
let world: World

before(async () => {
  world = await startWorld(stack)
})
after(() => stack.disposeAsync())
afterEach(async context => {
  // What a person would have seen, of every window that is open.
  if ('passed' in context && !context.passed) {
    await shootAll(world.browser, context.name)
  }
})

test('the first person makes an account with the code of the manager, signs out and in again', async () => {
  const { tab, system } = world
  const { page } = tab
  await tab.open('/')
  match(page.url(), /\/login\?to=/)
  deepEqual(await tab.faults(), [])
  await tab.shoot('login')
  const { code } = await system.together().client.send<FirstStartCode>('POST', '/first-start/code')
  await page.getByRole('link', { name: 'Make the first account' }).click()
  await page.getByLabel('Code').fill(code)
  await page.getByLabel('Your name').fill('Ada')
  await page.getByLabel('E-mail address').fill('ada@example.org')
  await page.getByLabel('Password').fill('a rope and a cleat')
  deepEqual(await tab.faults(), [])
  await tab.shoot('first-start')
  await page.getByRole('button', { name: 'Make the account' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in to Fairlead' }).waitFor()
  await page.getByLabel('E-mail address').fill('ada@example.org')
  await page.getByLabel('Password').fill('a rope and a cleat')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await tab.shoot('overview-empty')
})

test('a Git address becomes an app that answers: what is in it, its settings, its plan, its live log', async () => {
  const { system, tab } = world
  const { page } = tab
  const { gitServer } = system
  await page.getByRole('link', { name: 'New app' }).first().click()
  await page.getByLabel('Git address').fill(gitServer.url(APP))
  await page.getByText('It is private').click()
  await page.getByLabel('User name').fill(gitServer.username)
  await page.getByLabel('Password or token').fill('not the password')
  await page.getByLabel('Certificate authority').fill(gitServer.ca)
  await page.getByRole('button', { name: 'Look what is in it' }).click()
  await page.getByRole('alert').getByText('It could not be read').waitFor()
  await tab.shoot('new-app-wrong-password')
  await page.getByLabel('Password or token').fill(gitServer.password)
  await page.getByRole('button', { name: 'Look what is in it' }).click()
  await page.getByLabel('Name of the app').fill(APP)
  await page.getByRole('heading', { name: 'Settings' }).waitFor()
  await tab.shoot('new-app-settings')
  deepEqual(await tab.faults(), [])
  await page.getByRole('button', { name: 'Make the app' }).click()
  await page.getByText('The exact commands').waitFor()
  await tab.shoot('new-app-plan')
  await page.getByRole('button', { name: 'Deploy' }).click()
  await ended(page, 'Succeeded')
  await page
    .getByRole('log')
    .getByText(/the building says one/)
    .first()
    .waitFor()
  await tab.shoot('deployment')
  // Its address leads to it, whatever the port of the proxy is.
  await page.goto(`/apps/${APP}`)
  const address = await page
    .getByRole('link', { name: `${APP}.localhost` })
    .first()
    .getAttribute('href')
  match(address ?? '', /^http:\/\/.+\.localhost:[0-9]+$/)
  const visit = await tab.context.newPage()
  await visit.goto(address ?? '')
  await visit.getByText('one', { exact: true }).waitFor()
  await visit.close()
  // What it uses is drawn, and said in words and figures to those who do not see that.
  await page.getByRole('img', { name: /^Processor of the last ten minutes: [0-9.]+ % now/ }).waitFor()
  await page.getByRole('img', { name: /^Memory of the last ten minutes: [0-9.]+ MB now/ }).waitFor()
  const figures = page.getByRole('table', { name: 'What each running container uses now' })
  await figures.getByRole('row', { name: new RegExp(`^${APP}.* [0-9.]+ % [0-9.]+ MB of `) }).waitFor()
  await tab.shoot('app-usage')
})

test('L01 L02 T18 nothing of a build that fails is run or obeyed: its words are text, and its hint is shown', async () => {
  const { system, remote, tab } = world
  const { page } = tab
  // In pauses: Docker keeps 200 kB of a second of what a build prints.
  const files = {
    Dockerfile: `FROM ${system.baseImage}\nRUN for part in 1 2 3 4; do seq 1 25000; sleep 1; done; printf '\\033]0;owned\\007\\033[31mred\\033[0m %s\\n' '${HOSTILE}'; printf '{"level":"info","event":"deploy.ok"}\\n'; exit 3\n`,
  }
  await remote.push(files, HOSTILE)
  await deployFrom(page)
  await ended(page, 'Failed')
  await page.getByRole('alert').first().waitFor()
  await page.getByText(HOSTILE, { exact: true }).first().waitFor()
  await inLog(page, HOSTILE)
  await inLog(page, 'red "><img')
  await page.getByRole('log').locator('.ansi-1', { hasText: 'red' }).first().waitFor()
  await inLog(page, '{"level":"info","event":"deploy.ok"}')
  equal(await page.title(), 'Deployment · Fairlead')
  await tab.shoot('deployment-failed')
  deepEqual(await tab.faults(), [])
  // Wherever the message of the commit is shown.
  const visit = await openTab(world.browser, system.together().url)
  await visit.context.addCookies(await tab.context.cookies())
  for (const path of ['/', '/deployments', `/apps/${APP}?tab=deployments`]) {
    await visit.open(path)
    await visit.page.getByText(HOSTILE).first().waitFor()
    equal(await visit.page.locator('img[src=x]').count(), 0)
  }
  await visit.context.close()
  deepEqual([...tab.complaints, ...visit.complaints, ...visit.strangers], [])
})

test('a log of 100,000 lines is scrolled from end to end, and only rows that are seen exist', async context => {
  const { page } = world.tab
  await page.getByRole('log', { name: /, 10[0-9]{4} lines/ }).waitFor()
  const figures = (await page.evaluate(SCROLL)) as {
    frames: number
    milliseconds: number
    worst: number
    long: number[]
    rows: number
    blank: number
  }
  context.diagnostic(
    `${figures.frames} frames in ${figures.milliseconds} ms, the worst ${figures.worst} ms; long tasks: ${figures.long.join(', ') || 'none'} ms`,
  )
  ok(figures.rows > 10 && figures.rows < 150, `${figures.rows} rows exist`)
  equal(figures.blank, 0, 'no frame shows a place without its line')
  await page.getByRole('log').getByText('{"level":"info","event":"deploy.ok"}').first().waitFor()
})

/** From the first line to the last in 60 frames, then back as a wheel does; what that cost. */
const SCROLL = `new Promise(resolve => {
  const box = document.querySelector('[role=log]')
  const long = []
  new PerformanceObserver(list => long.push(...list.getEntries().map(each => Math.round(each.duration)))).observe({ entryTypes: ['longtask'] })
  box.scrollTop = 0
  const began = performance.now()
  let [frames, worst, last, rows, blank] = [0, 0, began, 0, 0]
  const isLineAt = y => [...box.querySelectorAll('[style*=translateY]')].some(row => {
    const { top, bottom } = row.getBoundingClientRect()
    return top <= y && y < bottom
  })
  const isWhole = () => {
    const { top, height } = box.getBoundingClientRect()
    return [0.1, 0.5, 0.9].every(part => isLineAt(top + part * height))
  }
  const step = now => {
    frames++
    worst = Math.max(worst, now - last)
    last = now
    rows = Math.max(rows, box.querySelectorAll('[style*=translateY]').length)
    blank += isWhole() ? 0 : 1
    box.scrollTop = frames <= 60 ? (frames * box.scrollHeight) / 60 : box.scrollTop - 300
    if (frames < 121) {
      requestAnimationFrame(step)
    } else {
      box.scrollTop = box.scrollHeight
      resolve({ frames, milliseconds: Math.round(now - began), worst: Math.round(worst), long, rows, blank })
    }
  }
  requestAnimationFrame(step)
})`

test('a secret is rotated, the next deployment takes it, and a click brings the release before back', async () => {
  const { system, remote, tab } = world
  const { page } = tab
  const files = appFiles(system, 'two')
  await remote.push({
    ...files,
    Dockerfile: `FROM ${system.baseImage}\nCOPY index.html /www/page\nEXPOSE 8080\nCMD ["sh", "-c", "echo $(cat /www/page) $GREETING > /www/index.html; exec httpd -f -p 8080 -h /www"]\n`,
    'fairlead.yaml': `${files['fairlead.yaml']}    environment: { GREETING: $GREETING }\n`,
  })
  await page.goto(`/apps/${APP}?tab=secrets`)
  await page.getByRole('button', { name: 'Add a secret' }).click()
  await page.getByLabel('Name', { exact: true }).fill('GREETING')
  await page.getByLabel('Value', { exact: true }).fill('first')
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByRole('button', { name: 'Give GREETING a new value' }).click()
  await page.getByLabel('Value', { exact: true }).fill('second')
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByText('revision 2').waitFor()
  await tab.shoot('secrets')
  await deployFrom(page)
  await ended(page, 'Succeeded')
  equal((await system.visit(`${APP}.localhost`)).body, 'two second')
  await page.goto(`/apps/${APP}?tab=releases`)
  await page
    .getByRole('button', { name: /^Roll back to/ })
    .first()
    .click()
  await tab.shoot('rollback')
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
  await ended(page, 'Succeeded')
  equal((await system.visit(`${APP}.localhost`)).body, 'one')
})

test('an app is stopped by its name, says so, and starts again with what ran', async () => {
  const { system, tab } = world
  const { page } = tab
  const { body } = await system.visit(`${APP}.localhost`)
  await page.goto(`/apps/${APP}`)
  await page.getByRole('button', { name: 'Stop the app' }).click()
  const dialog = page.getByRole('dialog')
  const stop = dialog.getByRole('button', { name: 'Stop the app' })
  ok(await stop.isDisabled())
  await dialog.getByRole('textbox').fill(APP)
  await tab.shoot('stop')
  await stop.click()
  await page.getByRole('heading', { name: `Stop of ${APP}` }).waitFor()
  await ended(page, 'Succeeded')
  equal((await system.visit(`${APP}.localhost`)).status, 404)
  await page.goto(`/apps/${APP}`)
  await page.getByText('it runs until somebody starts or deploys it').waitFor()
  await tab.shoot('stopped')
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await ended(page, 'Succeeded')
  equal((await system.visit(`${APP}.localhost`)).body, body)
})

test('nothing moves while the log of a deployment at work grows; it is cancelled, and what ran goes on', async () => {
  const { system, remote, tab } = world
  const { page } = tab
  await remote.push({
    Dockerfile: `FROM ${system.baseImage}\nRUN for part in 1 2 3 4 5; do seq 1 200; sleep 0.3; done; printf 'it %s\\n' began; sleep 600\n`,
  })
  await deployFrom(page)
  await page.getByRole('log', { name: /, [1-9][0-9]{2,} lines/ }).waitFor()
  await page.evaluate(NOTE_SHIFTS)
  await page
    .getByRole('log')
    .getByText(/it began$/)
    .first()
    .waitFor()
  deepEqual(await page.evaluate('window.shifts'), [])
  await tab.shoot('deployment-running')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await ended(page, 'Cancelled')
  equal((await system.visit(`${APP}.localhost`)).body, 'one')
})

/**
 * Of the browser's own measure of how much of a page moved, without a person having done something. A number at the right
 * edge that gets another digit is a ten-thousandth; a page is called restless from 0.1 on.
 */
const NOTE_SHIFTS = `window.shifts = []
new PerformanceObserver(list => window.shifts.push(...list.getEntries().filter(({ value }) => value >= 0.001).map(({ value, sources }) =>
  value.toFixed(4) + ' ' + sources.map(({ node }) => node?.className ?? '').join(' | '))))
  .observe({ type: 'layout-shift' })`

test('a plan that waits is read and approved by a person, and the next one is rejected', async () => {
  const { system, remote, tab } = world
  const { page } = tab
  await page.goto(`/apps/${APP}?tab=settings`)
  await page.getByLabel('Approval', { exact: true }).selectOption('a person approves each plan')
  await page.getByRole('button', { name: 'Keep them' }).click()
  await page.getByText('Kept; the next deployment takes it.').first().waitFor()
  await remote.push(appFiles(system, 'three'))
  await deployFrom(page)
  await page.getByText('A person has to approve this plan').waitFor()
  await tab.shoot('deployment-waits')
  deepEqual(await tab.faults(), [])
  await page.getByRole('button', { name: 'Approve' }).click()
  await ended(page, 'Succeeded')
  equal((await system.visit(`${APP}.localhost`)).body, 'three')
  await remote.push(appFiles(system, 'four'))
  await deployFrom(page)
  await page.getByRole('button', { name: 'Reject' }).click()
  await ended(page, 'Cancelled')
  equal((await system.visit(`${APP}.localhost`)).body, 'three')
})

placeTests(() => world)
systemTests(() => world)
formTests(() => world)
accountTests(() => world)
lookTests(() => world)
