import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { mustRun } from '#world/command.ts'
import { startGiteaFront } from '#world/gitea-front.ts'
import type { World } from './world.ts'

const INFRA = `infra-${process.pid}`
const OWNER = `team-${process.pid}`

/** What is made in a form beside apps: stacks as code and organisations. */
export function formTests(world: () => World): void {
  test('a stack is made of a definition in a form, changed in another and removed by its name: a commit each', async () => {
    const { system, tab } = world()
    const { page } = tab
    await system.pushedRepository(INFRA, {
      'docker-compose.site.yml': `services:\n  web:\n    image: ${system.baseImage}\n    command: [sleep, "\${NAP:-600}"]\n`,
      'stack-definition.site.json': '{ "composes": ["site"] }',
    })
    const { gitServer } = system
    const { username, password } = gitServer
    await system.together().client.send('POST', '/repositories', {
      ...{ name: INFRA, url: gitServer.url(INFRA), ca: gitServer.ca },
      ...{ credential: { kind: 'https', username, password }, poll_seconds: 0, auto_apps: true },
    })
    const git = async (...words: string[]) =>
      (
        await mustRun('git', ['-C', `${gitServer.repositoriesFolder}/${INFRA}.git`, ...words], {
          folder: '/',
        })
      ).trim()
    await tab.open('/stacks?tab=definitions')
    await page.getByRole('link', { name: 'Stacks', exact: true }).last().click()
    await page.getByRole('button', { name: 'New stack' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Definition').selectOption(`${INFRA}/site`)
    await dialog.getByLabel('Name of the stack').fill('north')
    await dialog.getByLabel('NAP').fill('60')
    await dialog.getByRole('checkbox').uncheck()
    deepEqual(await tab.faults(), [])
    await tab.shoot('stack-new')
    await dialog.getByRole('button', { name: 'Commit and push' }).click()
    await dialog.getByText('Committed and pushed.').waitFor()
    const file = (await git('ls-tree', '-r', '--name-only', 'main'))
      .split('\n')
      .find(path => path.includes('north'))
    ok(file)
    match(await git('show', `main:${file}`), /"NAP"[\s\S]*60/)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Options of north' }).click()
    await dialog.getByLabel('NAP').fill('90')
    // What is removed is the file as it was read last.
    const readAgain = page.waitForResponse(
      answer => answer.url().endsWith('/api/v1/stacks') && answer.request().method() === 'GET',
    )
    await dialog.getByRole('button', { name: 'Commit and push' }).click()
    await dialog.getByText('Committed and pushed.').waitFor()
    match(await git('show', `main:${file}`), /"NAP"[\s\S]*90/)
    await readAgain
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Remove the stack north' }).click()
    await dialog.getByLabel('Type north to confirm').fill('north')
    await dialog.getByRole('button', { name: 'Remove it' }).click()
    await page.getByText('The file of north is gone').first().waitFor()
    equal((await git('ls-tree', '-r', '--name-only', 'main')).includes('north'), false)
    deepEqual(tab.complaints, [])
  })

  test('an organisation is added in a form, looked at, and forgotten by its name', async () => {
    const { system, tab } = world()
    const { page } = tab
    const gitea = await startGiteaFront(system.folder, system.gitServer)
    try {
      gitea.organisations.set(OWNER, 7)
      gitea.repositories.set(`${OWNER}/quay`, { id: 71, topics: [] })
      await tab.open('/organisations')
      await page.getByRole('button', { name: 'Add an organisation' }).first().click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Git host').selectOption('Gitea')
      await dialog.getByLabel('Name here').fill(OWNER)
      await dialog.getByLabel('Server').fill(gitea.server)
      await dialog.getByLabel('Token').fill('not the token')
      await dialog.getByText('Its certificate is known to nobody else').click()
      await dialog.getByLabel('Certificate authority (PEM)').fill(await readFile(gitea.caFile, 'utf8'))
      deepEqual(await tab.faults(), [])
      await dialog.getByRole('button', { name: 'Add it' }).click()
      await dialog.getByRole('alert').waitFor()
      await tab.shoot('organisation-refused')
      await dialog.getByLabel('Token').fill(gitea.token)
      await dialog.getByRole('button', { name: 'Add it' }).click()
      await page.getByRole('button', { name: `Look now at ${OWNER}` }).click()
      await page.getByText(`${OWNER}/quay`).waitFor()
      await tab.shoot('organisation-looked-at')
      await page.getByRole('button', { name: `Forget ${OWNER}` }).click()
      await dialog.getByLabel(`Type ${OWNER} to confirm`).fill(OWNER)
      await dialog.getByRole('button', { name: 'Forget it' }).click()
      await page.getByText('No organisations yet').waitFor()
      deepEqual(tab.complaints, [])
    } finally {
      await gitea.close()
    }
  })
}
