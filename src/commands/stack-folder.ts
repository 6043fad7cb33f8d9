import { join } from 'node:path'
import { Type } from 'typebox'
import { STACK_NAME } from '#lib/stack-name.ts'
import type { Hands } from './command.ts'

export const StackName = Type.String({ pattern: STACK_NAME })

/** The folder of a stack; undefined when there is none. A link is none: it could lead anywhere on the host. */
export async function stackFolder({ host, perform }: Hands, stack: string): Promise<string | undefined> {
  const { stacksRoot } = host
  if (stacksRoot === undefined) {
    return undefined
  }
  const path = join(stacksRoot, stack)
  const isFolder = await perform<boolean>({
    kind: 'file',
    operation: 'stat',
    path,
    within: stacksRoot,
    read: found => found.kind === 'folder',
  })
  return isFolder ? path : undefined
}

/** Whether the stack has accounts at registries of its own. */
export async function hasOwnConfig(hands: Hands, folder: string): Promise<boolean> {
  return await hands.perform<boolean>({
    kind: 'file',
    operation: 'stat',
    path: configOf(folder),
    within: folder,
    read: found => !found.missing,
  })
}

export function configOf(folder: string): string {
  return join(folder, '.docker', 'config.json')
}
