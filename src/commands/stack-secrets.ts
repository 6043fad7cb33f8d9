import { dirname, join } from 'node:path'
import type { FileCall, FileResult } from '#exec/call.ts'
import { isFinding, readComposeText } from '#policy/compose-text.ts'
import { listOf, type Shape, scalarText, shapeOf } from '#policy/shape.ts'
import type { Hands } from './command.ts'
import { STACK_FILE_UNREADABLE } from './stack-errors.ts'
import { configOf, stackFolder } from './stack-folder.ts'

/** Files that hold secrets are small. */
const MOST_BYTES = 1024 * 1024
const DEEPEST = 4
const COMPOSE_FILE = /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/
const ENV_FILE = /^\.env\.|\.env$/

/**
 * What of the stack's own files must not leave the host: values of its `.env`, of other files of that kind in its
 * folder and of those that its Compose files name, what is in its `secrets/`, and passwords of its registries.
 */
export async function stackSecrets(hands: Hands, stack: string): Promise<readonly string[]> {
  const folder = await stackFolder(hands, stack)
  if (folder === undefined) {
    return []
  }
  const names = await namesIn(hands, folder)
  const env = await textOf(hands, join(folder, '.env'))
  const compose = [...names.filter(name => COMPOSE_FILE.test(name)), ...composeFilesIn(env)]
  const written = await Promise.all(compose.map(name => textOf(hands, join(folder, name))))
  const named = written.map(namedIn)
  const envFiles = [
    ...names.filter(name => ENV_FILE.test(name) && name !== '.env'),
    ...named.flatMap(each => each.env),
  ]
  const envs = await Promise.all(envFiles.map(path => textOf(hands, absolute(folder, path))))
  const secrets = await Promise.all([
    ...named.flatMap(each => each.secrets).map(path => textUnlessForeign(hands, absolute(folder, path))),
    textsBelow(hands, join(folder, 'secrets')),
  ])
  const config = await textOf(hands, configOf(folder))
  return [...[env, ...envs].flatMap(valuesIn), ...secrets.flat().flatMap(linesIn), ...passwordsIn(config)]
}

function absolute(folder: string, path: string): string {
  return path.startsWith('/') ? join(path) : join(folder, path)
}

function composeFilesIn(env: string): string[] {
  const [, list = ''] = /^(?:export\s+)?COMPOSE_FILE\s*=\s*["']?([^"'\s#]*)/m.exec(env) ?? []
  return list.split(':').filter(path => path !== '' && !path.startsWith('/') && !COMPOSE_FILE.test(path))
}

interface Named {
  readonly env: readonly string[]
  readonly secrets: readonly string[]
}

/** Files with secrets that a Compose file names. What is wrong with it Compose says itself. */
function namedIn(text: string): Named {
  const read = readComposeText('', text)
  const model = isFinding(read) ? {} : read.model
  const env = Object.values(shapeOf(model.services)).flatMap(service => {
    const { env_file: written } = shapeOf(service)
    return (Array.isArray(written) ? listOf(written) : [written]).map(pathOf)
  })
  const secrets = Object.values(shapeOf(model.secrets)).map(secret => pathOf(shapeOf(secret).file))
  return { env: env.filter(isPlain), secrets: secrets.filter(isPlain) }
}

function pathOf(entry: unknown): string | undefined {
  return scalarText(entry) ?? scalarText((shapeOf(entry) as Shape).path)
}

/** A name that Compose makes of variables is not known here. */
function isPlain(path: string | undefined): path is string {
  return path !== undefined && path !== '' && !/[$~]/.test(path)
}

async function namesIn(hands: Hands, folder: string): Promise<readonly string[]> {
  return (await look(hands, { operation: 'list', path: folder })).names ?? []
}

/** Of each file below a folder. */
async function textsBelow(hands: Hands, folder: string, depth = 1): Promise<string[]> {
  const texts = (await namesIn(hands, folder)).map(async name => {
    const path = join(folder, name)
    switch ((await look(hands, { operation: 'stat', path })).kind) {
      case 'folder':
        return depth < DEEPEST ? await textsBelow(hands, path, depth + 1) : []
      case 'other':
        return []
      default:
        return [await textUnlessForeign(hands, path)]
    }
  })
  return (await Promise.all(texts)).flat()
}

/** Of a secret that only its container may read, Compose, which is this user, can show nothing either. */
async function textUnlessForeign(hands: Hands, path: string): Promise<string> {
  try {
    return await textOf(hands, path)
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as Error | undefined)?.cause : undefined
    if ((cause as { code?: unknown } | undefined)?.code === 'EACCES') {
      return ''
    }
    throw error
  }
}

/** Empty when it is not there. What cannot be read here, as a link, Compose might read: its secrets would be shown. */
async function textOf(hands: Hands, path: string): Promise<string> {
  return (await look(hands, { operation: 'read', path, maxBytes: MOST_BYTES })).text ?? ''
}

type Looking =
  | { readonly operation: 'read'; readonly path: string; readonly maxBytes: number }
  | { readonly operation: 'list' | 'stat'; readonly path: string }

async function look({ host, perform, signal }: Hands, looking: Looking): Promise<FileResult> {
  const { path } = looking
  const { stacksRoot = '' } = host
  const within = path.startsWith(`${stacksRoot}/`) ? stacksRoot : dirname(path)
  const call = { kind: 'file', ...looking, within, read: found => found } as FileCall<FileResult>
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
    const comment = text.search(/\s#/)
    const bare = comment === -1 ? text : text.slice(0, comment).trimEnd()
    return [text, bare, ...(quoted ? [quoted] : [])]
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

/** The whole of it, and its lines: what is shown is shown line by line. */
function linesIn(text: string): string[] {
  return [text, ...text.split(/\r?\n/)].map(each => each.trim()).filter(each => each !== '')
}
