import { join } from 'node:path'
import { freePort } from '#cli/demo/free-port.ts'
import { askPart, type PartOptions, startPart, writePrivateFile } from '#cli/parts.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import { awaited } from './outcome.ts'
import type { System } from './system.ts'

/** Another worker of the same manager, on this machine; gives the folder with what it keeps. It serves no Docker app. */
export async function startSecondWorker(
  stack: AsyncDisposableStack,
  system: System,
  { name, settings }: { readonly name: string; readonly settings: Readonly<Record<string, string>> },
): Promise<string> {
  const data = join(system.folder, name)
  const address = `127.0.0.1:${await freePort()}`
  const environment = { ...settings, FAIRLEAD_WORKER_NAME: name, FAIRLEAD_WORKER_LISTEN: address }
  const part: PartOptions = { name: 'worker', data, environment }
  const identity = JSON.parse(await askPart({ ...part, arguments: ['init'] })) as object
  const manager = await askPart({
    name: 'manager',
    data: system.folder,
    environment: {},
    arguments: ['identity'],
  })
  const pin = writePrivateFile(join(data, 'worker'), 'manager-identity.json', manager)
  await askPart({ ...part, arguments: ['trust', pin] })
  const worker = await startPart(part)
  stack.defer(worker.close)
  const { client } = system.together()
  await client.send('POST', '/hosts', { address, identity })
  await awaited(async () => {
    const { items } = await client.get<{ items: HostDocument[] }>('/hosts')
    return items.find(host => host.name === name && host.online)
  })
  return join(data, 'worker')
}
