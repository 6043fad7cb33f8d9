import { equal, match, notEqual } from 'node:assert/strict'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { command } from '#world/command.ts'
import { createAuthority } from '#world/engine-certificates.ts'
import { startSecondEngine } from '#world/second-engine.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const second = await startSecondEngine(stack)

test('a second engine takes clients of its own authority and refuses all others', async () => {
  const folder = second.folder
  const info = (certificates: string) =>
    command('docker', ['--host', second.address, '--tlsverify', 'info', '--format', '{{.Name}}'], {
      folder,
      env: { DOCKER_CERT_PATH: certificates },
    })
  const ours = await info(second.client.folder)
  equal(ours.code, 0, ours.stderr)
  match(ours.stdout, /^fle/)
  const stranger = await (await createAuthority()).issue({ folder: join(folder, 'stranger'), use: 'client' })
  await copyFile(second.client.ca, stranger.ca)
  const refused = await info(stranger.folder)
  notEqual(refused.code, 0)
  match(refused.stderr, /bad certificate/)
})
