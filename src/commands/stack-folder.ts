import { join } from 'node:path'
import { Type } from 'typebox'
import type { FileCall } from '#exec/call.ts'
import { STACK_NAME } from '#lib/stack-name.ts'
import type { Hands } from './command.ts'
import { STACK_FILE_UNREADABLE } from './stack-errors.ts'

export const StackName = Type.String({ pattern: STACK_NAME })

/** `.env` and `.docker/config.json` are small. */
const MOST_BYTES = 1024 * 1024

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

/** What of the stack's own files must not leave the host: values of its `.env`, passwords of its registries. */
export async function stackSecrets(hands: Hands, stack: string): Promise<readonly string[]> {
  const folder = await stackFolder(hands, stack)
  if (folder === undefined) {
    return []
  }
  const [env, config] = await Promise.all([
    textOf(hands, folder, join(folder, '.env')),
    textOf(hands, folder, configOf(folder)),
  ])
  return [...valuesIn(env), ...passwordsIn(config)]
}

function configOf(folder: string): string {
  return join(folder, '.docker', 'config.json')
}

/** Empty when it is not there. What cannot be read here, as a link, Compose might read: its secrets would be shown. */
async function textOf({ perform, signal }: Hands, folder: string, path: string): Promise<string> {
  const call: FileCall<string> = {
    kind: 'file',
    operation: 'read',
    path,
    within: folder,
    maxBytes: MOST_BYTES,
    read: found => found.text ?? '',
  }
  try {
    return await perform(call)
  } catch (error) {
    signal.throwIfAborted()
    throw STACK_FILE_UNREADABLE(path).with({ cause: error })
  }
}

/** With and without its quotes and the comment behind it: rather one value too many. */
function valuesIn(env: string): string[] {
  return env.split(/\r?\n/).flatMap(line => {
    const text = line.replace(/^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_.-]*\s*[=:]/, '').trim()
    if (text === '' || text.startsWith('#')) {
      return []
    }
    const [, , quoted] = /^(["'])(.*)\1/.exec(text) ?? []
    return [text, text.replace(/\s+#.*$/, ''), ...(quoted ? [quoted] : [])]
  })
}

function passwordsIn(config: string): string[] {
  try {
    const { auths = {} } = JSON.parse(config) as { auths?: Record<string, Record<string, unknown>> }
    return Object.values(auths).flatMap(account => {
      const texts = Object.values(account).filter(value => typeof value === 'string')
      const [, password = ''] = Buffer.from(String(account.auth ?? ''), 'base64')
        .toString('utf8')
        .split(/:(.*)/s)
      return [...texts, password].filter(text => text !== '')
    })
  } catch {
    return []
  }
}
