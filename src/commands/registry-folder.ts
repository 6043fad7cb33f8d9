import { join } from 'node:path'
import { REGISTRY_FILES, REGISTRY_SETTINGS } from '#programs/registry-container.ts'
import type { Hands } from './command.ts'
import type { RegistryServeData } from './registry-data.ts'

/** Folder of all that registries on this host are given. */
function registryFolder({ host }: Pick<Hands, 'host'>, app: string): string {
  return join(host.workspace, 'registries', app)
}

/** Of what the registry of one deployment is given. */
export function registryDeploymentFolder(
  hands: Pick<Hands, 'host'>,
  app: string,
  deployment: string,
): string {
  return join(registryFolder(hands, app), deployment)
}

/** Writes what the registry of one deployment is given; gives the folder. Another deployment's files stay as they are. */
export async function writeRegistryFiles(hands: Hands, data: RegistryServeData): Promise<string> {
  const folder = registryDeploymentFolder(hands, data.app, data.deployment)
  const files: Readonly<Record<keyof typeof REGISTRY_FILES, string>> = {
    certificate: data.certificate,
    key: data.key,
    accounts: data.accounts,
    settings: REGISTRY_SETTINGS,
  }
  for (const [name, path] of Object.entries(REGISTRY_FILES)) {
    const file = join(folder, path)
    await hands.perform<void>({
      kind: 'file',
      operation: 'make-folder',
      path: join(file, '..'),
      read: () => {},
    })
    const content = files[name as keyof typeof REGISTRY_FILES]
    await hands.perform<void>({ kind: 'file', operation: 'write', path: file, content, read: () => {} })
  }
  return folder
}

/** Removes the files of every deployment but one; of all without one. */
export async function forgetRegistryFiles(hands: Hands, app: string, kept?: string): Promise<void> {
  const folder = registryFolder(hands, app)
  const names = await hands.perform<readonly string[]>({
    kind: 'file',
    operation: 'list',
    path: folder,
    read: found => found.names ?? [],
  })
  for (const name of names.filter(each => each !== kept)) {
    await hands.perform<void>({ kind: 'file', operation: 'remove', path: join(folder, name), read: () => {} })
  }
}
