import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { freePort } from '#cli/demo/free-port.ts'
import { startPart } from '#cli/parts.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import { startGuardian } from '#world/guardian.ts'
import { layWire } from '#world/second-engine.ts'
import { shootNarrow } from './browser.ts'
import { APP, HOSTILE, type World } from './world.ts'

const PROGRAM = join(import.meta.dirname, '../bin/fairlead')

/** What a person does beside deploying: hosts, notebooks, teams. */
export function placeTests(world: () => World): void {
  test('a host is joined with the command that the page shows, appears, and is forgotten by typing its name', async () => {
    const { system, tab } = world()
    const { page } = tab
    await tab.open('/hosts')
    await page.getByRole('button', { name: 'Join a host' }).click()
    const shown = await page.getByText(/^fairlead worker join /).textContent()
    await tab.shoot('hosts-join')
    const data = join(system.folder, 'box')
    const port = await freePort()
    const environment = { FAIRLEAD_WORKER_LISTEN: `127.0.0.1:${port}`, FAIRLEAD_WORKER_NAME: 'box' }
    const [, ...words] = (shown ?? '').trim().split(' ')
    // What is set for the tests alone is no setting of the program.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('FAIRLEAD_'))
    await promisify(execFile)(PROGRAM, words, {
      env: { ...Object.fromEntries(inherited), ...environment, FAIRLEAD_DATA: data },
    })
    const worker = await startPart({ name: 'worker', data, environment })
    try {
      const card = page.getByRole('article').filter({ hasText: 'box' })
      await card.getByText('Online', { exact: true }).waitFor()
      await tab.shoot('hosts')
      await card.getByRole('button', { name: 'Check box' }).click()
      await card.getByText('Docker', { exact: false }).first().waitFor()
      const dialog = page.getByRole('dialog')
      const key = card.getByTitle(/^[0-9a-f]{64}$/)
      const before = await key.textContent()
      await card.getByRole('button', { name: 'Give box a new key' }).click()
      await dialog.getByLabel('Type box to confirm').fill('box')
      await dialog.getByRole('button', { name: 'Give it a new key' }).click()
      await dialog.waitFor({ state: 'detached' })
      await page.getByText('box has a new key.').first().waitFor()
      notEqual(await key.textContent(), before)
      await card.getByRole('button', { name: 'Forget box' }).click()
      ok(await dialog.getByRole('button', { name: 'Forget it' }).isDisabled())
      await dialog.getByLabel('Type box to confirm').fill('box')
      deepEqual(await tab.faults(), [])
      await dialog.getByRole('button', { name: 'Forget it' }).click()
      await card.waitFor({ state: 'detached' })
    } finally {
      await worker.close()
    }
  })

  test('a guardian is chosen for a host by typing its name, keeps its firewall as wanted, and is let go', async () => {
    const { system, tab } = world()
    const { page } = tab
    await using stack = new AsyncDisposableStack()
    const at = await layWire(stack)
    await startGuardian(stack, system, { at, name: 'gate', bounds: 'keep: [9001]\n' })
    const { items } = await system.together().client.get<{ items: HostDocument[] }>('/hosts')
    const host = items.find(({ role }) => role === 'worker')?.name ?? ''
    await tab.open('/hosts')
    const dialog = page.getByRole('dialog')
    const choose = async (guardian: string) => {
      await page.getByLabel(`Guardian of ${host}`).selectOption(guardian)
      ok(await dialog.getByRole('button', { name: 'Assign it' }).isDisabled())
      await dialog.getByLabel(`Type ${host} to confirm`).fill(host)
      deepEqual(await tab.faults(), [])
      await dialog.getByRole('button', { name: 'Assign it' }).click()
      await dialog.waitFor({ state: 'detached' })
    }
    await choose('gate')
    const panel = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: 'Firewall kept by gate' }) })
    await panel.getByText('As wanted', { exact: true }).waitFor()
    await panel.getByText('tcp 9001 from everywhere').first().waitFor()
    const card = page
      .getByRole('article')
      .filter({ has: page.getByRole('heading', { name: 'gate', exact: true }) })
    await card.getByRole('button', { name: 'Check gate' }).click()
    await card.getByText('free where the guardian keeps its files').waitFor()
    await panel.scrollIntoViewIfNeeded()
    await tab.shoot('hosts-firewall')
    deepEqual(await shootNarrow(tab, 'hosts-firewall'), [])
    deepEqual(await tab.faults(), [])
    await choose('nobody')
    await page.getByRole('button', { name: 'Forget gate' }).click()
    await dialog.getByLabel('Type gate to confirm').fill('gate')
    await dialog.getByRole('button', { name: 'Forget it' }).click()
    await page.getByRole('article').filter({ hasText: 'gate' }).waitFor({ state: 'detached' })
    deepEqual(tab.complaints, [])
  })

  test('T18 notebooks are found in the gallery, looked at where nothing of them runs, and opened without a token', async () => {
    const { system, tab } = world()
    const { page } = tab
    await system.pushedRepository('lessons', {
      'notebooks.yaml': 'urlmd: { enabled: false }\n',
      'tides/nb.yaml': `title: ${JSON.stringify(HOSTILE)}\nrun: { memory: 64m, cpus: 0.5 }\n`,
      'tides/tides.ipynb': notebook('the tide is high'),
    })
    const { gitServer } = system
    const { username, password } = gitServer
    await system.together().client.send('POST', '/repositories', {
      ...{ name: 'lessons', url: gitServer.url('lessons'), ca: gitServer.ca },
      ...{ credential: { kind: 'https', username, password }, poll_seconds: 0, auto_apps: true },
    })
    system.own('tides')
    await tab.open('/notebooks')
    const card = page.getByRole('article').filter({ hasText: HOSTILE })
    await card.getByText('Live', { exact: true }).waitFor()
    await tab.shoot('notebooks')
    await card.getByRole('button', { name: 'Look at' }).click()
    const preview = page.frameLocator('iframe')
    await preview.getByText('the tide is high').first().waitFor()
    equal(await preview.locator('script').count(), 0)
    await tab.shoot('notebook-preview')
    deepEqual(await tab.faults(), [])
    await page.keyboard.press('Escape')
    const [opened] = await Promise.all([
      tab.context.waitForEvent('page'),
      card.getByRole('button', { name: 'Open' }).click(),
    ])
    await opened.getByText('the tide is high').first().waitFor()
    match(new URL(opened.url()).hostname, /^tides\./)
    await opened.close()
    deepEqual(tab.complaints, [])
  })

  test('L03 a badge whose label is markup is a picture with that text, and no page', async () => {
    const { system, tab } = world()
    await system.together().client.send('PATCH', `/apps/${APP}`, { badge: 'public' })
    const answer = await tab.page.goto(`/badges/${APP}.svg?label=${encodeURIComponent(HOSTILE)}`)
    match(answer?.headers()['content-security-policy'] ?? '', /default-src 'none'/)
    equal(await tab.page.evaluate('document.querySelectorAll("script, img, foreignObject").length'), 0)
    match(await tab.page.evaluate<string>('document.documentElement.textContent'), /"><img src=x/)
    deepEqual(tab.complaints, [])
  })

  test('a project gets an app and its owner takes it out again, with a way back, all by keyboard', async () => {
    const { tab } = world()
    const { page } = tab
    await tab.open('/')
    await page.keyboard.press('Control+k')
    await page
      .getByRole('dialog')
      .getByRole('combobox')
      .or(page.getByRole('dialog').getByRole('textbox'))
      .first()
      .fill('Projects')
    await page.getByRole('option', { name: 'Projects' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor()
    await page.getByRole('button', { name: 'New project' }).first().press('Enter')
    await page.getByLabel('Name', { exact: true }).fill('harbour')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'harbour' }).waitFor()
    await page.getByLabel('Put in').selectOption(`app ${APP}`)
    await page.getByRole('button', { name: 'Add', exact: true }).last().press('Enter')
    const row = page.getByRole('link', { name: APP, exact: true })
    await row.waitFor()
    await page.getByRole('button', { name: `Take app ${APP} out` }).press('Enter')
    await row.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await row.waitFor()
    await tab.shoot('project')
    deepEqual(await tab.faults(), [])
  })

  test('the owner of an app is shown, and hands it over with a way back', async () => {
    const { tab } = world()
    const { page } = tab
    await tab.open(`/apps/${APP}?tab=settings`)
    const panel = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Owner' }) })
    await panel.getByText('ada@example.org').waitFor()
    await panel.getByLabel('Hand it over to').fill('nobody@example.org')
    await panel.getByRole('button', { name: 'Hand it over' }).click()
    await panel.getByRole('alert').waitFor()
    await tab.shoot('app-owner')
    deepEqual(await tab.faults(), [])
    await panel.getByRole('button', { name: 'Take it away' }).click()
    await panel.getByText('Nobody on their own').waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await panel.getByText('ada@example.org').waitFor()
  })

  test('what was done is in the audit log, which is verified', async () => {
    const { tab } = world()
    const { page } = tab
    await tab.open('/audit')
    await page.getByText('PUT /api/v1/projects/harbour/items').first().waitFor()
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText('Nothing is missing or changed').waitFor()
    await tab.shoot('audit')
  })
}

function notebook(text: string): string {
  const cell = { cell_type: 'markdown', id: 'one', metadata: {}, source: [text, ` ${HOSTILE}`] }
  return JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 })
}
