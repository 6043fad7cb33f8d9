import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { IMAGE, whyNoIncus } from '#world/incus.ts'
import { newKey } from '#world/log-in.ts'
import { shootNarrow } from './browser.ts'
import { MEMBER, type World } from './world.ts'

const NAME = `ada-${process.pid}`

/** A machine of one's own, in real Incus. */
export function systemTests(world: () => World): void {
  test('a system is made with a key, used in its console, changed, and deleted by typing its name', async context => {
    const { system, incus, tab } = world()
    if (!incus) {
      context.skip(await whyNoIncus())
      return
    }
    const { page } = tab
    await tab.open('/systems')
    await page.getByText('No systems yet').waitFor()
    await page.getByRole('link', { name: 'New system' }).first().click()
    await page.getByText('Add a key above first').waitFor()
    const { line } = await newKey(system.folder, 'ada')
    await page.getByLabel('Another key').fill(line)
    await page.getByRole('button', { name: 'Add the key' }).click()
    await page.getByText('SHA256:').waitFor()
    await page.getByLabel('Name', { exact: true }).fill(NAME)
    await page.getByLabel('Image').fill(IMAGE)
    await page.getByLabel('Memory').fill('96 MB')
    await page.getByLabel('Disk').fill('200 MB')
    await tab.shoot('system-new')
    deepEqual(await tab.faults(), [])
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.getByRole('heading', { level: 1, name: NAME }).waitFor()
    await settled(page)
    match((await page.getByText(/^ssh -p /).textContent()) ?? '', /root@/)
    await tab.shoot('system')
    deepEqual(await shootNarrow(tab, 'system'), [])
    await page.getByRole('link', { name: 'Console' }).click()
    await page.getByText('a shell, as root').waitFor()
    await page.keyboard.type('echo "on $(hostname)"\n')
    await page.locator('.xterm').getByText(`on ${NAME}`).first().waitFor()
    await tab.shoot('system-console')
    await shootNarrow(tab, 'system-console')
    deepEqual(await tab.faults(), [])
    await page.getByRole('link', { name: 'Snapshots' }).click()
    await page.getByLabel('Name of a new one').fill('before')
    await page.getByRole('button', { name: 'Take a snapshot' }).click()
    await page.getByRole('button', { name: 'Restore before' }).waitFor()
    await settled(page)
    await page.getByRole('link', { name: 'Backups' }).click()
    await page.getByRole('button', { name: 'Make a backup' }).click()
    await page.getByText('Kept', { exact: true }).waitFor()
    await tab.shoot('system-backups')
    deepEqual(await tab.faults(), [])
    await page.getByRole('link', { name: 'Settings' }).last().click()
    await page.getByLabel('Memory').fill('128 MB')
    await page.getByRole('button', { name: 'Change the limits' }).click()
    await settled(page)
    await tab.shoot('system-settings')
    deepEqual(await shootNarrow(tab, 'system-settings'), [])
    await page.getByLabel('Where it is to be').selectOption(MEMBER)
    await page.getByRole('button', { name: 'Move it' }).click()
    await page.getByLabel(`Type ${NAME} to confirm`).fill(NAME)
    await tab.shoot('system-move')
    await page.getByRole('button', { name: 'Move it' }).last().click()
    await settled(page)
    await page.getByRole('link', { name: 'Now' }).click()
    await page.getByText('128 MB').waitFor()
    await tab.open('/systems')
    await page.getByRole('heading', { name: 'Members of clusters' }).waitFor()
    await page.getByRole('button', { name: `Evacuate ${MEMBER}` }).click()
    await page.getByLabel(`Type ${MEMBER} to confirm`).fill(MEMBER)
    await tab.shoot('systems-evacuate')
    await page.getByRole('button', { name: 'Evacuate it' }).click()
    await page.getByText(/It was not emptied. No other member/).waitFor()
    await tab.shoot('systems-members')
    deepEqual(await tab.faults(), [])
    await page.getByRole('link', { name: NAME }).first().click()
    await page.getByRole('button', { name: 'Delete the system' }).click()
    await page.getByLabel(`Type ${NAME} to confirm`).fill(NAME)
    await tab.shoot('system-delete')
    await page.getByRole('button', { name: 'Delete it' }).click()
    await page.getByRole('heading', { level: 1 }).getByText('Succeeded', { exact: true }).waitFor()
    await tab.open('/systems')
    await page.getByText('No systems yet').waitFor()
    await page.getByRole('heading', { name: 'Backups of systems that are gone' }).waitFor()
    await tab.shoot('systems-backups')
    await page.getByRole('button', { name: `Delete this backup of ${NAME}` }).click()
    await page.getByLabel(`Type ${NAME} to confirm`).fill(NAME)
    await page.getByRole('button', { name: 'Delete it' }).click()
    await page
      .getByRole('heading', { name: 'Backups of systems that are gone' })
      .waitFor({ state: 'detached' })
    deepEqual(tab.complaints, [])
    equal((await incus.ask<unknown[]>('GET', '/1.0/instances')).length, 0)
  })
}

/** Until what was asked for last has been done, and was not in vain. */
async function settled(page: Page): Promise<void> {
  await page.getByText('What was asked for is being done.').waitFor({ state: 'detached' })
  equal(await page.getByText('The last change did not work').count(), 0)
}
