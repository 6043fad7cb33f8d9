import { createHash } from 'node:crypto'
import { armor, Decrypter } from 'age-encryption'
import { canonicalJson } from '#lib/canonical-json.ts'
import { readEnvText } from './env-text.ts'
import { SECRET_FILE_DAMAGED, SECRET_FILE_FOREIGN, SECRET_FILE_MISSING } from './file-errors.ts'
import type { OpenSecrets, SecretsContext } from './queries.ts'
import { identitiesOf } from './repository-keys.ts'

/** One that the deploy file names: with `NAME=value` lines, or one value as a whole. */
export type SecretFile = string | { readonly file: string; readonly name: string }

/** The most that one of them may have, encrypted. */
export const MOST_FILE_BYTES = 40 * 1024
const MOST_VALUES = 500
const MOST_CHARACTERS = 65_536
/** Each is tried with each key, which takes time. */
const MOST_STANZAS = 20
const ARMORED = '-----BEGIN AGE ENCRYPTED FILE-----'

export interface FileSecrets {
  readonly values: OpenSecrets['values']
  /** sha256 of the encrypted files: the same files have the same values. */
  readonly digest: string
}

interface Given {
  readonly repository: { readonly id: string; readonly name: string }
  readonly commit: string
  /** In base64, by path, as the commit has them; null: too large. */
  readonly contents: Readonly<Record<string, string | null>>
}

/** Opens files of a commit with the keys of its repository, in memory. A later file goes before an earlier one. */
export async function openFiles(
  context: Omit<SecretsContext, 'clock'>,
  files: readonly SecretFile[],
  { repository, commit, contents }: Given,
): Promise<FileSecrets> {
  const keys = await identitiesOf(context, repository.id)
  const values = new Map<string, string>()
  for (const each of files) {
    const file = pathOf(each)
    const content = Object.hasOwn(contents, file) ? contents[file] : undefined
    if (content === undefined) {
      throw SECRET_FILE_MISSING(file, commit)
    }
    const text = await opened({ file, content, keys, repository: repository.name })
    for (const [name, value] of valuesIn(each, text, keys[0]?.recipient)) {
      values.set(name, value)
    }
  }
  const digest = createHash('sha256').update(canonicalJson({ files, contents })).digest('hex')
  return { values: Object.fromEntries(values), digest }
}

export function pathOf(file: SecretFile): string {
  return typeof file === 'string' ? file : file.file
}

interface Sealed {
  readonly file: string
  readonly content: string | null
  readonly keys: Awaited<ReturnType<typeof identitiesOf>>
  readonly repository: string
}

async function opened({ file, content, keys, repository }: Sealed): Promise<string> {
  const recipient = keys[0]?.recipient
  const damaged = (why: string) => SECRET_FILE_DAMAGED(file, recipient, why)
  if (content === null) {
    throw damaged(`it has more than ${MOST_FILE_BYTES / 1024} KiB`)
  }
  const bytes = binaryOf(Buffer.from(content, 'base64'))
  if (!bytes) {
    throw damaged('it is no file of age')
  }
  const header = bytes.toString('latin1').split('\n---', 1)[0] ?? ''
  if (header.split('\n-> ').length - 1 > MOST_STANZAS) {
    throw damaged(`it is encrypted for more than ${MOST_STANZAS} recipients`)
  }
  const decrypter = new Decrypter()
  for (const { identity } of keys) {
    decrypter.addIdentity(identity)
  }
  let plain: Uint8Array
  try {
    plain = await decrypter.decrypt(bytes)
  } catch (error) {
    // No other way to tell them apart; what the library says of a file is never shown.
    throw /no identity matched/.test(String(error))
      ? SECRET_FILE_FOREIGN(file, repository, recipient)
      : damaged('it was changed after it was encrypted, or is not complete')
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain)
  } catch {
    throw damaged('what is encrypted is no UTF-8 text')
  }
}

/** Undefined for what is no file of age. */
function binaryOf(bytes: Buffer): Buffer | undefined {
  if (!bytes.toString('latin1', 0, 64).trimStart().startsWith(ARMORED)) {
    return bytes.toString('latin1', 0, 22) === 'age-encryption.org/v1\n' ? bytes : undefined
  }
  try {
    return Buffer.from(armor.decode(bytes.toString('latin1')))
  } catch {
    return undefined
  }
}

function valuesIn(
  file: SecretFile,
  text: string,
  recipient: string | undefined,
): readonly (readonly [string, string])[] {
  const damaged = (why: string) => SECRET_FILE_DAMAGED(pathOf(file), recipient, why)
  if (typeof file !== 'string') {
    return [[file.name, text.replace(/\n$/, '')]]
  }
  const read = readEnvText(text)
  if ('problem' in read) {
    throw damaged(`line ${read.problem.line} of what is encrypted ${read.problem.why}`)
  }
  const values = [...read.values]
  const long = values.find(([, value]) => value.length > MOST_CHARACTERS)
  if (values.length > MOST_VALUES || long) {
    throw damaged(
      long
        ? `${long[0]} has more than ${MOST_CHARACTERS} characters`
        : `it has more than ${MOST_VALUES} values`,
    )
  }
  return values
}
